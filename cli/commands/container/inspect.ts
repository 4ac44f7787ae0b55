/**
 * `dhow container inspect`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { inspectAll } from "../../inspect.ts";
import { INSPECT_FORMAT_HELP } from "../../output/format_help.ts";

/** Display detailed information on one or more containers. */
export const inspectContainer = command({
  name: "inspect",
  summary: "Display detailed information on one or more containers",
  args: "CONTAINER [CONTAINER...]",
  flags: {
    format: { type: "string", short: "f", help: INSPECT_FORMAT_HELP },
    size: { type: "bool", short: "s", help: "Display total file sizes" },
  },
  async run({ args, flags, engine, out, err }) {
    const { format, size } = flags;
    return await inspectAll(
      { args, out, err, format },
      (name) => engine.containers.inspect(name, { size }),
    );
  },
});
