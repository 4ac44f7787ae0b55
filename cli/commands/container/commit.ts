/**
 * `dhow container commit`.
 *
 * @module
 */
import { command } from "../../command.ts";

/** Create a new image from a container's changes. */
export const commit = command({
  name: "commit",
  summary: "Create a new image from a container's changes",
  args: "CONTAINER [REPOSITORY[:TAG]]",
  flags: {
    author: {
      type: "string",
      short: "a",
      help: 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")',
    },
    change: {
      type: "list",
      short: "c",
      help: "Apply Dockerfile instruction to the created image",
    },
    message: { type: "string", short: "m", help: "Commit message" },
    pause: {
      type: "bool",
      short: "p",
      default: true,
      help: "Pause container during commit",
    },
  },
  async run({ args, flags, engine, out }) {
    const [container, reference] = args;
    out.line(
      await engine.containers.commit(container!, {
        ...reference !== undefined && { reference },
        author: flags.author,
        message: flags.message,
        changes: flags.change,
        pause: flags.pause,
      }),
    );
  },
});
