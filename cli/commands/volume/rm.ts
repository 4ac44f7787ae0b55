/**
 * `dhow volume rm`.
 *
 * @module
 */
import { DhowError } from "../../../core/errors.ts";
import { command } from "../../command.ts";
import { forEach } from "../../for_each.ts";

/** Remove one or more volumes. */
export const removeVolume = command({
  name: "rm",
  summary: "Remove one or more volumes",
  description:
    "Remove one or more volumes. You cannot remove a volume that is in use by a container.",
  args: "VOLUME [VOLUME...]",
  flags: {
    force: { type: "bool", short: "f", help: "Do not mind volumes that are not there" },
  },
  async run({ args, flags, engine, out, err }) {
    return await forEach(args, { out, err }, async (name) => {
      try {
        await engine.volumes.remove(name);
      } catch (error) {
        const isGone = error instanceof DhowError && error.code === "not_found";
        if (!(flags.force && isGone)) throw error;
      }
    });
  },
});
