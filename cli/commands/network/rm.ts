/**
 * `dhow network rm`.
 *
 * @module
 */
import { DhowError } from "../../../core/errors.ts";
import { command } from "../../command.ts";
import { errorText } from "../../for_each.ts";

/** Remove one or more networks. */
export const removeNetwork = command({
  name: "rm",
  summary: "Remove one or more networks",
  args: "NETWORK [NETWORK...]",
  flags: {
    force: { type: "bool", short: "f", help: "Do not error if the network does not exist" },
  },
  async run({ args, flags, engine, out, err }) {
    let hasFailed = false;
    for (const name of args) {
      try {
        await engine.networks.remove(name);
        out.line(name);
      } catch (error) {
        const isGone = error instanceof DhowError && error.code === "not_found";
        if (flags.force && isGone) continue;
        err.line(errorText(error));
        hasFailed = true;
      }
    }
    if (hasFailed) err.line("exit status 1"); // as docker ends
    return hasFailed ? 1 : 0;
  },
});
