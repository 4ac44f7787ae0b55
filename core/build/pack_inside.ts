/**
 * Packing what a step has changed, as root of the containers' user namespace.
 *
 * @module
 */
import { close } from "../../ffi/file.ts";
import { detachMount } from "../../ffi/mount.ts";
import { mountRoot } from "../container/mount_root.ts";
import { storePaths } from "../host/paths.ts";
import { measureTree } from "../layer/measure.ts";
import { packLayer } from "../layer/pack_layer.ts";
import { TarReader } from "../layer/tar_reader.ts";
import { LayerUnpacker } from "../layer/unpack.ts";
import type { TarEntry } from "../layer/tar_entry.ts";
import { BlobWriter } from "../store/blob.ts";
import type { PackRequest, SquashRequest } from "./build_jobs.ts";
import type { PackedStep } from "./layers.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Small pieces are hashed and written together. */
const GATHERED_BYTES = 1 << 19;

/** Writes the layer's blob. @returns null if nothing has changed; there is no blob then. */
export async function performPack(request: PackRequest): Promise<PackedStep | null> {
  const { upper, lowers, root, epoch, into } = request;
  using writer = await BlobWriter.create(storePaths(root));
  const pieces = gather(packLayer({ upper, lowers, ...packOptions(epoch) }));
  if (into !== undefined) return await writeBoth(pieces, writer, into);
  for (const bytes of pieces) writer.write(bytes);
  if (writer.sizeBytes === 0) return null;
  return { ...writer.commit(), sizeBytes: measureTree(upper) };
}

/** What is packed becomes the blob, and is unpacked beside it. */
async function writeBoth(
  pieces: Iterable<Bytes>,
  writer: BlobWriter,
  into: string,
): Promise<PackedStep | null> {
  await Deno.mkdir(into, { mode: 0o755 });
  using unpacker = new LayerUnpacker(into);
  const reader = new TarReader(unpacker);
  for (const bytes of pieces) {
    writer.write(bytes);
    reader.push(bytes);
  }
  if (writer.sizeBytes === 0) return null;
  reader.end();
  const { sizeBytes } = unpacker.finish();
  return { ...writer.commit(), sizeBytes };
}

/** Packs what is new in all layers together, and unpacks it as a layer. @returns null if that is nothing. */
export async function performSquash(request: SquashRequest): Promise<PackedStep | null> {
  const { overlay, base, names, lowers, into, scratch, root, epoch } = request;
  using writer = await BlobWriter.create(storePaths(root));
  await Deno.mkdir(scratch, { mode: 0o700 });
  close(mountRoot({ kind: overlay, base, layers: [...names], mountpoint: scratch }));
  try {
    const options = { upper: scratch, lowers, isWhole: true, ...packOptions(epoch) };
    return await writeBoth(gather(packLayer(options)), writer, into);
  } finally {
    Deno.chdir("/");
    detachMount(scratch);
  }
}

function packOptions(epoch: number | undefined): {
  hidesPlaces: boolean;
  edit?: (entry: TarEntry) => TarEntry;
} {
  return {
    hidesPlaces: false,
    ...epoch !== undefined && { edit: (entry: TarEntry) => clamped(entry, epoch) },
  };
}

/** The same bytes in large pieces, each valid until the next is asked for. */
function* gather(pieces: Iterable<Bytes>): Generator<Bytes> {
  const gathered = new Uint8Array(GATHERED_BYTES);
  let length = 0;
  for (const bytes of pieces) {
    if (length + bytes.length > gathered.length) {
      yield gathered.subarray(0, length);
      length = 0;
    }
    if (bytes.length > gathered.length) yield bytes;
    else {
      gathered.set(bytes, length);
      length += bytes.length;
    }
  }
  if (length > 0) yield gathered.subarray(0, length);
}

/** What is newer than `epoch` becomes as old. */
function clamped(entry: TarEntry, epoch: number): TarEntry {
  const { seconds, nanoseconds } = entry.mtime;
  if (seconds < epoch || seconds === epoch && nanoseconds === 0) return entry;
  return { ...entry, mtime: { seconds: epoch, nanoseconds: 0 } };
}
