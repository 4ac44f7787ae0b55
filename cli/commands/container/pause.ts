/**
 * `dhow container pause`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { forEach } from "../../for_each.ts";

/** Pause all processes within one or more containers. */
export const pause = command({
  name: "pause",
  summary: "Pause all processes within one or more containers",
  args: "CONTAINER [CONTAINER...]",
  flags: {},
  async run({ args, engine, out, err }) {
    return await forEach(args, { out, err }, (name) => engine.containers.pause(name));
  },
});
