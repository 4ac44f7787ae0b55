/**
 * `dhow volume inspect`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { inspectAll } from "../../inspect.ts";
import { INSPECT_FORMAT_HELP } from "../../output/format_help.ts";

/** Display detailed information on one or more volumes. */
export const inspectVolume = command({
  name: "inspect",
  summary: "Display detailed information on one or more volumes",
  args: "VOLUME [VOLUME...]",
  flags: { format: { type: "string", short: "f", help: INSPECT_FORMAT_HELP } },
  async run({ args, flags, engine, out, err }) {
    const { format } = flags;
    return await inspectAll({ args, out, err, format }, (name) => engine.volumes.inspect(name));
  },
});
