/**
 * `Engine`: what a docker client can ask for, split by noun. The command line, mod.ts, compose and the API server see
 * only this; `local.ts` does it in-process, a remote one would do it over the Docker Engine API.
 *
 * Names of containers and images are what a user types: names, ids, unique prefixes of ids, references.
 *
 * @module
 */
import type {
  ContainerCreate,
  ContainerInspect,
  ContainerStatus,
  ContainerSummary,
  EventMessage,
  ExecConfig,
  HostConfig,
  ImageInspect,
  ImageSummary,
} from "../spec/docker_api.ts";
import type {
  AttachedStream,
  AttachOptions,
  CallOptions,
  LogRecord,
  LogsOptions,
} from "../spec/streams.ts";

/** The whole engine. */
export interface Engine extends AsyncDisposable {
  readonly containers: Containers;
  readonly images: Images;
  readonly system: System;
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
  restart(
    name: string,
    options?: CallOptions & { signalName?: string; timeoutSeconds?: number },
  ): Promise<void>;
  /** @param signalName Name with or without `SIG`, or a number. */
  kill(name: string, signalName?: string): Promise<void>;
  pause(name: string): Promise<void>;
  unpause(name: string): Promise<void>;
  /** Resolves with the exit code once the condition holds. */
  wait(
    name: string,
    options?: CallOptions & { condition?: "not-running" | "next-exit" | "removed" },
  ): Promise<number>;
  remove(
    name: string,
    options?: { force?: boolean; volumes?: boolean; link?: boolean },
  ): Promise<void>;
  rename(name: string, newName: string): Promise<void>;
  /** Changes what can be changed while running: restart policy and, later, limits. */
  update(name: string, changes: Partial<HostConfig>): Promise<{ warnings: string[] }>;
  inspect(name: string, options?: { size?: boolean }): Promise<ContainerInspect>;
  list(options?: ListContainersOptions): Promise<ContainerSummary[]>;
  /** Log records, oldest first; with `follow` until the container stops. */
  logs(name: string, options?: LogsOptions): AsyncIterable<LogRecord>;
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
}

/** What `cp` needs to know of a path inside a container. */
export interface PathStat {
  name: string;
  sizeBytes: number;
  /** st_mode as stat(2) gives it. */
  mode: number;
  mtimeMs: number;
  linkTarget: string;
}

/** A tar stream together with what it is of. */
export interface ContainerArchive {
  stat: PathStat;
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
  size?: boolean;
}

/** `docker image ...`, as far as it needs no registry. */
export interface Images {
  list(options?: {
    all?: boolean;
    filters?: Record<string, string[]>;
    digests?: boolean;
  }): Promise<ImageSummary[]>;
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
  /** Reads a docker-archive or OCI archive. */
  load(
    tar: ReadableStream<Uint8Array>,
    options?: CallOptions & { onProgress?: (line: string) => void },
  ): Promise<{ id: string; references: string[] }[]>;
  tag(source: string, target: string): Promise<void>;
  /** Untags, and deletes what no tag and no container needs. Answers in docker's order. */
  remove(
    name: string,
    options?: { force?: boolean; noPrune?: boolean },
  ): Promise<({ untagged: string } | { deleted: string })[]>;
}

/** `docker events`, `version`, `info`. */
export interface System {
  events(
    options?: CallOptions & {
      since?: bigint;
      until?: bigint;
      filters?: Record<string, string[]>;
    },
  ): AsyncIterable<EventMessage>;
  info(): Promise<Record<string, unknown>>;
  version(): Promise<Record<string, unknown>>;
}

export type { ContainerStatus };
export type {
  AttachedStream,
  AttachOptions,
  CallOptions,
  LogRecord,
  LogsOptions,
  OutputChunk,
} from "../spec/streams.ts";
