/**
 * `Builder`, done in this process.
 *
 * @module
 */
import type { CacheRecord } from "../build/prune_cache.ts";
import type { BuildRequest, BuildResult } from "../build/request.ts";
import type { StorePaths } from "../host/paths.ts";
import { lazy } from "../lib/lazy.ts";
import type {
  Builder,
  BuildOptions,
  CallOptions,
  PruneCacheOptions,
  PruneReport,
} from "./engine.ts";

/** Builds into one store. Each method loads what it needs when it is called. */
export class LocalBuilder implements Builder {
  readonly #paths: StorePaths;

  constructor(paths: StorePaths) {
    this.#paths = paths;
  }

  async build(request: BuildRequest, options: BuildOptions = {}): Promise<BuildResult> {
    const { buildImage } = await lazy<typeof import("../build/build_image.ts")>(
      "../build/build_image.ts",
      import.meta.url,
    );
    return await buildImage(this.#paths, request, options);
  }

  async exportRoot(image: string, options: CallOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const { exportRoot } = await lazy<typeof import("../build/export_root.ts")>(
      "../build/export_root.ts",
      import.meta.url,
    );
    return await exportRoot(this.#paths, image, options);
  }

  async diskUsage(): Promise<CacheRecord[]> {
    const { listCache } = await lazy<typeof import("../build/prune_cache.ts")>(
      "../build/prune_cache.ts",
      import.meta.url,
    );
    return await listCache(this.#paths);
  }

  async prune(options: PruneCacheOptions = {}): Promise<PruneReport> {
    const { pruneBuildCache } = await lazy<typeof import("../build/prune_cache.ts")>(
      "../build/prune_cache.ts",
      import.meta.url,
    );
    return await pruneBuildCache(this.#paths, options);
  }
}
