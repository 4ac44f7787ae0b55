/**
 * `dhow container wait`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { forEach } from "../../for_each.ts";

/** Block until one or more containers stop, then print their exit codes. */
export const wait = command({
  name: "wait",
  summary: "Block until one or more containers stop, then print their exit codes",
  args: "CONTAINER [CONTAINER...]",
  flags: {},
  async run({ args, engine, out, err }) {
    return await forEach(args, { out, err }, (name) => engine.containers.wait(name));
  },
});
