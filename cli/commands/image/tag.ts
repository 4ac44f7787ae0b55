/**
 * `dhow image tag`.
 *
 * @module
 */
import { DhowError } from "../../../core/errors.ts";
import { parseReference } from "../../../core/lib/reference.ts";
import { command } from "../../command.ts";

/** Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE. */
export const tagImage = command({
  name: "tag",
  summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  args: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
  flags: {},
  async run({ args, engine }) {
    const [source, target] = args as [string, string];
    for (const reference of [source, target]) assertReference(reference);
    await engine.images.tag(source, target);
  },
});

function assertReference(text: string): void {
  try {
    parseReference(text);
  } catch (error) {
    throw new DhowError(
      "invalid_argument",
      `Error parsing reference: ${JSON.stringify(text)} is not a valid repository/tag: ` +
        (error as Error).message,
    );
  }
}
