/**
 * What a build is asked for, what it tells meanwhile, and what it leaves.
 *
 * @module
 */
import type { Digest } from "../spec/image.ts";
import type { BuildWarning, Dockerfile, SourceRange } from "./dockerfile/ast.ts";

/** Files that a build may copy: a directory of the caller's, and what of it does not count. */
export interface BuildContext {
  /** Absolute path. Nothing outside of it is ever read: links out of it are refused. */
  directory: string;
  /** Lines of its `.dockerignore`; only `COPY`, `ADD` and `RUN --mount=type=bind` heed it. */
  ignore: readonly string[];
}

/** Where a `--build-context NAME=...` leads. */
export type NamedContext =
  | { kind: "directory"; context: BuildContext }
  /** A reference; in the store, or to be pulled. */
  | { kind: "image"; reference: string };

/** A secret: never in a layer, a cache key, the history or a log. */
export interface BuildSecret {
  /** What `--mount=type=secret,id=` says. */
  id: string;
  /** Read when the first RUN asks for it. @throws {DhowError} Naming the file or variable, never the content. */
  read(): Promise<Uint8Array>;
}

/** An agent's socket, or keys, for `--mount=type=ssh`. */
export interface BuildSsh {
  /** `default` if the user gave no name. */
  id: string;
  /** Path of an agent's socket. */
  socket: string;
}

/** `--cache-from` and `--cache-to`: `type=registry,ref=...`. */
export interface CacheTarget {
  /** `inline` only for `--cache-to`. */
  type: "registry" | "local" | "inline";
  /** The other keys: `ref`, `src`, `dest`, `mode`. */
  attributes: Readonly<Record<string, string>>;
}

/** Everything that decides what a build makes. */
export interface BuildRequest {
  /** Parsed, or made by mod.ts. */
  dockerfile: Dockerfile;
  /** Undefined: the Dockerfile came alone, and `COPY` finds nothing. */
  context?: BuildContext;
  /** By name, in lower case. */
  namedContexts: ReadonlyMap<string, NamedContext>;
  /** `--build-arg`; `null` takes the value of the environment, where it has one. */
  buildArgs: ReadonlyMap<string, string>;
  /** Name or number of the last stage to build. @default the last */
  target?: string;
  /** `linux/arm64`. @default this machine's */
  platform?: string;
  /** Added to the image's. */
  labels: Readonly<Record<string, string>>;
  /** Canonical references the image gets. */
  tags: readonly string[];
  /** For `--mount=type=secret`. */
  secrets: readonly BuildSecret[];
  /** For `--mount=type=ssh`. */
  ssh: readonly BuildSsh[];
  /** Do all again: everything, or the stages named. */
  noCache: boolean | readonly string[];
  /** Ask the registry for newer base images. */
  pull: boolean;
  /** Where finished steps may be taken from. */
  cacheFrom: readonly CacheTarget[];
  /** Where finished steps are to be sent. */
  cacheTo: readonly CacheTarget[];
  /** For RUN: `default`, `none`, `host`. */
  network: string;
  /** `NAME:IP` or `NAME:host-gateway`. */
  addHosts: readonly string[];
  /** Of /dev/shm in RUN. */
  shmSizeBytes?: number;
  /** `nofile=1024:2048`. */
  ulimits: readonly string[];
  /** All layers of this build become one. */
  squash: boolean;
  /** Unix seconds: all times in the image, and of files that are newer. */
  sourceDateEpoch?: number;
  /** `security.insecure` and `network.host`, where they were allowed. */
  entitlements: readonly string[];
}

/** Something that happens in a build. Steps are told apart by `id`. */
export type BuildEvent =
  /** It has begun. `name` is `[builder 2/5] RUN make`; steps of the same name are the same. */
  | { kind: "start"; id: string; name: string; range?: SourceRange; timeMs: number }
  /** It wrote. */
  | { kind: "log"; id: string; stream: "stdout" | "stderr"; bytes: Uint8Array; timeMs: number }
  /** A part of it goes on: a layer being pulled, a layer being exported. */
  | {
    kind: "status";
    id: string;
    part: string;
    currentBytes?: number;
    totalBytes?: number;
    isDone: boolean;
    timeMs: number;
  }
  /** It is over: done, found in the cache, failed, or given up because another failed. */
  | {
    kind: "end";
    id: string;
    outcome: "done" | "cached" | "failed" | "canceled";
    error?: string;
    timeMs: number;
  }
  | { kind: "warning"; warning: BuildWarning };

/** Is told what happens. Must not throw. */
export type BuildListener = (event: BuildEvent) => void;

/** What a build has made. */
export interface BuildResult {
  /** The image's id. */
  imageId: Digest;
  /** Digest of its manifest. */
  manifest: Digest;
  /** Which steps ran and which were found in the cache. */
  steps: { done: number; cached: number };
  /** Everything that was found fault with. */
  warnings: readonly BuildWarning[];
}
