/**
 * `dhow __archive REQUEST`: the half of `cp` that works as root of the user namespace it was started in.
 *
 * REQUEST is the JSON of an `ArchiveRequest`. A line of JSON answers: `{stat?}` or `{error: {code, message}}`; the
 * archive, where one was asked for, follows.
 *
 * @module
 */
import { performArchive } from "../../core/container/archive_inside.ts";
import { DhowError } from "../../core/errors.ts";

/** Runs the verb. @returns The exit code. */
export async function run(args: string[]): Promise<number> {
  try {
    performArchive(JSON.parse(args[0] ?? "{}"));
    return 0;
  } catch (error) {
    const code = error instanceof DhowError ? error.code : "internal";
    const answer = JSON.stringify({ error: { code, message: (error as Error).message } });
    await Deno.stdout.write(new TextEncoder().encode(answer + "\n"));
    return 0;
  }
}
