/**
 * `dhow container create`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { createContainer, toRunError } from "../../create_container.ts";
import { createFlags } from "../../run_flags.ts";

/** Create a new container. */
export const create = command({
  name: "create",
  summary: "Create a new container",
  args: "IMAGE [COMMAND] [ARG...]",
  count: [1, Infinity],
  flags: createFlags,
  interspersed: false,
  async run(context) {
    try {
      context.out.line((await createContainer(context)).id);
    } catch (error) {
      throw toRunError(error, context.path);
    }
  },
});
