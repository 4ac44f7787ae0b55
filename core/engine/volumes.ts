/**
 * `Volumes`, done in this process.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import type { StorePaths } from "../host/paths.ts";
import type { VolumeCreate, VolumeInspect } from "../spec/docker_api.ts";
import type { PruneReport, Volumes } from "./engine.ts";

/** The volumes of one store. */
export class LocalVolumes implements Volumes {
  readonly #paths: StorePaths;

  constructor(paths: StorePaths) {
    this.#paths = paths;
  }

  async create(request: VolumeCreate = {}): Promise<VolumeInspect> {
    const { prepareStore } = await lazy<typeof import("../container/store_place.ts")>(
      "../container/store_place.ts",
      import.meta.url,
    );
    await prepareStore(this.#paths);
    const { createVolume } = await this.#load();
    return createVolume(this.#paths, request);
  }

  async inspect(name: string): Promise<VolumeInspect> {
    const { inspectVolume } = await this.#load();
    return inspectVolume(this.#paths, name);
  }

  async list(options: { filters?: Record<string, string[]> } = {}): Promise<VolumeInspect[]> {
    const { listVolumes } = await this.#load();
    return listVolumes(this.#paths, options.filters);
  }

  async remove(name: string): Promise<void> {
    const { removeVolume } = await this.#load();
    await removeVolume(this.#paths, name);
  }

  async prune(filters: Record<string, string[]> = {}): Promise<PruneReport> {
    const { pruneVolumes } = await this.#load();
    return await pruneVolumes(this.#paths, filters);
  }

  async #load() {
    return await lazy<typeof import("../container/volumes.ts")>(
      "../container/volumes.ts",
      import.meta.url,
    );
  }
}
