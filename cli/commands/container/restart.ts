/**
 * `dhow container restart`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { forEach } from "../../for_each.ts";
import { stopFlags, stopOptions } from "../../stop_flags.ts";

/** Restart one or more containers. */
export const restart = command({
  name: "restart",
  summary: "Restart one or more containers",
  args: "CONTAINER [CONTAINER...]",
  flags: stopFlags,
  async run({ args, flags, given, engine, out, err }) {
    const options = stopOptions(flags, given);
    return await forEach(
      args,
      { out, err },
      (name) => engine.containers.restart(name, options),
    );
  },
});
