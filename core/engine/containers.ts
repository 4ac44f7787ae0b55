/**
 * `Containers`, done in this process. Each method loads what it needs when it is called.
 *
 * @module
 */
import { isThere } from "../host/stat.ts";
import { lazy } from "../lib/lazy.ts";
import {
  containerDirectory,
  containerIds,
  type ContainerRecord,
  findContainer,
  readRecord,
} from "../container/record.ts";
import { readState, type State } from "../container/state.ts";
import { DhowError } from "../errors.ts";
import { mendNetworks } from "../container/mend.ts";
import { containerPorts, summaryPorts } from "../container/ports_record.ts";
import type { StorePaths } from "../host/paths.ts";
import type { ImageUser } from "../image/image_users.ts";
import type { ResolvedImage } from "../image/resolve.ts";
import type {
  ContainerCreate,
  ContainerInspect,
  ContainerStats,
  ContainerSummary,
  ExecConfig,
  HostConfig,
} from "../spec/docker_api.ts";
import type {
  AttachedStream,
  AttachOptions,
  CallOptions,
  LogRecord,
  LogsOptions,
} from "../spec/streams.ts";
import { ContainerFiles } from "./container_files.ts";
import type { Containers, ListContainersOptions, PruneReport } from "./engine.ts";

/** The containers of one store. */
export class LocalContainers extends ContainerFiles implements Containers {
  readonly #paths: StorePaths;

  constructor(paths: StorePaths) {
    super(paths);
    this.#paths = paths;
  }

  #find(name: string): string {
    return findContainer(this.#paths, name);
  }

