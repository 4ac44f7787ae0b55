/**
 * The half of `docker cp` that works in the user namespace, with the container's root as this thread's root directory.
 *
 * @module
 */
import { MS_BIND, MS_REC } from "../../ffi/abi/constants.ts";
import { SyscallError } from "../../ffi/errno.ts";
import {
  AT_FDCWD,
  lstatat,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  openat,
  openat2,
  readlinkat,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
} from "../../ffi/file.ts";
import { chrootTo, cloneMount, enterMounts, mount, unshareMounts } from "../../ffi/mount.ts";
import { DhowError } from "../errors.ts";
import type { NestedIds } from "../host/nested_ids.ts";
import { keepProcAtHand } from "../layer/member_attributes.ts";
import { pack } from "../layer/pack.ts";
import { mountRoot, type StoppedRoot } from "./mount_root.ts";
import { toWire } from "../lib/wire_error.ts";
import { resolveUser } from "./users.ts";
import type { TarEntry } from "../layer/tar_entry.ts";
import { TarReader } from "../layer/tar_reader.ts";
import { LayerUnpacker } from "../layer/unpack.ts";

/** Where the container's root is. */
export type ArchiveRoot =
  | { kind: "process"; pid: number }
  | (StoppedRoot & { binds: ArchiveBind[] });

/** What is mounted in a container that does not run. */
export interface ArchiveBind {
  source: string;
  target: string;
  /** What below the source. */
  subpath?: string;
}

/** What `dhow __archive` is to do. */
export interface ArchiveRequest {
  root: ArchiveRoot;
  op: "stat" | "archive" | "extract" | "export";
  path: string;
  noOverwriteDirNonDir?: boolean;
  /** Of the container, if it has a user namespace of its own. */
  ids?: NestedIds;
  /** A user of the container, who gets everything. @default whom the archive says */
  owner?: string;
}

/** What a path is. */
export interface InsidePathStat {
  name: string;
  sizeBytes: number;
  /** st_mode as stat(2) gives it. */
  mode: number;
  mtimeMs: number;
  linkTarget: string;
}

/**
 * Performs one request; reads the archive from stdin or writes it to stdout, behind the answer.
 *
 * @throws What broke off an archive that had begun. Everything earlier is the answer.
 */
export function performArchive(request: ArchiveRequest): void {
  let stat: InsidePathStat | undefined;
  try {
    enterRoot(request, request.op === "export");
    if (request.op === "extract") extract(request);
    else stat = statPath(request.path);
  } catch (error) {
    return print({ error: toWire(error) });
  }
  print(stat === undefined ? {} : { stat });
  if (request.op === "export") sendRoot(request);
  else if (request.op === "archive" && stat !== undefined) sendArchive(request, stat);
}

