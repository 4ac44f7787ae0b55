/**
 * `dhow __hook ROOT ID`: what a monitor executes when its container has ended and no foreground dhow is there for it.
 *
 * @module
 */
import { runExitHook } from "../../core/container/finish.ts";
import { storePaths } from "../../core/host/paths.ts";

/** Runs the verb. @returns The exit code. */
export async function run([root = "", id = ""]: string[]): Promise<number> {
  await runExitHook(storePaths(root), id);
  return 0;
}
