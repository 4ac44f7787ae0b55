/**
 * `dhow __health ROOT ID`: one health probe, executed by the container's monitor.
 *
 * @module
 */
import { runProbe } from "../../core/container/run_probe.ts";
import { storePaths } from "../../core/host/paths.ts";

/** Runs the verb. @returns 1 to be called again after the start interval, else 0. */
export async function run([root = "", id = ""]: string[]): Promise<number> {
  return await runProbe(storePaths(root), id) ? 1 : 0;
}
