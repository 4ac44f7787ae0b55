/**
 * `docker cp`: what a container's path is, its content as a tar stream, and a tar stream into it.
 *
 * The work is done by a second dhow in the user namespace (`dhow __archive`, archive_inside.ts), whose root directory is
 * the container's while it touches files: nothing a container does meanwhile leads it out.
 *
 * @module
 */
import { O_RDWR, POLLIN } from "../../ffi/abi/constants.ts";
import { type Fd, open, pipe, pollAsync, read, write } from "../../ffi/fd.ts";
import { DhowError } from "../errors.ts";
import { fromWire, type WireError } from "../lib/wire_error.ts";
import type { StorePaths } from "../host/paths.ts";
import { isThere } from "../host/stat.ts";
import { startInside } from "../runtime/inside.ts";
import { ensureUserNamespace } from "../runtime/userns.ts";
import type { MountPoint } from "../spec/docker_api.ts";
import type { CallOptions } from "../spec/streams.ts";
import { readVolume } from "../volume/volume.ts";
import { volumeMount } from "../volume/volume_options.ts";
import type { ArchiveBind, ArchiveRequest, ArchiveRoot, InsidePathStat } from "./archive_inside.ts";
import type { StoppedRoot } from "./mount_root.ts";
import { layersOf } from "./container_layers.ts";
import { containerDirectory, type ContainerRecord, readRecord } from "./record.ts";
import { stoppedRoot } from "./root_layers.ts";
import { isRunning, readState } from "./state.ts";

/** How to unpack. */
export interface ExtractOptions extends CallOptions {
  /** Refuse to put a file in a directory's place or the other way round. */
  noOverwriteDirNonDir?: boolean;
  /** Give everything to the container's user, if it has one; else the archive's owners count. */
  copyUidGid?: boolean;
}

/** What `path` in the container is; a link is not followed. @throws {DhowError} `not_found` in docker's words. */
export async function statContainer(
  paths: StorePaths,
  id: string,
  path: string,
): Promise<InsidePathStat> {
  const call = await startCall(paths, id, { op: "stat", path });
  const { stat } = await call.answer();
  await call.end();
  return stat!;
}

/** A tar stream of `path`. @throws {DhowError} `not_found` in docker's words. */
export async function archiveContainer(
  paths: StorePaths,
  id: string,
  path: string,
  options: CallOptions = {},
): Promise<{ stat: InsidePathStat; tar: ReadableStream<Uint8Array> }> {
  const call = await startCall(paths, id, { op: "archive", path }, options.signal);
  const { stat } = await call.answer();
  return { stat: stat!, tar: outputOf(call) };
}

/** A tar stream of a container's whole root, as `docker export`: without what is mounted in it. */
export async function exportContainer(
  paths: StorePaths,
  id: string,
  options: CallOptions = {},
): Promise<ReadableStream<Uint8Array>> {
  const call = await startCall(paths, id, { op: "export", path: "/" }, options.signal);
  await call.answer();
  return outputOf(call);
}

/** As {@linkcode exportContainer}, of a root that is no container's. */
export async function exportTree(
  paths: StorePaths,
  root: StoppedRoot,
  options: CallOptions = {},
): Promise<ReadableStream<Uint8Array>> {
  const request: ArchiveRequest = { op: "export", path: "/", root: { ...root, binds: [] } };
  const call = await callArchive(paths, request, options.signal);
  await call.answer();
  return outputOf(call);
}

function outputOf(call: ArchiveCall): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const bytes = await call.read();
      if (bytes !== undefined) return controller.enqueue(bytes);
      await call.end();
      controller.close();
    },
    cancel: () => call.abandon(),
  });
}

/** Unpacks `tar` into the directory `path`. */
export async function extractContainer(
  paths: StorePaths,
  id: string,
  path: string,
  tar: ReadableStream<Uint8Array>,
  options: ExtractOptions = {},
): Promise<void> {
  const record = readRecord(paths, id);
  if (record.hostConfig.ReadonlyRootfs) {
    throw new DhowError("conflict", "container rootfs is marked read-only");
  }
  const { signal, noOverwriteDirNonDir = false, copyUidGid } = options;
  const { User } = record.config;
  const request = {
    op: "extract",
    path,
    noOverwriteDirNonDir,
    ...copyUidGid && User && { owner: User },
  } as const;
  const call = await startCall(paths, id, request, signal);
  try {
    for await (const bytes of tar) {
      if (!await call.write(bytes as Uint8Array<ArrayBuffer>)) break;
    }
  } finally {
    call.closeInput();
  }
  await call.answer();
  await call.end();
}

/** One run of `dhow __archive`: a line of JSON, then perhaps a tar stream. */
class ArchiveCall {
  readonly #output: Fd;
  readonly #input: Fd;
  readonly #ended: Promise<{ exitCode: number }>;
  readonly #dispose: () => void;
  #rest = new Uint8Array(0);
  readonly #buffer = new Uint8Array(1 << 18);

