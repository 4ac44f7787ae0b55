/**
 * The image that a stage stands on: from the store, or pulled.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { findImage, resolveImageId } from "../image/resolve.ts";
import { readConfig, readManifest } from "../image/stored_image.ts";
import { layerSize } from "../image/ensure_unpacked.ts";
import { chainIds } from "../layer/chain_id.ts";
import { lazy } from "../lib/lazy.ts";
import { formatPlatform, platformFit } from "../lib/platform.ts";
import { canonicalReference, parseReference } from "../lib/reference.ts";
import type { ImageConfig, Platform } from "../spec/image.ts";
import { BuildLayer, type StoredLayer } from "./layers.ts";
import type { BuildSession } from "./session.ts";

/** An image to build on. */
export interface BaseImage {
  config: ImageConfig;
  /** Lowest first. */
  layers: BuildLayer[];
}

/** Images of one build, each looked for once. */
export class BaseImages {
  readonly #session: BuildSession;
  readonly #images = new Map<string, Promise<BaseImage>>();

  constructor(session: BuildSession) {
    this.#session = session;
  }

  /**
   * Finds an image, pulling it if it is not there or the build asks for newer ones.
   *
   * @throws {DhowError} As a pull; `not_found` if it is for other machines.
   */
  get(reference: string, platform: Platform): Promise<BaseImage> {
    const key = `${formatPlatform(platform)} ${reference}`;
    let image = this.#images.get(key);
    if (image === undefined) this.#images.set(key, image = this.#load(reference, platform));
    return image;
  }

  async #load(reference: string, platform: Platform): Promise<BaseImage> {
    const { paths, request, emit } = this.#session;
    const isWanted = (config: ImageConfig) => platformFit(platform, config) > 0;
    const known = request.pull && !isId(reference) ? undefined : find(paths, reference);
    if (known !== undefined && isWanted(known)) return baseOf(this.#session, reference, known);
    if (isId(reference)) {
      throw new DhowError("not_found", `${reference}: not found`);
    }
    const name = canonicalReference(parseReference(reference));
    const id = `pull ${name}`;
    const title = `[internal] load metadata for ${name}`;
    emit({ kind: "start", id, name: title, timeMs: Date.now() });
    try {
      const { pullBase } = await lazy<typeof import("./pull_base.ts")>(
        "./pull_base.ts",
        import.meta.url,
      );
      await pullBase(this.#session, reference, platform, id);
    } catch (error) {
      const message = (error as Error).message;
      emit({ kind: "end", id, outcome: "failed", error: message, timeMs: Date.now() });
      if (!(error instanceof DhowError)) throw error;
      throw new DhowError(
        error.code,
        `${reference}: failed to resolve source metadata for ${name}: ${message}`,
        { cause: error },
      );
    }
    emit({ kind: "end", id, outcome: "done", timeMs: Date.now() });
    const pulled = find(paths, reference);
    if (pulled === undefined) throw new DhowError("not_found", `${reference}: not found`);
    if (!isWanted(pulled)) {
      throw new DhowError(
        "not_found",
        `${reference}: no match for platform in manifest: it is for ${
          formatPlatform(pulled)
        }, not ${formatPlatform(platform)}`,
      );
    }
    return baseOf(this.#session, reference, pulled);
  }
}

function isId(reference: string): boolean {
  return reference.startsWith("sha256:");
}

function find(paths: StorePaths, reference: string): ImageConfig | undefined {
  try {
    return readConfig(paths, resolveImageId(paths, reference));
  } catch (error) {
    if (error instanceof DhowError && error.code === "not_found") return undefined;
    throw error;
  }
}

function baseOf(session: BuildSession, reference: string, config: ImageConfig): BaseImage {
  const { paths, mapping, place } = session;
  const { layers } = readManifest(paths, findImage(paths, reference).manifest);
  const diffIds = config.rootfs.diff_ids;
  const chains = chainIds(diffIds);
  return {
    config,
    layers: diffIds.map((diffId, i) => {
      const stored: StoredLayer = {
        diffId,
        descriptor: layers[i]!,
        sizeBytes: layerSize(paths, chains[i]!, mapping) ?? 0,
      };
      return BuildLayer.placed(place, stored, chains[i]!);
    }),
  };
}
