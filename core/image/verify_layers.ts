/**
 * Layers after a power cut. Unpacking does not wait for the disk: that would make it several times slower, and the blob
 * it came from is safe. So a layer that was unpacked shortly before the power went may have its names but not all its
 * content: file systems leave such files empty or short.
 *
 * Therefore each layer is measured once after every boot, before its first use, against the size that was noted when it
 * was unpacked, and unpacked again if they differ. That it was measured is noted in the runtime directory, which does
 * not outlive the boot; asking costs one stat(2).
 *
 * @module
 */
import { isThere } from "../host/stat.ts";
import { ensureRuntimeDirectory, type StorePaths } from "../host/paths.ts";
import type { LayerWorker } from "./ensure_unpacked.ts";

/** Whether a layer was measured or unpacked since the machine came up. */
export function isVerified(paths: StorePaths, mapping: string, chainId: string): boolean {
  return isThere(markOf(paths, mapping, chainId));
}

/** Notes that a layer is whole. Where there is no room for notes, layers are measured again. */
export function markVerified(paths: StorePaths, mapping: string, chainId: string): void {
  const mark = markOf(paths, mapping, chainId);
  try {
    Deno.writeTextFileSync(mark, "", { mode: 0o600 });
  } catch {
    try {
      ensureRuntimeDirectory(paths);
      Deno.mkdirSync(mark.slice(0, mark.lastIndexOf("/")), { recursive: true, mode: 0o700 });
      Deno.writeTextFileSync(mark, "", { mode: 0o600 });
    } catch {
      // As said.
    }
  }
}

/**
 * Measures those layers that are there but were not measured since the machine came up; takes damaged ones away.
 *
 * @param chains chainIDs, as hex.
 */
export async function verifyLayers(
  paths: StorePaths,
  chains: readonly string[],
  worker: LayerWorker,
): Promise<void> {
  const unsure = chains.filter((chainId) => !isVerified(paths, worker.mapping, chainId));
  if (unsure.length === 0) return;
  // One at a time: who comes late must not take away what the first has mended and somebody already uses.
  using lock = await Deno.open(`${paths.layers}/verify.lock`, {
    write: true,
    create: true,
    mode: 0o600,
  });
  await lock.lock(true);
  for (const chainId of unsure) {
    const base = `${paths.layers}/${worker.mapping}`;
    const directory = `${base}/${chainId}`;
    if (isVerified(paths, worker.mapping, chainId) || !isThere(directory)) continue;
    const expected = noted(`${base}/s/${chainId}`);
    if (expected === undefined || expected !== await worker.measure(directory)) {
      const damaged = `${base}/.tmp-${crypto.randomUUID()}`;
      await Deno.rename(directory, damaged);
      await worker.removeTrees([damaged]);
    } else markVerified(paths, worker.mapping, chainId);
  }
}

function markOf(paths: StorePaths, mapping: string, chainId: string): string {
  return `${paths.runtime}/layers/${mapping}/${chainId}`;
}

function noted(path: string): number | undefined {
  try {
    // Written just before the layer: after a power cut it may be empty itself.
    return Number(Deno.readTextFileSync(path) || NaN);
  } catch {
    return undefined;
  }
}
