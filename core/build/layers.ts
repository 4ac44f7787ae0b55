/**
 * The layers a build makes, from an overlay's upper directory to a layer of the store.
 *
 * A step writes into `layers/MAPPING/.tmp-...`. When it is done that directory is the layer, as it is: the next step
 * mounts it by this name. Meanwhile a helper packs it, which tells the diffID; then it is renamed to its chainID, in
 * the same directory, which copies nothing. Until then nobody but this build knows of it, and a sweep takes it away.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { isDirectory } from "../host/stat.ts";
import { chainIds, shortLayerName } from "../layer/chain_id.ts";
import { lazy } from "../lib/lazy.ts";
import type { Descriptor, Digest } from "../spec/image.ts";

/** A layer of the store. */
export interface StoredLayer {
  diffId: Digest;
  /** Where its blob is. */
  descriptor: Descriptor;
  /** Bytes unpacked. */
  sizeBytes: number;
  /** When it was made, RFC 3339; undefined for a base image's. */
  createdAt?: string;
}

/** What packing a layer tells. */
export interface PackedStep {
  digest: Digest;
  size: number;
  sizeBytes: number;
}

/** Where the layers of one id mapping are. */
export interface LayerPlace {
  paths: StorePaths;
  mapping: string;
}

/** A layer, its name in the store known or not. */
export class BuildLayer {
  readonly #base: string;
  /** The layer in the store; undefined if the step has changed nothing. */
  readonly stored: Promise<StoredLayer | undefined>;
  #name: string;
  #users = 0;
  readonly #unused: (() => void)[] = [];

  private constructor(
    base: string,
    name: string,
    stored: (layer: BuildLayer) => Promise<StoredLayer | undefined>,
  ) {
    this.#base = base;
    this.#name = name;
    this.stored = stored(this);
    // Who needs it waits for it; who does not must not fail for it twice.
    this.stored.catch(() => {});
  }

  /** A layer that has its name. @param chainId As hex. */
  static placed(place: LayerPlace, layer: StoredLayer, chainId: string): BuildLayer {
    const base = baseOf(place);
    return new BuildLayer(base, shortLayerName(chainId), () => Promise.resolve(layer));
  }

  /**
   * A layer that a step has just made.
   *
   * @param directory `.tmp-...`.
   * @param below Those it stands on, lowest first.
   * @param pack Packs it, when those below have their names.
   */
  static made(
    place: LayerPlace,
    directory: string,
    options: {
      below: readonly BuildLayer[];
      createdAt: string;
      /** What gets the layer's name instead: made by `pack`. */
      becomes?: string;
      pack: (lowers: string[]) => Promise<PackedStep | undefined>;
    },
  ): BuildLayer {
    const base = baseOf(place);
    const { below, createdAt, pack, becomes = directory } = options;
    return new BuildLayer(base, `../${directory}`, async (layer) => {
      const stored = await storedLayers(below);
      const packed = await pack(below.map(({ path }) => path).reverse());
      if (packed === undefined) return undefined;
      const { digest: diffId, size, sizeBytes } = packed;
      const diffIds = [...stored.map((one) => one.diffId), diffId];
      const chainId = chainIds(diffIds).at(-1)!;
      const { isVerified, markVerified } = await lazy<typeof import("../image/verify_layers.ts")>(
        "../image/verify_layers.ts",
        import.meta.url,
      );
      const isWhole = () => isVerified(place.paths, place.mapping, chainId);
      await layer.#place(chainId, sizeBytes, { temporary: `${base}/${becomes}`, isWhole });
      markVerified(place.paths, place.mapping, chainId);
      const mediaType = "application/vnd.oci.image.layer.v1.tar";
      return { diffId, descriptor: { mediaType, digest: diffId, size }, sizeBytes, createdAt };
    });
  }

  /** Where it is now, as an absolute path. */
  get path(): string {
    return `${this.#base}/l/${this.#name}`;
  }

  /** Whether it is in the store under its own name. */
  get isPlaced(): boolean {
    return !this.#name.startsWith("../");
  }

  /** Its name relative to {@linkcode linkBase}; it keeps that while the result is not disposed. */
  use(): { name: string } & Disposable {
    this.#users++;
    return {
      name: this.#name,
      [Symbol.dispose]: () => {
        if (--this.#users === 0) { for (const wake of this.#unused.splice(0)) wake(); }
      },
    };
  }

  async #place(
    chainId: string,
    sizeBytes: number,
    { temporary, isWhole }: { temporary: string; isWhole: () => boolean },
  ): Promise<void> {
    for (const part of ["l", "s"]) {
      await Deno.mkdir(`${this.#base}/${part}`, { recursive: true, mode: 0o700 });
    }
    const { linkLayer } = await lazy<typeof import("../image/place_layer.ts")>(
      "../image/place_layer.ts",
      import.meta.url,
    );
    await linkLayer(this.#base, chainId);
    while (this.#users > 0) await new Promise<void>((resolve) => this.#unused.push(resolve));
    // Without a pause from here on, not even that of a function that waits: nobody begins to use the old name.
    const directory = `${this.#base}/${chainId}`;
    Deno.writeTextFileSync(`${this.#base}/s/${chainId}`, String(sizeBytes));
    // Nobody has looked at that yet: it may be what a power cut has left.
    if (isDirectory(directory) && !isWhole()) {
      Deno.renameSync(directory, `${this.#base}/.tmp-${crypto.randomUUID()}`);
    }
    try {
      Deno.renameSync(temporary, directory);
    } catch (error) {
      if (!isDirectory(directory)) throw error;
      // It was there already: this one is left to the next sweep, since removing many files takes long.
    }
    this.#name = shortLayerName(chainId);
  }
}

/** `layers/MAPPING`. */
export function baseOf({ paths, mapping }: LayerPlace): string {
  return `${paths.layers}/${mapping}`;
}

/** What names of layers in an overlay's options are relative to. */
export function linkBase(place: LayerPlace): string {
  return `${baseOf(place)}/l`;
}

/** What is in the store of layers, waiting for those that are on their way; those that change nothing are left out. */
export async function storedLayers(layers: readonly BuildLayer[]): Promise<StoredLayer[]> {
  const stored = await Promise.all(layers.map((layer) => layer.stored));
  return stored.filter((layer) => layer !== undefined);
}