function print(answer: object): void {
  writeAll(new TextEncoder().encode(JSON.stringify(answer) + "\n"));
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** @param bare Without what is mounted in it. */
function enterRoot({ root, ids }: ArchiveRequest, bare: boolean): void {
  keepProcAtHand();
  const flags = O_PATH | O_DIRECTORY;
  if (root.kind === "process") {
    const fd = openat(AT_FDCWD, `/proc/${root.pid}/root`, flags);
    const namespace = openat(AT_FDCWD, `/proc/${root.pid}/ns/mnt`, O_RDONLY);
    unshareMounts();
    if (!bare) return chrootTo(fd);
    // A clone of the root mount alone can only be made where that is mounted.
    enterMounts(namespace);
    // In a copy made by us the mounts of another user namespace would be locked together.
    if (ids === undefined) unshareMounts();
    return chrootTo(cloneMount("/"));
  }
  const fd = mountRoot(root);
  if (!bare) { for (const bind of root.binds) bindInto(fd, bind); }
  chrootTo(fd);
}

/** A volume appears where the container would see it; one whose place is missing is left out. */
function bindInto(root: number, { source, target, subpath }: ArchiveBind): void {
  try {
    const place = openat2(root, target, O_PATH, RESOLVE_IN_ROOT);
    const whole = openat(AT_FDCWD, source, O_PATH);
    const resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    const shown = subpath === undefined ? whole : openat2(whole, subpath, O_PATH, resolve);
    mount(`/proc/self/fd/${shown}`, `/proc/self/fd/${place}`, { flags: MS_BIND | MS_REC });
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
  }
}

/** From here on every path is one of the container's, whatever it does to its links meanwhile. */
function statPath(path: string): InsidePathStat {
  const clean = path.replace(/\/+$/, "") || "/";
  const stat = lstatat(AT_FDCWD, path.endsWith("/.") ? path : clean);
  if (stat === undefined) {
    throw new DhowError("not_found", `Could not find the file ${path} in container`);
  }
  const isLink = (stat.mode & S_IFMT) === S_IFLNK;
  const target = isLink ? new TextDecoder().decode(readlinkat(AT_FDCWD, clean)) : "";
  return {
    name: clean.slice(clean.lastIndexOf("/") + 1) || "/",
    sizeBytes: Deno.lstatSync(clean).size,
    mode: stat.mode,
    mtimeMs: Number(stat.mtime.seconds) * 1000 + Math.floor(stat.mtime.nanoseconds / 1e6),
    linkTarget: target.replace(/\0$/, ""),
  };
}

/** What a running container has there is the kernel's, without end or not to be read; docker leaves it out too. */
const KERNEL_DIRECTORY = /^[/.]*\/(dev|proc|sys)$/;

function sendArchive({ path, root, ids }: ArchiveRequest, stat: InsidePathStat): void {
  const name = path.endsWith("/.") || stat.name === "/" ? "." : stat.name;
  const isHollow = (path: string) => root.kind === "process" && KERNEL_DIRECTORY.test(path);
  for (const bytes of pack({ path, name, isHollow, ...ids && { ids } })) writeAll(bytes);
}

/** The whole root; its members are called as seen from it. */
function sendRoot({ ids }: ArchiveRequest): void {
  const edit = (entry: TarEntry): TarEntry | undefined => {
    if (entry.path === "") return undefined;
    const linkPath = entry.kind === "hardlink" ? entry.linkPath.slice(1) : entry.linkPath;
    return { ...entry, path: entry.path.slice(1), linkPath };
  };
  const keepsXattr = (name: string) => name === "security.capability";
  for (const bytes of pack({ path: "/", name: "", edit, keepsXattr, ...ids && { ids } })) {
    writeAll(bytes);
  }
}

function extract(request: ArchiveRequest): void {
  const { path } = request;
  const target = lstatat(AT_FDCWD, `${path}/.`);
  if (target === undefined) {
    throw new DhowError("not_found", `Could not find the file ${path} in container`);
  }
  if ((target.mode & S_IFMT) !== S_IFDIR) {
    throw new DhowError("invalid_argument", "extraction point is not a directory");
  }
  const owner = request.owner === undefined ? {} : ownerOf(request.owner);
  using unpacker = new LayerUnpacker(path, {
    whiteouts: false,
    ...request.ids && { ids: request.ids },
  });
  const reader = new TarReader({
    entry(entry) {
      if (request.noOverwriteDirNonDir) assertSameKind(path, entry);
      unpacker.entry({ ...entry, ...owner });
    },
    data: (bytes, offset) => unpacker.data(bytes, offset),
    endEntry: () => unpacker.endEntry(),
  });
  const buffer = new Uint8Array(1 << 18);
  for (;;) {
    const n = Deno.stdin.readSync(buffer);
    if (n === null) break;
    reader.push(buffer.subarray(0, n));
  }
  reader.end();
  unpacker.finish();
}

/** Looked up in the container's own files: its root is this thread's. */
function ownerOf(user: string): { uid: number; gid: number } {
  const { uid, gid } = resolveUser(user, (path) => {
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return undefined;
    }
  });
  return { uid, gid };
}

function assertSameKind(path: string, entry: TarEntry): void {
  const there = lstatat(AT_FDCWD, `${path}/${entry.path}`);
  if (there === undefined) return;
  const isDirectory = (there.mode & S_IFMT) === S_IFDIR;
  if (isDirectory === (entry.kind === "directory")) return;
  throw new DhowError(
    "invalid_argument",
    isDirectory
      ? `cannot overwrite directory "${path}/${entry.path}" with non-directory`
      : `cannot overwrite non-directory "${path}/${entry.path}" with directory`,
  );
}
