/**
 * `dhow __archive REQUEST`: the half of `cp` that works as root of the user namespace it was started in.
 *
 * REQUEST is the JSON of an `ArchiveRequest`. A line of JSON answers: `{stat?}` or `{error: {code, message}}`; the
 * archive, where one was asked for, follows.
 *
 * @module
 */
import { performArchive } from "../../core/container/archive_inside.ts";

/** Runs the verb. @returns The exit code. */
export function run(args: string[]): Promise<number> {
  performArchive(JSON.parse(args[0] ?? "{}"));
  return Promise.resolve(0);
}
