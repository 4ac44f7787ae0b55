/**
 * `dhow container rename`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import { errorText } from "../../for_each.ts";

/** Rename a container. */
export const rename = command({
  name: "rename",
  summary: "Rename a container",
  args: "CONTAINER NEW_NAME",
  flags: {},
  async run({ args, engine }) {
    const [from, to] = args as [string, string];
    if (from.trim() === "" || to.trim() === "") {
      throw new ExitError(1, "Error: Neither old nor new names may be empty");
    }
    try {
      await engine.containers.rename(from, to);
    } catch (error) {
      const message = `${errorText(error)}\nError: failed to rename container named ${from}`;
      throw new ExitError(1, message, { cause: error });
    }
  },
});
