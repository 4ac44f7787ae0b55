/**
 * `dhow container rm`.
 *
 * @module
 */
import { DhowError } from "../../../core/errors.ts";
import { command } from "../../command.ts";
import { errorText } from "../../for_each.ts";

/** Remove one or more containers. */
export const rm = command({
  name: "rm",
  summary: "Remove one or more containers",
  args: "CONTAINER [CONTAINER...]",
  flags: {
    force: {
      type: "bool",
      short: "f",
      help: "Force the removal of a running container (uses SIGKILL)",
    },
    link: { type: "bool", short: "l", help: "Remove the specified link" },
    volumes: {
      type: "bool",
      short: "v",
      help: "Remove anonymous volumes associated with the container",
    },
  },
  async run({ args, flags, engine, out, err }) {
    let hasFailed = false;
    const present = await Promise.all(args.map(async (name) => {
      try {
        await engine.containers.remove(name, flags);
        return name;
      } catch (error) {
        err.line(errorText(error));
        // With --force a container that is not there is as good as removed.
        const isGone = error instanceof DhowError && error.code === "not_found";
        if (!(flags.force && isGone)) hasFailed = true;
        return undefined;
      }
    }));
    for (const name of present) if (name !== undefined) out.line(name);
    return hasFailed ? 1 : 0;
  },
});
