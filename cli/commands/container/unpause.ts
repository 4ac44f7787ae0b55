/**
 * `dhow container unpause`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { forEach } from "../../for_each.ts";

/** Unpause all processes within one or more containers. */
export const unpause = command({
  name: "unpause",
  summary: "Unpause all processes within one or more containers",
  args: "CONTAINER [CONTAINER...]",
  flags: {},
  async run({ args, engine, out, err }) {
    return await forEach(args, { out, err }, (name) => engine.containers.unpause(name));
  },
});
