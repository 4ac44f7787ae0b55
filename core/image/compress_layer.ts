/**
 * Plain layers on their way to a registry: compressed into a temporary file, and what came of it remembered, so that the
 * next push finds it there already.
 *
 *     cache/compressed/<diffID>       {"digest": "sha256:...", "size": 1234}
 *
 * @module
 */
import { removeIfThere } from "../host/remove_if_there.ts";
import { blobName, isDigest } from "../lib/digest.ts";
import type { StorePaths } from "../host/paths.ts";
import type { GzipAnswer, GzipJob } from "../layer/gzip_thread.ts";
import type { Descriptor, Digest } from "../spec/image.ts";
import { blobPath, TEMPORARY_BLOB } from "../store/blob.ts";
import { explainDiskError } from "../store/disk_error.ts";
import { DhowError } from "../errors.ts";

/** Media types of plain layers, and of the same compressed. */
const COMPRESSED: Readonly<Record<string, string>> = {
  "application/vnd.oci.image.layer.v1.tar": "application/vnd.oci.image.layer.v1.tar+gzip",
  "application/vnd.docker.image.rootfs.diff.tar":
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
};

/** Whether a layer lies in the store as a plain tar. */
export function isPlainLayer(layer: Descriptor): boolean {
  return Object.hasOwn(COMPRESSED, layer.mediaType);
}

/** What a plain layer was when it was compressed before, if that is remembered. */
export function rememberedLayer(paths: StorePaths, layer: Descriptor): Descriptor | undefined {
  try {
    const { digest, size } = JSON.parse(Deno.readTextFileSync(notePath(paths, layer.digest)));
    if (!isDigest(digest) || !Number.isSafeInteger(size)) return undefined;
    return { mediaType: COMPRESSED[layer.mediaType]!, digest, size };
  } catch {
    return undefined;
  }
}

/** A compressed layer in a temporary file, which goes when this is disposed. */
export interface CompressedLayer extends Disposable {
  descriptor: Descriptor;
  path: string;
}

/** Compresses a plain layer in a thread of its own. @throws {DhowError} `no_space`; the signal's reason. */
export async function compressLayer(
  paths: StorePaths,
  layer: Descriptor,
  signal?: AbortSignal,
): Promise<CompressedLayer> {
  const path = `${paths.tmp}/${TEMPORARY_BLOB}${crypto.randomUUID()}`;
  try {
    const job = { from: blobPath(paths, layer.digest), to: path };
    const { hex, sizeBytes } = await runThread(paths, job, signal);
    const digest: Digest = `sha256:${hex}`;
    remember(paths, layer.digest, { digest, size: sizeBytes });
    const descriptor = { mediaType: COMPRESSED[layer.mediaType]!, digest, size: sizeBytes };
    return { descriptor, path, [Symbol.dispose]: () => removeIfThere(path) };
  } catch (error) {
    removeIfThere(path);
    throw error;
  }
}

async function runThread(
  paths: StorePaths,
  job: GzipJob,
  signal: AbortSignal | undefined,
): Promise<{ hex: string; sizeBytes: number }> {
  const worker = new Worker(new URL("../layer/gzip_thread.ts", import.meta.url), {
    type: "module",
  });
  const { promise, resolve, reject } = Promise.withResolvers<{ hex: string; sizeBytes: number }>();
  const stop = () => reject(signal!.reason);
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  worker.onmessage = ({ data }: MessageEvent<GzipAnswer>) => {
    if ("hex" in data) return resolve(data);
    const error = Object.assign(new Error(data.error), { code: data.code });
    reject(explainDiskError(`compress a layer in "${paths.root}"`, error));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new DhowError("internal", `Cannot compress a layer: ${event.message}`));
  };
  worker.postMessage(job);
  try {
    return await promise;
  } finally {
    signal?.removeEventListener("abort", stop);
    worker.terminate();
  }
}

/** Where there is no room for notes, the layer is compressed again. */
function remember(
  paths: StorePaths,
  diffId: Digest,
  compressed: { digest: Digest; size: number },
): void {
  const path = notePath(paths, diffId);
  try {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
    const temporary = `${path}.${crypto.randomUUID()}`;
    Deno.writeTextFileSync(temporary, JSON.stringify(compressed));
    Deno.renameSync(temporary, path);
  } catch { /* as said */ }
}

function notePath(paths: StorePaths, diffId: Digest): string {
  return `${paths.cache}/compressed/${blobName(diffId)}`;
}
