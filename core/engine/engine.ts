/**
 * `Engine`: what a docker client can ask for, split by noun. The command line, mod.ts, compose and the API server see
 * only this; `local.ts` does it in-process, a remote one would do it over the Docker Engine API.
 *
 * Names of containers and images are what a user types: names, ids, unique prefixes of ids, references.
 *
 * @module
 */
import type { CacheRecord } from "../build/prune_cache.ts";
import type { BuildListener, BuildRequest, BuildResult } from "../build/request.ts";
import type {
  ContainerCreate,
  ContainerInspect,
  ContainerStats,
  ContainerStatus,
  ContainerSummary,
  DiskUsage,
  EndpointConfig,
  EventMessage,
  ExecConfig,
  HostConfig,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
  NetworkCreate,
  NetworkInspect,
  VolumeCreate,
  VolumeInspect,
} from "../spec/docker_api.ts";
import type { ProgressListener, PulledImage, PushedImage } from "../spec/progress.ts";
import type {
  AttachedStream,
  AttachOptions,
  CallOptions,
  LogRecord,
  LogsOptions,
} from "../spec/streams.ts";

/** The whole engine. */
export interface Engine extends AsyncDisposable {
  /** `docker build`, `docker builder ...`. */
  readonly builder: Builder;
  /** `docker container ...`. */
  readonly containers: Containers;
  /** `docker image ...`. */
  readonly images: Images;
  /** `docker network ...`. */
  readonly networks: Networks;
  /** `docker system ...`. */
  readonly system: System;
  /** `docker volume ...`. */
  readonly volumes: Volumes;
}

/** `docker build`, `docker builder ...`. */
export interface Builder {
  /**
   * Builds an image. Steps that were finished before a failure or an abort are in the cache, and nothing else is left.
   *
   * @throws {DhowError} For the first step that failed; `DockerfileError` and `BuildError` say where.
   */
  build(request: BuildRequest, options?: BuildOptions): Promise<BuildResult>;
  /** A tar stream of everything below an image's root. */
  exportRoot(image: string, options?: CallOptions): Promise<ReadableStream<Uint8Array>>;
  /** What is in the build cache, what was used last first. */
  diskUsage(): Promise<CacheRecord[]>;
  /** Removes what later builds could have been spared for, the least used first. */
  prune(options?: PruneCacheOptions): Promise<PruneReport>;
}

/** How to build. */
export interface BuildOptions extends CallOptions {
  /** Told what happens. */
  onEvent?: BuildListener;
}

/** Which part of the build cache goes. */
export interface PruneCacheOptions extends CallOptions {
  /** Also what was used lately. @default false */
  all?: boolean;
  /** Docker's filters: `{until: ["24h"]}`. */
  filters?: Record<string, string[]>;
  /** How much may stay. @default nothing */
  keepStorageBytes?: number;
}

/** `docker volume ...`. */
export interface Volumes {
  /** Makes a volume; one that is there already is left as it is. */
  create(request?: VolumeCreate): Promise<VolumeInspect>;
  /** What `docker volume inspect` shows. */
  inspect(name: string): Promise<VolumeInspect>;
  /** By name. Filters: `dangling`, `driver`, `label`, `name`. */
  list(options?: { filters?: Record<string, string[]> }): Promise<VolumeInspect[]>;
  /** Removes one that no container uses. */
  remove(name: string): Promise<void>;
  /** Removes those without a name that no container uses. Filters: `all`, `label`, `label!`. */
  prune(filters?: Record<string, string[]>): Promise<PruneReport>;
}

