/**
 * `dhow container stop`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { forEach } from "../../for_each.ts";
import { stopFlags, stopOptions } from "../../stop_flags.ts";

/** Stop one or more running containers. */
export const stop = command({
  name: "stop",
  summary: "Stop one or more running containers",
  args: "CONTAINER [CONTAINER...]",
  flags: stopFlags,
  async run({ args, flags, given, engine, out, err }) {
    const options = stopOptions(flags, given);
    return await forEach(
      args,
      { out, err },
      (name) => engine.containers.stop(name, options),
    );
  },
});
