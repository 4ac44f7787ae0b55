/**
 * The part of `Containers` that concerns a container's files, done in this process: `cp`, `diff`, `commit`, `export`.
 *
 * @module
 */
import { findContainer } from "../container/record.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { lazy } from "../lib/lazy.ts";
import type { CallOptions } from "../spec/streams.ts";
import type { CommitOptions, ContainerArchive, ContainerChange, PathStat } from "./engine.ts";

/** The files of one store's containers. Each method loads what it needs when it is called. */
export class ContainerFiles {
  readonly #paths: StorePaths;

  constructor(paths: StorePaths) {
    this.#paths = paths;
  }

  #find(name: string): string {
    return findContainer(this.#paths, name);
  }

  /** A tar stream of `path` in the container. */
  async archive(name: string, path: string, options: CallOptions = {}): Promise<ContainerArchive> {
    const { archiveContainer } = await lazy<typeof import("../container/archive.ts")>(
      "../container/archive.ts",
      import.meta.url,
    );
    try {
      return await archiveContainer(this.#paths, this.#find(name), path, options);
    } catch (error) {
      throw withName(error, name);
    }
  }

  /** Unpacks a tar stream into the directory `path` of the container. */
  async extract(
    name: string,
    path: string,
    tar: ReadableStream<Uint8Array>,
    options: CallOptions & { noOverwriteDirNonDir?: boolean; copyUidGid?: boolean } = {},
  ): Promise<void> {
    const { extractContainer } = await lazy<typeof import("../container/archive.ts")>(
      "../container/archive.ts",
      import.meta.url,
    );
    try {
      await extractContainer(this.#paths, this.#find(name), path, tar, options);
    } catch (error) {
      throw withName(error, name);
    }
  }

  /** What `path` in the container is. */
  async stat(name: string, path: string): Promise<PathStat> {
    const { statContainer } = await lazy<typeof import("../container/archive.ts")>(
      "../container/archive.ts",
      import.meta.url,
    );
    try {
      return await statContainer(this.#paths, this.#find(name), path);
    } catch (error) {
      throw withName(error, name);
    }
  }

  /** What it has changed of its image; parents before children. */
  async changes(name: string): Promise<ContainerChange[]> {
    const { containerChanges } = await lazy<typeof import("../container/changes.ts")>(
      "../container/changes.ts",
      import.meta.url,
    );
    return await containerChanges(this.#paths, this.#find(name));
  }

  /** Makes an image of it. Returns the image's id. */
  async commit(name: string, options: CommitOptions = {}): Promise<string> {
    const { commitContainer } = await lazy<typeof import("../container/commit.ts")>(
      "../container/commit.ts",
      import.meta.url,
    );
    return await commitContainer(this.#paths, this.#find(name), options);
  }

  /** A tar stream of its root, without what is mounted in it. */
  async export(name: string, options: CallOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const { exportContainer } = await lazy<typeof import("../container/archive.ts")>(
      "../container/archive.ts",
      import.meta.url,
    );
    return await exportContainer(this.#paths, this.#find(name), options);
  }
}

/** What works on the container's files does not know what the user called it. */
function withName(error: unknown, name: string): unknown {
  if (!(error instanceof DhowError) || !error.message.endsWith(" in container")) return error;
  return new DhowError(error.code, `${error.message} ${name}`, { cause: error });
}