/** `docker container ...`. */
export interface Containers {
  /** Creates a container without starting it. The image must be in the store. */
  create(
    request: ContainerCreate,
    options?: CallOptions,
  ): Promise<{ id: string; warnings: string[] }>;
  /** Starts a created or exited container; starting a running one does nothing. */
  start(name: string, options?: CallOptions): Promise<void>;
  /**
   * Starts a container and attaches to it before its first byte; what `docker run` without `-d` does.
   * Cheaper than `attach()` then `start()`.
   */
  startAttached(name: string, options?: AttachOptions): Promise<AttachedStream>;
  /** The program that a start would run, one line a call; nothing is started. */
  explain(name: string): Promise<string>;
  /** Attaches to a running container. */
  attach(name: string, options?: AttachOptions): Promise<AttachedStream>;
  /** Asks with the stop signal, kills after the timeout. Resolves when the container has exited. */
  stop(
    name: string,
    options?: CallOptions & { signalName?: string; timeoutSeconds?: number },
  ): Promise<void>;
  /** Stops it if it runs, then starts it. */
  restart(
    name: string,
    options?: CallOptions & { signalName?: string; timeoutSeconds?: number },
  ): Promise<void>;
  /**
   * Sends a signal to its main process, SIGKILL by default.
   *
   * @param signalName Name with or without `SIG`, or a number.
   */
  kill(name: string, signalName?: string): Promise<void>;
  /** Freezes all its processes. */
  pause(name: string): Promise<void>;
  /** Lets its processes go on. */
  unpause(name: string): Promise<void>;
  /** Resolves with the exit code once the condition holds. */
  wait(
    name: string,
    options?: CallOptions & { condition?: "not-running" | "next-exit" | "removed" },
  ): Promise<number>;
  /** Removes it; a running one only with `force`, which kills it. `volumes` removes its anonymous volumes too. */
  remove(
    name: string,
    options?: { force?: boolean; volumes?: boolean; link?: boolean },
  ): Promise<void>;
  /** Gives it another name. */
  rename(name: string, newName: string): Promise<void>;
  /** Changes what can be changed while running: restart policy and limits. */
  update(name: string, changes: Partial<HostConfig>): Promise<{ warnings: string[] }>;
  /** What `docker inspect` shows; with `size` also how large it is. */
  inspect(name: string, options?: { size?: boolean }): Promise<ContainerInspect>;
  /** What `docker ps` shows, newest first. */
  list(options?: ListContainersOptions): Promise<ContainerSummary[]>;
  /** Log records, oldest first; with `follow` until the container stops. */
  logs(name: string, options?: LogsOptions): AsyncIterable<LogRecord>;
  /**
   * What it uses, once a second with `stream`, until it is removed; without, once. A measurement brings the one a second
   * before along, so that the first takes a second; with `oneShot` it does not.
   */
  stats(
    name: string,
    options?: CallOptions & { stream?: boolean; oneShot?: boolean },
  ): AsyncIterable<ContainerStats>;
  /** Its processes as ps(1) shows them; `psArgs` are ps's options. */
  top(name: string, psArgs?: string[]): Promise<{ titles: string[]; processes: string[][] }>;
  /** Runs another process in a running container, attached. */
  exec(name: string, config: ExecConfig, options?: AttachOptions): Promise<AttachedStream>;
  /** Starts another process in a running container and leaves it alone. */
  execDetached(name: string, config: ExecConfig): Promise<void>;
  /** A tar stream of `path` in the container, as `docker cp CONTAINER:PATH -`. */
  archive(name: string, path: string, options?: CallOptions): Promise<ContainerArchive>;
  /** Unpacks a tar stream into the directory `path` of the container. */
  extract(
    name: string,
    path: string,
    tar: ReadableStream<Uint8Array>,
    options?: CallOptions & { noOverwriteDirNonDir?: boolean; copyUidGid?: boolean },
  ): Promise<void>;
  /** What `path` in the container is; links are not followed. */
  stat(name: string, path: string): Promise<PathStat>;
  /** A tar stream of its root, without what is mounted in it, as `docker export`. */
  export(name: string, options?: CallOptions): Promise<ReadableStream<Uint8Array>>;
  /** What it has changed of its image, parents before children, as `docker diff`. */
  changes(name: string): Promise<ContainerChange[]>;
  /** Makes an image of its image and what it has changed. Returns the new image's id. */
  commit(name: string, options?: CommitOptions): Promise<string>;
  /** Removes all that are stopped and pass the filters, `until` and `label`. */
  prune(filters?: Record<string, string[]>): Promise<PruneReport>;
}

