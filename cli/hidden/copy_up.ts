/**
 * `dhow __copy_up REQUEST`: fills volumes from an image, as root of the user namespace it was started in.
 *
 * REQUEST is the JSON of a `CopyUpRequest`. Prints what went wrong.
 *
 * @module
 */
import { copyUp } from "../../core/container/copy_up.ts";

/** Runs the verb. @returns The exit code. */
export async function run(args: string[]): Promise<number> {
  try {
    copyUp(JSON.parse(args[0] ?? "{}"));
    return 0;
  } catch (error) {
    await Deno.stdout.write(new TextEncoder().encode(`${(error as Error).message}\n`));
    return 1;
  }
}
