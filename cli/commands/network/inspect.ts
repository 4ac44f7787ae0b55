/**
 * `dhow network inspect`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { inspectAll } from "../../inspect.ts";
import { INSPECT_FORMAT_HELP } from "../../output/format_help.ts";

/** Display detailed information on one or more networks. */
export const inspectNetwork = command({
  name: "inspect",
  summary: "Display detailed information on one or more networks",
  args: "NETWORK [NETWORK...]",
  flags: {
    format: { type: "string", short: "f", help: INSPECT_FORMAT_HELP },
    verbose: { type: "bool", short: "v", help: "Verbose output for diagnostics" },
  },
  async run({ args, flags, engine, out, err }) {
    return await inspectAll(
      { args, out, err, format: flags.format },
      (name) => engine.networks.inspect(name),
    );
  },
});