/** One line of `docker diff`. */
export interface ContainerChange {
  /** Docker's `C`, `A` and `D`. */
  kind: "modified" | "added" | "deleted";
  /** In the container, with a leading slash. */
  path: string;
}

/** How to make an image of a container. */
export interface CommitOptions extends CallOptions {
  /** The new image's name. */
  reference?: string;
  /** Who made it. */
  author?: string;
  /** What was done. */
  message?: string;
  /** Dockerfile instructions: `ENV A=b`. */
  changes?: string[];
  /** Stop a running container's processes meanwhile. @default true */
  pause?: boolean;
}

/** How to save images. */
export interface SaveOptions {
  /** `docker-archive` is an OCI layout too. @default "docker-archive" */
  format?: "docker-archive" | "oci";
  /** `linux/arm64`. @default whatever the image is for */
  platform?: string;
}

/** What pruning has removed. */
export interface PruneReport {
  /** Ids, or `untagged: NAME` and `deleted: DIGEST` of images, in docker's order. */
  removed: string[];
  /** How many bytes that has freed. */
  reclaimedBytes: number;
}

/** What `cp` needs to know of a path inside a container. */
export interface PathStat {
  /** The last part of the path. */
  name: string;
  /** As stat(2) gives it. */
  sizeBytes: number;
  /** st_mode as stat(2) gives it. */
  mode: number;
  /** Unix milliseconds. */
  mtimeMs: number;
  /** Where a symbolic link points; empty for anything else. */
  linkTarget: string;
}

/** A tar stream together with what it is of. */
export interface ContainerArchive {
  /** The path itself. */
  stat: PathStat;
  /** Uncompressed; cancel it if it is not read to the end. */
  tar: ReadableStream<Uint8Array>;
}

/** Which containers to list. */
export interface ListContainersOptions {
  /** Also those that are not running. */
  all?: boolean;
  /** Only the newest n, whatever their state. */
  last?: number;
  /** Docker's filters: `{status: ["exited"], label: ["a=b"]}`. */
  filters?: Record<string, string[]>;
  /** Also measure them, which takes a while. @default false */
  size?: boolean;
}

/** How to pull and push. */
export interface TransferOptions extends CallOptions {
  /** `linux/arm64`. @default this machine's when pulling, all when pushing */
  platform?: string;
  /** All tags of the repository. @default false */
  allTags?: boolean;
  /** Told what happens to each layer. */
  onProgress?: ProgressListener;
}

/** `docker image ...`. */
export interface Images {
  /** What `docker images` shows, newest first. */
  list(options?: {
    all?: boolean;
    filters?: Record<string, string[]>;
    digests?: boolean;
  }): Promise<ImageSummary[]>;
  /** What `docker image inspect` shows. */
  inspect(name: string): Promise<ImageInspect>;
  /** Makes an image of one layer from a root file system's tar, compressed or not. Returns the image's id. */
  import(
    tar: ReadableStream<Uint8Array>,
    options?: CallOptions & {
      reference?: string;
      message?: string;
      changes?: string[];
      platform?: string;
    },
  ): Promise<string>;
  /**
   * Fetches an image from a registry, or with `allTags` all of a repository. Aborting leaves what can be gone on with,
   * and nothing else.
   */
  pull(name: string, options?: TransferOptions): Promise<PulledImage[]>;
  /** Sends an image to the registry that its name says, or with `allTags` all tags of its repository. */
  push(name: string, options?: TransferOptions): Promise<PushedImage[]>;
  /** Reads a docker-archive or OCI archive. */
  load(
    tar: ReadableStream<Uint8Array>,
    options?: CallOptions & { onProgress?: (line: string) => void; platform?: string },
  ): Promise<{ id: string; references: string[] }[]>;
  /** The steps it was made in, the newest first. */
  history(name: string): Promise<ImageHistoryItem[]>;
  /** An archive of images, as `docker save`; a name without a tag means all tags of the repository. */
  save(names: readonly string[], options?: SaveOptions): Promise<ReadableStream<Uint8Array>>;
  /** Removes images without names, or with `all` all that no container uses. Filters: `until`, `label`. */
  prune(
    options?: { all?: boolean; filters?: Record<string, string[]> },
  ): Promise<PruneReport>;
  /**
   * Fetches an image from, or sends it to, dhow on another machine; only missing blobs travel.
   *
   * @param address `ssh://[USER@]HOST[:PORT]/IMAGE[:TAG]`; without an image all that have names.
   */
  transfer(
    verb: "pull" | "push",
    address: string,
    options?: TransferOptions & { remoteDhow?: string },
  ): Promise<{ id: string; references: string[] }[]>;
  /** Gives an image another name; whatever had that name loses it. */
  tag(source: string, target: string): Promise<void>;
  /** Untags, and deletes what no tag and no container needs. Answers in docker's order. */
  remove(
    name: string,
    options?: { force?: boolean; noPrune?: boolean },
  ): Promise<({ untagged: string } | { deleted: string })[]>;
}

