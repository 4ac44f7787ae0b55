/**
 * `dhow container kill`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { forEach } from "../../for_each.ts";

/** Kill one or more running containers. */
export const kill = command({
  name: "kill",
  summary: "Kill one or more running containers",
  args: "CONTAINER [CONTAINER...]",
  flags: {
    signal: { type: "string", short: "s", help: "Signal to send to the container" },
  },
  async run({ args, flags, engine, out, err }) {
    return await forEach(
      args,
      { out, err },
      (name) => engine.containers.kill(name, flags.signal || undefined),
    );
  },
});
