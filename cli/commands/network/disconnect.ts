/**
 * `dhow network disconnect`.
 *
 * @module
 */
import { command } from "../../command.ts";

/** Disconnect a container from a network. */
export const disconnectNetwork = command({
  name: "disconnect",
  summary: "Disconnect a container from a network",
  args: "NETWORK CONTAINER",
  flags: {
    force: {
      type: "bool",
      short: "f",
      help: "Force the container to disconnect from a network",
    },
  },
  async run({ args, flags, engine }) {
    await engine.networks.disconnect(args[0]!, args[1]!, { force: flags.force });
  },
});
