/**
 * `dhow volume create`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { checkLabel } from "../../flag_checks.ts";
import { toMap } from "../../run_values.ts";

/** Create a volume. */
export const createVolume = command({
  name: "create",
  summary: "Create a volume",
  args: "[VOLUME]",
  flags: {
    driver: { type: "string", short: "d", default: "local", help: "Specify volume driver name" },
    label: { type: "list", help: "Set metadata for a volume", check: checkLabel },
    opt: { type: "map", short: "o", help: "Set driver specific options" },
  },
  examples: [
    "dhow volume create data",
    "dhow volume create -o type=tmpfs -o device=tmpfs -o o=size=100m scratch",
    'dhow volume create -o type=none -o o=bind -o device="$HOME/src" source',
  ],
  async run({ args, flags, engine, out }) {
    const { driver, label, opt } = flags;
    const { Name } = await engine.volumes.create({
      ...args[0] && { Name: args[0] },
      Driver: driver,
      ...Object.keys(opt).length > 0 && { DriverOpts: opt },
      ...label.length > 0 && { Labels: toMap(label) },
    });
    out.line(Name);
  },
});
