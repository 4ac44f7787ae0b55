/**
 * `dhow image rm`, also known as `dhow rmi`.
 *
 * @module
 */
import { DhowError } from "../../../core/errors.ts";
import { command } from "../../command.ts";
import { errorText } from "../../for_each.ts";

/** Remove one or more images. */
export const removeImage = command({
  name: "rm",
  summary: "Remove one or more images",
  args: "IMAGE [IMAGE...]",
  flags: {
    force: { type: "bool", short: "f", help: "Force removal of the image" },
    noPrune: { type: "bool", help: "Do not delete untagged parents" },
  },
  async run({ args, flags, engine, out, err }) {
    let hasFailed = false;
    const errors: string[] = [];
    for (const name of args) {
      try {
        for (const item of await engine.images.remove(name, flags)) {
          out.line("untagged" in item ? `Untagged: ${item.untagged}` : `Deleted: ${item.deleted}`);
        }
      } catch (error) {
        errors.push(errorText(error));
        // With --force an image that is not there is as good as removed.
        const isGone = error instanceof DhowError && error.code === "not_found";
        if (!(flags.force && isGone)) hasFailed = true;
      }
    }
    for (const error of errors) err.line(error);
    return hasFailed ? 1 : 0;
  },
});
