/**
 * `dhow container create`.
 *
 * @module
 */
import { DhowError } from "../../../core/errors.ts";
import { command } from "../../command.ts";
import { createContainer, toRunError } from "../../create_container.ts";
import { createFlags } from "../../run_flags.ts";

/** Errors that no command line has by itself. */
const ENGINE_ERRORS: ReadonlySet<string> = new Set(["not_found", "unauthorized", "unavailable"]);

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
      // As docker: what the engine answers is an answer, what the command line gets wrong is a wrong use.
      const code = error instanceof DhowError ? error.code : "";
      throw ENGINE_ERRORS.has(code) ? error : toRunError(error, context.path);
    }
  },
});