  constructor(parts: {
    output: Fd;
    input: Fd;
    ended: Promise<{ exitCode: number }>;
    dispose: () => void;
  }) {
    this.#output = parts.output;
    this.#input = parts.input;
    this.#ended = parts.ended;
    this.#dispose = parts.dispose;
  }

  /** The next bytes; undefined at the end. */
  async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#rest.length > 0) {
      const rest = this.#rest;
      this.#rest = new Uint8Array(0);
      return rest;
    }
    await pollAsync([{ fd: this.#output.number, events: POLLIN }]);
    const n = read(this.#output.number, this.#buffer);
    return n > 0 ? this.#buffer.slice(0, n) : undefined;
  }

  /** The line. @throws {DhowError} What it says. */
  async answer(): Promise<{ stat?: InsidePathStat }> {
    let line = new Uint8Array(0);
    for (;;) {
      const bytes = await this.read();
      if (bytes === undefined) {
        await this.end();
        throw new DhowError("internal", "dhow __archive ended without an answer");
      }
      const at = bytes.indexOf(10);
      const joined = new Uint8Array(line.length + bytes.length);
      joined.set(line);
      joined.set(bytes, line.length);
      line = joined;
      if (at < 0) continue;
      const end = line.indexOf(10);
      this.#rest = line.slice(end + 1);
      return this.#decode(new TextDecoder().decode(line.subarray(0, end)));
    }
  }

  #decode(line: string): { stat?: InsidePathStat } {
    const answer: { stat?: InsidePathStat; error?: WireError } = JSON.parse(line);
    if (answer.error === undefined) return answer;
    this.abandon();
    throw fromWire(answer.error);
  }

  /** @returns False if nobody reads any more: the answer says why. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    for (let at = 0; at < bytes.length;) {
      await pollAsync([{ fd: this.#input.number, events: 4 }]);
      try {
        at += write(this.#input.number, bytes.subarray(at, at + 4096));
      } catch {
        return false;
      }
    }
    return true;
  }

  closeInput(): void {
    this.#input.close();
  }

  async end(): Promise<void> {
    const { exitCode } = await this.#ended;
    this.abandon();
    if (exitCode !== 0) {
      throw new DhowError("internal", `Copying broke off: dhow __archive ended with ${exitCode}`);
    }
  }

  abandon(): void {
    this.#output.close();
    this.#input.close();
    this.#dispose();
  }
}

async function startCall(
  paths: StorePaths,
  id: string,
  request: Omit<ArchiveRequest, "root">,
  signal?: AbortSignal,
): Promise<ArchiveCall> {
  const { nestedIds: ids } = readRecord(paths, id);
  const root = await archiveRoot(paths, id);
  return await callArchive(paths, { ...request, root, ...ids && { ids } }, signal);
}

async function callArchive(
  paths: StorePaths,
  request: ArchiveRequest,
  signal?: AbortSignal,
): Promise<ArchiveCall> {
  const namespace = await ensureUserNamespace(paths);
  const output = pipe(), input = pipe();
  using devNull = open("/dev/null", O_RDWR);
  const isInput = request.op === "extract";
  const process = startInside(namespace, "__archive", [JSON.stringify(request)], {
    stdin: isInput ? input.read.number : devNull.number,
    stdout: output.write.number,
    stderr: 2,
    ...signal && { signal },
  });
  output.write.close();
  input.read.close();
  return new ArchiveCall({
    output: output.read,
    input: input.write,
    ended: process.ended,
    dispose: () => namespace[Symbol.dispose](),
  });
}

async function archiveRoot(paths: StorePaths, id: string): Promise<ArchiveRoot> {
  const directory = containerDirectory(paths, id);
  const { status, pid } = readState(directory);
  if (isRunning(status)) return { kind: "process", pid };
  const record = readRecord(paths, id);
  return {
    ...stoppedRoot(paths, record, await layersOf(paths, record)),
    binds: record.mounts.flatMap((point) => bindsOf(paths, record, point)),
  };
}

/** Where a volume or directory that the container would see is. A tmpfs or an image that is mounted is not there yet. */
function bindsOf(
  paths: StorePaths,
  { subpaths = {} }: ContainerRecord,
  { Type, Name, Source, Destination }: MountPoint,
): ArchiveBind[] {
  if (Type !== "bind" && Type !== "volume") return [];
  const subpath = subpaths[Destination];
  let source = Source;
  if (Type === "volume" && Name) {
    const own = volumeMount(Source, readVolume(paths, Name).Options ?? {}, isThere);
    if (own?.type === "tmpfs") return [];
    source = own?.source ?? Source;
  }
  return [{ source, target: Destination, ...subpath !== undefined && { subpath } }];
}