  async create(
    request: ContainerCreate,
    _options: CallOptions = {},
  ): Promise<{ id: string; warnings: string[] }> {
    const [{ createContainer }, settings, { logContainerEvent }] = await Promise.all([
      lazy<typeof import("../container/create.ts")>("../container/create.ts", import.meta.url),
      lazy<typeof import("../container/host_config.ts")>(
        "../container/host_config.ts",
        import.meta.url,
      ),
      lazy<typeof import("../container/container_event.ts")>(
        "../container/container_event.ts",
        import.meta.url,
      ),
    ]);
    settings.assertSettings(request.config, request.hostConfig);
    const hostConfig = settings.completeHostConfig(request.hostConfig);
    const image = await this.#resolveImage(request.config.Image);
    const create = () => createContainer(this.#paths, image, { ...request, hostConfig });
    // The name may be that of a container which was to go with its end, and whose machine went first.
    const record = await create().catch(async (error) => {
      if (!(error instanceof DhowError) || error.code !== "conflict") throw error;
      const before = containerIds(this.#paths).length;
      if ((await this.#tidyList()).length === before) throw error;
      return await create();
    });
    logContainerEvent(this.#paths, record, "create");
    return { id: record.id, warnings: createWarnings(request.hostConfig) };
  }

  /** Where there is a service manager, what runs in the background may end with the session. */
  async #sayWhenItEnds(): Promise<void> {
    const [{ endsWithSession, LINGER_COMMAND }, { notice }] = await Promise.all([
      lazy<typeof import("../host/linger.ts")>("../host/linger.ts", import.meta.url),
      lazy<typeof import("../host/notice.ts")>("../host/notice.ts", import.meta.url),
    ]);
    if (!endsWithSession()) return;
    notice(
      `${this.#paths.runtime}/linger.noticed`,
      `dhow: Containers in the background end when you log out; to let them live on: ${LINGER_COMMAND}`,
    );
  }

  async #resolveImage(name: string): Promise<ResolvedImage> {
    const { resolveImage } = await lazy<typeof import("../image/resolve.ts")>(
      "../image/resolve.ts",
      import.meta.url,
    );
    try {
      return resolveImage(this.#paths, name);
    } catch (error) {
      if (!(error instanceof DhowError) || error.code !== "not_found") throw error;
      const { ensureBuiltinImage } = await lazy<typeof import("../image/builtin_image.ts")>(
        "../image/builtin_image.ts",
        import.meta.url,
      );
      const { prepareStore } = await lazy<typeof import("../container/store_place.ts")>(
        "../container/store_place.ts",
        import.meta.url,
      );
      await prepareStore(this.#paths);
      if (!await ensureBuiltinImage(this.#paths, name)) throw error;
      return resolveImage(this.#paths, name);
    }
  }

  async start(name: string, _options: CallOptions = {}): Promise<void> {
    const { startContainer } = await lazy<typeof import("../container/start.ts")>(
      "../container/start.ts",
      import.meta.url,
    );
    const started = await startContainer(this.#paths, this.#find(name));
    started?.stdin?.close();
    if (isThere("/run/systemd/system")) await this.#sayWhenItEnds();
  }

  async startAttached(name: string, options: AttachOptions = {}): Promise<AttachedStream> {
    const [{ startAttached }, { finishRun }] = await Promise.all([
      lazy<typeof import("../container/attach.ts")>("../container/attach.ts", import.meta.url),
      lazy<typeof import("../container/finish.ts")>("../container/finish.ts", import.meta.url),
    ]);
    return await startAttached(this.#paths, this.#find(name), options, finishRun);
  }

  /** The program that starting the container would run, as text. */
  async explain(name: string): Promise<string> {
    const { explainStart } = await lazy<typeof import("../container/start.ts")>(
      "../container/start.ts",
      import.meta.url,
    );
    return await explainStart(this.#paths, this.#find(name));
  }

  async attach(name: string, options: AttachOptions = {}): Promise<AttachedStream> {
    const { attachContainer } = await lazy<typeof import("../container/attach.ts")>(
      "../container/attach.ts",
      import.meta.url,
    );
    const id = this.#find(name);
    const stream = attachContainer(this.#paths, id, options);
    const { logContainerEvent } = await lazy<typeof import("../container/container_event.ts")>(
      "../container/container_event.ts",
      import.meta.url,
    );
    logContainerEvent(this.#paths, readRecord(this.#paths, id), "attach");
    return stream;
  }

  async stop(
    name: string,
    options: CallOptions & { signalName?: string; timeoutSeconds?: number } = {},
  ): Promise<void> {
    const { stopContainer } = await lazy<typeof import("../container/stop.ts")>(
      "../container/stop.ts",
      import.meta.url,
    );
    await stopContainer(this.#paths, this.#find(name), options);
  }

  async restart(
    name: string,
    options: CallOptions & { signalName?: string; timeoutSeconds?: number } = {},
  ): Promise<void> {
    const [{ stopContainer }, { finishRun }, { startContainer }, events] = await Promise.all([
      lazy<typeof import("../container/stop.ts")>("../container/stop.ts", import.meta.url),
      lazy<typeof import("../container/finish.ts")>("../container/finish.ts", import.meta.url),
      lazy<typeof import("../container/start.ts")>("../container/start.ts", import.meta.url),
      lazy<typeof import("../container/container_event.ts")>(
        "../container/container_event.ts",
        import.meta.url,
      ),
    ]);
    const id = this.#find(name);
    const record = readRecord(this.#paths, id);
    await stopContainer(this.#paths, id, options);
    const keep = { ...record, hostConfig: { ...record.hostConfig, AutoRemove: false } };
    await finishRun(this.#paths, keep);
    const started = await startContainer(this.#paths, id);
    started?.stdin?.close();
    events.logContainerEvent(this.#paths, record, "restart");
  }

  async kill(name: string, signalName?: string): Promise<void> {
    const { killContainer } = await lazy<typeof import("../container/stop.ts")>(
      "../container/stop.ts",
      import.meta.url,
    );
    try {
      killContainer(this.#paths, this.#find(name), signalName);
    } catch (error) {
      if (!(error instanceof DhowError)) throw error;
      throw new DhowError(error.code, `cannot kill container: ${name}: ${error.message}`, {
        cause: error,
      });
    }
  }

  async pause(name: string): Promise<void> {
    const { pauseContainer } = await lazy<typeof import("../container/stop.ts")>(
      "../container/stop.ts",
      import.meta.url,
    );
    await pauseContainer(this.#paths, this.#find(name));
  }

  async unpause(name: string): Promise<void> {
    const { unpauseContainer } = await lazy<typeof import("../container/stop.ts")>(
      "../container/stop.ts",
      import.meta.url,
    );
    await unpauseContainer(this.#paths, this.#find(name));
  }

  async wait(
    name: string,
    options: CallOptions & { condition?: "not-running" | "next-exit" | "removed" } = {},
  ): Promise<number> {
    const { waitContainer } = await lazy<typeof import("../container/wait.ts")>(
      "../container/wait.ts",
      import.meta.url,
    );
    return await waitContainer(this.#paths, this.#find(name), options);
  }

  async remove(
    name: string,
    options: { force?: boolean; volumes?: boolean; link?: boolean } = {},
  ): Promise<void> {
    const { removeContainer } = await lazy<typeof import("../container/remove.ts")>(
      "../container/remove.ts",
      import.meta.url,
    );
    await removeContainer(this.#paths, this.#find(name), options);
  }

  async rename(name: string, newName: string): Promise<void> {
    const [{ renameContainer }, { logContainerEvent }] = await Promise.all([
      lazy<typeof import("../container/reserve_name.ts")>(
        "../container/reserve_name.ts",
        import.meta.url,
      ),
      lazy<typeof import("../container/container_event.ts")>(
        "../container/container_event.ts",
        import.meta.url,
      ),
    ]);
    const record = readRecord(this.#paths, this.#find(name));
    renameContainer(this.#paths, record, newName);
    const renamed = readRecord(this.#paths, record.id);
    logContainerEvent(this.#paths, renamed, "rename", { oldName: `/${record.name}` });
  }

  async update(name: string, changes: Partial<HostConfig>): Promise<{ warnings: string[] }> {
    const { updateContainer } = await lazy<typeof import("../container/update.ts")>(
      "../container/update.ts",
      import.meta.url,
    );
    updateContainer(this.#paths, this.#find(name), changes);
    return { warnings: [] };
  }

  async *stats(
    name: string,
    options: CallOptions & { stream?: boolean; oneShot?: boolean } = {},
  ): AsyncGenerator<ContainerStats> {
    const { followStats } = await lazy<typeof import("../container/stats.ts")>(
      "../container/stats.ts",
      import.meta.url,
    );
    yield* followStats(this.#paths, this.#find(name), options);
  }

  async inspect(name: string, options: { size?: boolean } = {}): Promise<ContainerInspect> {
    const [{ inspectContainer }, { containerNetworks }, { findUnpacked }] = await Promise.all([
      lazy<typeof import("../container/inspect.ts")>("../container/inspect.ts", import.meta.url),
      lazy<typeof import("../container/container_networks.ts")>(
        "../container/container_networks.ts",
        import.meta.url,
      ),
      lazy<typeof import("../image/ensure_unpacked.ts")>(
        "../image/ensure_unpacked.ts",
        import.meta.url,
      ),
    ]);
    const id = this.#find(name);
    const record = readRecord(this.#paths, id);
    const directory = containerDirectory(this.#paths, id);
    const lowerDirs = findUnpacked(this.#paths, record.image.diffIds, record.idMap)?.reverse();
    const { containerSize } = await lazy<typeof import("../container/size.ts")>(
      "../container/size.ts",
      import.meta.url,
    );
    const state = readState(directory);
    return inspectContainer(record, state, {
      directory,
      networks: containerNetworks(this.#paths, record, state),
      ports: containerPorts(this.#paths, record, state),
      ...lowerDirs && { lowerDirs },
      ...options.size && { size: containerSize(this.#paths, record) },
    });
  }

  async list(options: ListContainersOptions = {}): Promise<ContainerSummary[]> {
    await mendNetworks(this.#paths);
    const { summarize } = await lazy<typeof import("../container/list.ts")>(
      "../container/list.ts",
      import.meta.url,
    );
    const { filterContainers } = await lazy<typeof import("../container/filters.ts")>(
      "../container/filters.ts",
      import.meta.url,
    );
    const { containerNetworks } = await lazy<typeof import("../container/container_networks.ts")>(
      "../container/container_networks.ts",
      import.meta.url,
    );
    const containers = (await this.#tidyList()).map(({ record, state }) => ({
      record,
      state,
      networks: () => containerNetworks(this.#paths, record, state),
    }));
    const { size, ...rest } = options;
    const found = filterContainers(containers, {
      ...rest,
      ...options.filters?.ancestor && { ancestorIds: await this.#ancestors() },
    });
    const rows = found.map(({ record, state, networks }) =>
      summarize(record, state, {
        networks: networks?.() ?? {},
        ports: summaryPorts(containerPorts(this.#paths, record, state)),
      })
    );
    if (!size) return rows;
    const { containerSize } = await lazy<typeof import("../container/size.ts")>(
      "../container/size.ts",
      import.meta.url,
    );
    return rows.map((row, i) => {
      const { rw, rootFs } = containerSize(this.#paths, found[i]!.record);
      return { ...row, SizeRw: rw, SizeRootFs: rootFs };
    });
  }

  async #ancestors(): Promise<(name: string) => readonly string[]> {
    const { resolveImageId } = await lazy<typeof import("../image/resolve.ts")>(
      "../image/resolve.ts",
      import.meta.url,
    );
    return (name) => {
      try {
        return [resolveImageId(this.#paths, name)];
      } catch (error) {
        if (error instanceof DhowError && error.code === "not_found") return [];
        throw error;
      }
    };
  }

  /** All containers; those that were to go with their end, and whose dhow died before, go now. */
  async #tidyList(): Promise<{ record: ContainerRecord; state: State }[]> {
    const containers = this.#all();
    const left = containers.filter(({ record, state }) => isForgotten(record, state));
    if (left.length === 0) return containers;
    const { finishRun } = await lazy<typeof import("../container/finish.ts")>(
      "../container/finish.ts",
      import.meta.url,
    );
    for (const { record } of left) await finishRun(this.#paths, record).catch(() => {});
    return containers.filter((container) => !left.includes(container));
  }

  #all(): { record: ContainerRecord; state: State }[] {
    return containerIds(this.#paths).flatMap((id) => {
      try {
        const record = readRecord(this.#paths, id);
        return [{ record, state: readState(containerDirectory(this.#paths, id)) }];
      } catch {
        return []; // removed meanwhile
      }
    });
  }

  async prune(filters: Record<string, string[]> = {}): Promise<PruneReport> {
    const { pruneContainers } = await lazy<typeof import("../container/prune.ts")>(
      "../container/prune.ts",
      import.meta.url,
    );
    return await pruneContainers(this.#paths, filters);
  }

  /** All containers, as their images see them. */
  imageUsers(): ImageUser[] {
    return this.#all().flatMap(({ record, state }) =>
      [record.image, ...record.images ?? []].map(({ id, diffIds }) => ({
        containerId: record.id,
        imageId: id,
        running: state.pid > 0,
        diffIds,
      }))
    );
  }

  async *logs(name: string, options: LogsOptions = {}): AsyncIterable<LogRecord> {
    const { readContainerLog } = await lazy<typeof import("../container/read_log.ts")>(
      "../container/read_log.ts",
      import.meta.url,
    );
    yield* readContainerLog(this.#paths, this.#find(name), options);
  }

  async top(
    name: string,
    psArgs?: string[],
  ): Promise<{ titles: string[]; processes: string[][] }> {
    const { topContainer } = await lazy<typeof import("../container/container_top.ts")>(
      "../container/container_top.ts",
      import.meta.url,
    );
    return topContainer(this.#paths, this.#find(name), psArgs);
  }

  async exec(
    name: string,
    config: ExecConfig,
    options: AttachOptions = {},
  ): Promise<AttachedStream> {
    await mendNetworks(this.#paths);
    const { execAttached } = await lazy<typeof import("../container/exec.ts")>(
      "../container/exec.ts",
      import.meta.url,
    );
    return await execAttached(this.#paths, this.#find(name), config, options);
  }

  async execDetached(name: string, config: ExecConfig): Promise<void> {
    await mendNetworks(this.#paths);
    const { execDetached } = await lazy<typeof import("../container/exec.ts")>(
      "../container/exec.ts",
      import.meta.url,
    );
    await execDetached(this.#paths, this.#find(name), config);
  }
}

function isForgotten(record: ContainerRecord, state: State): boolean {
  if (!record.hostConfig.AutoRemove || state.status !== "exited") return false;
  // Its monitor has just ended: whoever waits for it is about to remove it.
  return BigInt(Date.now()) * 1_000_000n - state.finishedAt > 2_000_000_000n;
}

/** What of the settings means nothing, in docker's words. */
function createWarnings({ NetworkMode, PortBindings, MemorySwappiness }: HostConfig): string[] {
  const isPublished = Object.keys(PortBindings ?? {}).length > 0;
  return [
    ...NetworkMode === "host" && isPublished
      ? ["Published ports are discarded when using host network mode"]
      : [],
    ...(MemorySwappiness ?? -1) >= 0
      ? [
        "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.",
      ]
      : [],
  ];
}
