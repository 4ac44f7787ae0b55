/**
 * `System`, done in this process: events, info, version.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import type { StorePaths } from "../host/paths.ts";
import type { DiskUsage, EventMessage } from "../spec/docker_api.ts";
import type { CallOptions } from "../spec/streams.ts";
import type { Engine, HostCheck, System, SystemPruneOptions, SystemPruneReport } from "./engine.ts";

/** What `docker version` and `info` report of the engine. */
export const API_VERSION = "1.51";

/** The machine and the store as a whole. */
export class LocalSystem implements System {
  readonly #paths: StorePaths;
  readonly #engine: Engine;

  constructor(paths: StorePaths, engine: Engine) {
    this.#paths = paths;
    this.#engine = engine;
  }

  async *events(
    options: CallOptions & {
      since?: bigint;
      until?: bigint;
      filters?: Record<string, string[]>;
    } = {},
  ): AsyncIterable<EventMessage> {
    const [{ followEvents }, { watchEvents }, { ensureLayout }] = await Promise.all([
      lazy<typeof import("../container/events.ts")>("../container/events.ts", import.meta.url),
      lazy<typeof import("../container/watch_events.ts")>(
        "../container/watch_events.ts",
        import.meta.url,
      ),
      lazy<typeof import("../store/layout.ts")>("../store/layout.ts", import.meta.url),
    ]);
    ensureLayout(this.#paths);
    using watcher = watchEvents(this.#paths);
    yield* followEvents(this.#paths.events, { ...options, changed: () => watcher.changed() });
  }

  async info(): Promise<Record<string, unknown>> {
    const { collectInfo } = await lazy<typeof import("./info.ts")>("./info.ts", import.meta.url);
    return await collectInfo(this.#paths, this.#engine);
  }

  async *check(): AsyncIterable<HostCheck> {
    const { checkHost } = await lazy<typeof import("./doctor.ts")>("./doctor.ts", import.meta.url);
    yield* checkHost(this.#paths);
  }

  async diskUsage(): Promise<DiskUsage> {
    const { collectDiskUsage } = await lazy<typeof import("./disk_usage.ts")>(
      "./disk_usage.ts",
      import.meta.url,
    );
    return await collectDiskUsage(this.#paths, this.#engine);
  }

  async prune(options: SystemPruneOptions = {}): Promise<SystemPruneReport> {
    const { all = false, filters = {} } = options;
    const containers = await this.#engine.containers.prune(filters);
    const networks = await this.#engine.networks.prune(filters);
    const volumes = options.volumes
      ? await this.#engine.volumes.prune(filters)
      : { removed: [], reclaimedBytes: 0 };
    const images = await this.#engine.images.prune({ all, filters });
    const { until, ...others } = filters;
    // What has been built has no labels.
    const buildCache = Object.keys(others).length > 0
      ? { removed: [], reclaimedBytes: 0 }
      : await this.#engine.builder.prune({ all, ...until && { filters: { until } } });
    return { containers, networks, volumes, images, buildCache };
  }

  async version(): Promise<Record<string, unknown>> {
    const { VERSION } = await lazy<typeof import("../version.ts")>(
      "../version.ts",
      import.meta.url,
    );
    return {
      Version: VERSION,
      ApiVersion: API_VERSION,
      MinAPIVersion: "1.24",
      Os: "linux",
      Arch: Deno.build.arch === "x86_64" ? "amd64" : "arm64",
      KernelVersion: Deno.osRelease(),
      DenoVersion: Deno.version.deno,
    };
  }
}
