/**
 * Packing what a step has changed, as root of the containers' user namespace.
 *
 * @module
 */
import { storePaths } from "../host/paths.ts";
import { measureTree } from "../layer/measure.ts";
import { packLayer } from "../layer/pack_layer.ts";
import type { TarEntry } from "../layer/tar_entry.ts";
import { BlobWriter } from "../store/blob.ts";
import type { PackRequest } from "./build_jobs.ts";
import type { PackedStep } from "./layers.ts";

/** Small pieces are hashed and written together. */
const GATHERED_BYTES = 1 << 19;

/** Writes the layer's blob. @returns null if nothing has changed; there is no blob then. */
export async function performPack(request: PackRequest): Promise<PackedStep | null> {
  const { upper, lowers, root, epoch } = request;
  using writer = await BlobWriter.create(storePaths(root));
  const edit = epoch === undefined ? undefined : (entry: TarEntry) => clamped(entry, epoch);
  const options = { upper, lowers, hidesPlaces: false, ...edit && { edit } };
  const gathered = new Uint8Array(GATHERED_BYTES);
  let length = 0;
  const flush = () => {
    if (length > 0) writer.write(gathered.subarray(0, length));
    length = 0;
  };
  for (const bytes of packLayer(options)) {
    if (length + bytes.length > gathered.length) flush();
    if (bytes.length > gathered.length) writer.write(bytes);
    else {
      gathered.set(bytes, length);
      length += bytes.length;
    }
  }
  flush();
  if (writer.sizeBytes === 0) return null;
  return { ...writer.commit(), sizeBytes: measureTree(upper) };
}

/** What is newer than `epoch` becomes as old. */
function clamped(entry: TarEntry, epoch: number): TarEntry {
  const { seconds, nanoseconds } = entry.mtime;
  if (seconds < epoch || seconds === epoch && nanoseconds === 0) return entry;
  return { ...entry, mtime: { seconds: epoch, nanoseconds: 0 } };
}
