/**
 * Images in a registry that misbehaves on demand, and what pulling them leaves in a store.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Call, FaultyRegistry } from "./faulty_registry.ts";
import { digestOf, gzip } from "./layers.ts";
import type { Sandbox } from "./sandbox.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The media type of the layers. */
export const GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";

/** An image of gzip layers. */
export async function addGzipImage(
  registry: FaultyRegistry,
  name: string,
  tag: string,
  ...layers: Bytes[]
) {
  const packed = await Promise.all(layers.map(gzip));
  const diffIds = await Promise.all(layers.map(digestOf));
  const image = await registry.addImage(name, tag, packed, { diffIds, layerType: GZIP });
  return { ...image, packed, diffIds };
}

/** What is in a directory of the store. */
export function list(box: Sandbox, folder: string): string[] {
  try {
    return [...Deno.readDirSync(`${box.root}/${folder}`)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

/** All unpacked layers, whatever id mapping they are for. */
export function layersOf(box: Sandbox): string[] {
  return list(box, "layers").flatMap((mapping) => list(box, `layers/${mapping}`));
}

/** What a pull adds to. */
export interface StoreState {
  blobs: string[];
  layers: string[];
}

/** The store as it is now. */
export function state(box: Sandbox): StoreState {
  return { blobs: list(box, "blobs/sha256"), layers: layersOf(box) };
}

/** The store as it was, without traces of a pull. */
export function assertNothingNew(box: Sandbox, before: StoreState): void {
  assertEquals(list(box, "tmp"), []);
  assertEquals(list(box, "blobs/sha256"), before.blobs);
  assertEquals(layersOf(box), before.layers);
}

/** Whether a layer is being fetched. */
export function isLayer(call: Call, digest: string): boolean {
  return call.kind === "blob" && call.method === "GET" && call.ref === digest;
}
