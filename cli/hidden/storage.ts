/**
 * `dhow __storage REQUEST`: the half of the storage drivers that works as root of the user namespace it was started in.
 *
 * REQUEST is the JSON of a `StorageRequest`. One line of JSON answers: `{result}` or `{error: {code, message}}`. After
 * `mount` the process stays, and with it the mount, until its stdin ends.
 *
 * @module
 */
import { performStorage, type StorageRequest } from "../../core/container/storage_inside.ts";
import { answerWith } from "./answer.ts";

/** Runs the verb. @returns The exit code. */
export async function run(args: string[]): Promise<number> {
  const request: StorageRequest = JSON.parse(args[0] ?? "{}");
  // In one piece on this thread, whose mounts they are.
  let perform: () => unknown;
  try {
    const result = performStorage(request);
    perform = () => result;
  } catch (error) {
    perform = () => {
      throw error;
    };
  }
  // deno-lint-ignore require-await -- a rejection is what is wanted of a throw
  const exitCode = await answerWith(async () => perform());
  if (request.op === "mount" && exitCode === 0) Deno.stdin.readSync(new Uint8Array(1));
  return exitCode;
}