/** `docker network ...`. */
export interface Networks {
  /** Makes a bridge network. */
  create(name: string, request?: NetworkCreate): Promise<{ id: string; warnings: string[] }>;
  /** What `docker network ls` shows, by name; without the containers in them. */
  list(options?: { filters?: Record<string, string[]> }): Promise<NetworkInspect[]>;
  /** What `docker network inspect` shows. */
  inspect(name: string): Promise<NetworkInspect>;
  /** Removes a network that no running container is in. */
  remove(name: string): Promise<void>;
  /** Removes all that no running container is in. Filters: `until`, `label`. Returns their names. */
  prune(filters?: Record<string, string[]>): Promise<string[]>;
  /** Connects a container to a network; a running one at once. */
  connect(name: string, container: string, config?: EndpointConfig): Promise<void>;
  /** Disconnects it again. With `force` the network need not be there any more. */
  disconnect(name: string, container: string, options?: { force?: boolean }): Promise<void>;
}

/** `docker events`, `version`, `info`. */
export interface System {
  /** Events that were and, until `until` or an abort, events to come. */
  events(
    options?: CallOptions & {
      since?: bigint;
      until?: bigint;
      filters?: Record<string, string[]>;
    },
  ): AsyncIterable<EventMessage>;
  /** What `docker info` shows. */
  info(): Promise<Record<string, unknown>>;
  /** What this machine gives, what it keeps, and what mends that. */
  check(): AsyncIterable<HostCheck>;
  /** What everything takes on the disk. Takes as long as du(1). */
  diskUsage(): Promise<DiskUsage>;
  /** Removes unused containers, networks, images and, with `volumes`, anonymous volumes. */
  prune(options?: SystemPruneOptions): Promise<SystemPruneReport>;
  /** What `docker version` shows. */
  version(): Promise<Record<string, unknown>>;
}

/** One thing that was looked at. */
export interface HostCheck {
  /** `storage`. */
  name: string;
  /** `warning`: containers run, but something is slower, or lacking. */
  state: "ok" | "warning" | "failed";
  /** What there is. */
  found: string;
  /** The command, or what else mends it. */
  remedy?: string;
}

/** What `docker system prune` removes. */
export interface SystemPruneOptions {
  /** Not only images without names. */
  all?: boolean;
  /** Anonymous volumes too. */
  volumes?: boolean;
  /** `until`, `label`, `label!`. */
  filters?: Record<string, string[]>;
}

/** What `docker system prune` has removed, kind by kind. */
export interface SystemPruneReport {
  /** Stopped containers. */
  containers: PruneReport;
  /** The names of networks nobody is in. */
  networks: string[];
  /** Anonymous volumes. */
  volumes: PruneReport;
  /** Unused images. */
  images: PruneReport;
  /** What the build cache has that no image is made of. */
  buildCache: PruneReport;
}

export type { ContainerStatus };
export type {
  LayerProgress,
  ProgressListener,
  PulledImage,
  PushedImage,
  TransferMessage,
  TransferProgress,
  TransferStatus,
} from "../spec/progress.ts";
export type {
  AttachedStream,
  AttachOptions,
  CallOptions,
  LogRecord,
  LogsOptions,
  OutputChunk,
} from "../spec/streams.ts";
