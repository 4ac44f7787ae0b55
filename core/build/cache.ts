/**
 * The build cache: what steps have made, by what they depend on.
 *
 *     cache/build/steps/<key>     one line of JSON: the layer that the step of this key has made
 *
 * An entry appears whole, by rename, and is a promise that holds only while its layer is there. Whoever makes the same
 * step at the same time makes an entry that is as good.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { isDirectory, isThere } from "../host/stat.ts";
import { removeIfThere } from "../host/remove_if_there.ts";
import { chainIds } from "../layer/chain_id.ts";
import { sha256Hex } from "../lib/sha256.ts";
import { blobPath } from "../store/blob.ts";
import type { StoredLayer } from "./layers.ts";

/** What a step has made. */
export interface CacheEntry {
  /** Undefined if it has changed no file. */
  layer?: StoredLayer;
  /** The layer's chainID, as hex. */
  chainId?: string;
  /** RFC 3339. */
  createdAt: string;
  /** The step, for people. */
  name: string;
  /** Which kind of record docker calls it. */
  type: "regular" | "source.local";
}

/** Where entries are. */
export function stepsDirectory(paths: StorePaths): string {
  return `${paths.cache}/build/steps`;
}

/** A key: 64 hex digits that stand for all of `parts`. */
export function cacheKey(...parts: readonly unknown[]): string {
  return sha256Hex(new TextEncoder().encode(JSON.stringify(parts)));
}

/** The cache of one store, for images of one id mapping. */
export class StepCache {
  readonly #paths: StorePaths;
  readonly #mapping: string;

  constructor(paths: StorePaths, mapping: string) {
    this.#paths = paths;
    this.#mapping = mapping;
  }

  /**
   * What the step of this key has made on top of these layers, if all of it is there.
   *
   * @param below DiffIDs, lowest first.
   */
  find(key: string, below: readonly string[]): CacheEntry | undefined {
    const path = this.#pathOf(key);
    let entry: CacheEntry;
    try {
      entry = JSON.parse(Deno.readTextFileSync(path));
    } catch {
      return undefined; // there is none, or a power cut has left it empty
    }
    const { layer } = entry;
    if (layer !== undefined) {
      const chainId = chainIds([...below, layer.diffId]).at(-1)!;
      if (!isDirectory(`${this.#paths.layers}/${this.#mapping}/${chainId}`)) return undefined;
      if (!isThere(blobPath(this.#paths, layer.descriptor.digest))) return undefined;
    }
    this.#markUsed(path);
    return entry;
  }

  /** Remembers what a step has made. */
  write(key: string, entry: CacheEntry): void {
    const path = this.#pathOf(key);
    const temporary = `${path}.${crypto.randomUUID()}`;
    try {
      Deno.mkdirSync(stepsDirectory(this.#paths), { recursive: true, mode: 0o700 });
      Deno.writeTextFileSync(temporary, JSON.stringify(entry), { mode: 0o600 });
      Deno.renameSync(temporary, path);
    } catch {
      // A step that is not remembered is done again.
      try {
        removeIfThere(temporary);
      } catch { /* as said */ }
    }
  }

  /** For who looks for what was not used for long. */
  #markUsed(path: string): void {
    try {
      const now = new Date();
      Deno.utimeSync(path, now, now);
    } catch { /* it has been removed */ }
  }

  #pathOf(key: string): string {
    return `${stepsDirectory(this.#paths)}/${key}`;
  }
}
