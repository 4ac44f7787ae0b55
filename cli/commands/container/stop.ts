/**
 * `dhow container stop`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { forEach } from "../../for_each.ts";

/** Stop one or more running containers. */
export const stop = command({
  name: "stop",
  summary: "Stop one or more running containers",
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
      engine.containers.stop(name, {
        ...(flags.signal !== "" && { signalName: flags.signal }),
        ...(given("timeout") && { timeoutSeconds: flags.timeout }),
      }));
  },
});
