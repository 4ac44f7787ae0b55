/**
 * The files of an image as a tar stream: what `--output type=local` and `type=tar` are made of.
 *
 * @module
 */
import { exportTree } from "../container/archive.ts";
import type { StoppedRoot } from "../container/mount_root.ts";
import { removeTreesAnyhow } from "../container/remove.ts";
import type { StorePaths } from "../host/paths.ts";
import { ensureUnpacked } from "../image/ensure_unpacked.ts";
import { openNamespaceWorker } from "../image/namespace_worker.ts";
import { resolveImage } from "../image/resolve.ts";
import type { CallOptions } from "../spec/streams.ts";
import { leaseStore } from "../store/layout.ts";

/** A tar stream of an image's whole root. @throws {DhowError} `not_found`. */
export async function exportRoot(
  paths: StorePaths,
  image: string,
  options: CallOptions = {},
): Promise<ReadableStream<Uint8Array>> {
  const stack = new AsyncDisposableStack();
  try {
    stack.use(leaseStore(paths));
    const resolved = resolveImage(paths, image);
    const mountpoint = `${paths.tmp}/export-${crypto.randomUUID()}`;
    await Deno.mkdir(mountpoint, { mode: 0o700 });
    stack.defer(() => removeTreesAnyhow(paths, [mountpoint]));
    using worker = await openNamespaceWorker(paths, options.signal);
    const layers = await ensureUnpacked(paths, resolved, worker);
    const root = rootOf(`${paths.layers}/${worker.mapping}/l`, layers, mountpoint);
    return withEnd(await exportTree(paths, root, options), stack);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** An overlay without an upper directory takes two layers at least. */
function rootOf(base: string, layers: readonly string[], mountpoint: string): StoppedRoot {
  const [only = mountpoint, ...more] = layers;
  if (more.length === 0) return { kind: "directory", path: only };
  const names = layers.map((layer) => layer.slice(layer.lastIndexOf("/") + 1)).reverse();
  return { kind: "overlay", base, layers: names, mountpoint };
}

/** The same stream; what it needs is disposed of when it ends. */
function withEnd(
  stream: ReadableStream<Uint8Array>,
  owned: AsyncDisposableStack,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      await owned.disposeAsync();
    },
    async cancel(reason) {
      await reader.cancel(reason);
      await owned.disposeAsync();
    },
  });
}
