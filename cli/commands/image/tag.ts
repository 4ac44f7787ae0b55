/**
 * `dhow image tag`.
 *
 * @module
 */
import { command } from "../../command.ts";

/** Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE. */
export const tagImage = command({
  name: "tag",
  summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  args: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
  flags: {},
  async run({ args, engine }) {
    const [source, target] = args as [string, string];
    await engine.images.tag(source, target);
  },
});
