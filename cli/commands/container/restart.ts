/**
 * `dhow container restart`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { forEach } from "../../for_each.ts";

/** Restart one or more containers. */
export const restart = command({
  name: "restart",
  summary: "Restart one or more containers",
  args: "CONTAINER [CONTAINER...]",
  flags: {
    signal: { type: "string", short: "s", help: "Signal to send to the container" },
    timeout: {
      type: "int",
      short: "t",
      aliases: ["time"],
      help: "Seconds to wait before killing the container",
    },
  },
  async run({ args, flags, given, engine, out, err }) {
    return await forEach(args, { out, err }, (name) =>
      engine.containers.restart(name, {
        ...(flags.signal !== "" && { signalName: flags.signal }),
        ...(given("timeout") && { timeoutSeconds: flags.timeout }),
      }));
  },
});
