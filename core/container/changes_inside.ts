/**
 * The half of `diff` and `commit` that works as root of the user namespace (`dhow __changes`).
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { NestedIds } from "../host/nested_ids.ts";
import { storePaths } from "../host/paths.ts";
import type { ChangesOptions } from "../layer/layer_changes.ts";
import { layerChanges } from "../layer/layer_changes.ts";
import { packLayer } from "../layer/pack_layer.ts";
import { TarReader } from "../layer/tar_reader.ts";
import { LayerUnpacker } from "../layer/unpack.ts";
import type { Digest } from "../spec/image.ts";
import { BlobWriter } from "../store/blob.ts";
import type { ContainerChange } from "./changes.ts";

/** What to do. */
export type ChangesRequest =
  & Pick<ChangesOptions, "lowers" | "upper" | "isWhole">
  & (
    | { op: "changes" }
    | {
      op: "pack";
      /** The store whose blob the layer becomes. */
      root: string;
      /** The same layer as a directory: this is made. */
      into: string;
      /** Of the container, if it has a user namespace of its own. */
      ids?: NestedIds;
    }
  );

/** A layer that was packed. */
export interface PackedLayer {
  /** Of the plain tar: digest and diffID in one. */
  digest: Digest;
  size: number;
  /** Bytes unpacked, as docker counts an image's size. */
  sizeBytes: number;
}

/** Performs a request; a pack answers null if nothing has changed. */
export async function performChangesVerb(
  request: ChangesRequest,
): Promise<ContainerChange[] | PackedLayer | null> {
  if (request.op === "pack") return await packAndUnpack(request);
  const changes: ContainerChange[] = [];
  for (const { kind, path } of layerChanges(request)) changes.push({ kind, path: `/${path}` });
  return changes;
}

/** One pass: what is packed becomes the blob, and is unpacked beside it. */
async function packAndUnpack(
  request: ChangesRequest & { op: "pack" },
): Promise<PackedLayer | null> {
  await Deno.mkdir(request.into, { mode: 0o755 });
  await Deno.chmod(request.into, 0o755);
  using writer = await BlobWriter.create(storePaths(request.root));
  const { ids } = request;
  using unpacker = new LayerUnpacker(request.into, ids ? { ids } : {});
  const reader = new TarReader(unpacker);
  try {
    for (const bytes of packLayer(request)) {
      writer.write(bytes);
      reader.push(bytes);
    }
    if (writer.sizeBytes === 0) {
      await Deno.remove(request.into);
      return null;
    }
    reader.end();
  } catch (error) {
    if (error instanceof DhowError) throw error;
    throw new DhowError("internal", `Cannot pack the container: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const { sizeBytes } = unpacker.finish();
  return { ...writer.commit(), sizeBytes };
}
