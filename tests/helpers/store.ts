/**
 * Cleaning up after tests that ran containers.
 *
 * @module
 */
import { storePaths } from "../../core/host/paths.ts";
import { openNamespaceWorker } from "../../core/image/namespace_worker.ts";

const launcher = new URL("../../dhow", import.meta.url).pathname;

/** Removes every container of the store `root`, then the store with the files that belong to subordinate ids. */
export async function removeStore(root: string): Promise<void> {
  const ids = (await dhow(root, ["ps", "-aq"])).split("\n").filter((id) => id !== "");
  if (ids.length > 0) await dhow(root, ["rm", "-fv", ...ids]);
  using worker = await openNamespaceWorker(storePaths(root));
  for (let attempt = 0;; attempt++) {
    try {
      return await worker.removeTrees([root]);
    } catch (error) {
      // The exit hook of a container may still be putting its last words down.
      if (attempt === 20 || !String(error).includes("ENOTEMPTY")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function dhow(root: string, args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(launcher, {
    args: ["--root", root, ...args],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}
