/**
 * What a container's own directory changes of the layers below it.
 *
 * Of an overlay's upper directory only what is in it is looked at, so that a small change costs little however large
 * the image is. Of a whole copy everything is compared.
 *
 * @module
 */
import * as F from "../../ffi/file.ts";
import { lgetxattr, llistxattr } from "../../ffi/xattr.ts";
import { encodeName } from "../lib/file_name.ts";
import { isOpaque, isWhiteout, LowerDirectory, type LowerEntry } from "./lower_directory.ts";
import { sortedNames } from "./pack.ts";
import { isXattrKept } from "./xattr_policy.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Docker's three kinds. */
export type ChangeKind = "modified" | "added" | "deleted";

/** One difference. */
export interface LayerChange {
  kind: ChangeKind;
  /** Without a leading slash. */
  path: string;
  /** Where it is found: an open directory, and the name in it. Valid until the next change is asked for. */
  dirFd: number;
  file: Bytes;
  /** What it is now; undefined if it is deleted. */
  stat: F.Stat | undefined;
}

/** What to compare. */
export interface ChangesOptions {
  /** The container's directory. */
  upper: string;
  /** The layers' directories, the topmost first. */
  lowers: readonly string[];
  /** `upper` is a copy of all of it, not only what differs. @default false */
  isWhole?: boolean;
  /** Count a file as modified if it has got another hard link. @default false */
  strict?: boolean;
  /** Leave out what dhow itself makes for a container's mounts to stand on. @default true */
  hidesPlaces?: boolean;
}

/**
 * What dhow itself puts into a root for mounts to stand on; docker keeps these in a layer of their own that no diff
 * shows.
 */
const PLACES: ReadonlySet<string> = new Set([
  ".dockerenv",
  "dev",
  "dev/console",
  "dev/pts",
  "dev/shm",
  "etc",
  "etc/hostname",
  "etc/hosts",
  "etc/resolv.conf",
  "proc",
  "sys",
]);

/**
 * Lists changes, parents before children, in the order of names. A directory in which something changed counts as
 * modified.
 *
 * @throws {SyscallError} for what cannot be looked at.
 */
export function* layerChanges(options: ChangesOptions): Generator<LayerChange> {
  using lower = LowerDirectory.open(options.lowers);
  const upper = F.openat(F.AT_FDCWD, options.upper, F.O_RDONLY | F.O_DIRECTORY);
  try {
    const scope = { path: "", isIsolated: options.isWhole ?? false };
    yield* changesIn(upper, lower, scope, options);
  } finally {
    F.close(upper);
  }
}

interface Scope {
  path: string;
  /** Nothing below shows through: what is not here is deleted. */
  isIsolated: boolean;
}

function* changesIn(
  upper: number,
  lower: LowerDirectory,
  scope: Scope,
  options: ChangesOptions,
): Generator<LayerChange> {
  const here = sortedNames(upper);
  const gone: LayerChange[] = [];
  if (scope.isIsolated) {
    const names = new Set(here.map(({ name }) => name));
    for (const name of lower.names().keys()) {
      if (names.has(name)) continue;
      const path = joined(scope.path, name);
      const file = encodeName(name);
      gone.push({ kind: "deleted", path, dirFd: upper, file, stat: undefined });
    }
    gone.sort((a, b) => a.path < b.path ? 1 : -1);
  }
  for (const { file, name } of here) {
    const path = joined(scope.path, name);
    while (gone.length > 0 && gone.at(-1)!.path < path) yield gone.pop()!;
    // It cannot be told from a whiteout in a layer's tar; and fuse-overlayfs has notes of its own so called.
    if (name.startsWith(".wh.")) continue;
    yield* changesAt(upper, lower, { file, path, isIsolated: scope.isIsolated }, options);
  }
  while (gone.length > 0) yield gone.pop()!;
}

function* changesAt(
  dirFd: number,
  lower: LowerDirectory,
  { file, path, isIsolated }: Scope & { file: Bytes },
  options: ChangesOptions,
): Generator<LayerChange> {
  const stat = F.lstatat(dirFd, file);
  if (stat === undefined) return;
  const below = lower.lookup(file);
  if (!options.isWhole && isWhiteout(stat)) {
    if (below) yield { kind: "deleted", path, dirFd, file, stat: undefined };
    return;
  }
  const change: LayerChange = { kind: below ? "modified" : "added", path, dirFd, file, stat };
  const isDirectory = (stat.mode & F.S_IFMT) === F.S_IFDIR;
  const isOwn = below === undefined
    ? options.hidesPlaces === false || !isPlace(path, stat)
    : differs({ dirFd, stat }, below, file, options.strict ?? false);
  if (below === undefined && !isOwn) change.kind = "modified";
  if (isOwn) yield change;
  if (!isDirectory) return;
  const fd = F.openat(dirFd, file, F.O_RDONLY | F.O_DIRECTORY | F.O_NOFOLLOW);
  using inner = lower.enter(file);
  try {
    const scope = { path, isIsolated: isIsolated || !options.isWhole && isOpaque(fd) };
    let isTold = isOwn;
    for (const child of changesIn(fd, inner, scope, options)) {
      if (!isTold) yield change;
      isTold = true;
      yield child;
    }
  } finally {
    F.close(fd);
  }
}

/** An empty file or directory where dhow makes one. */
function isPlace(path: string, { mode, sizeBytes }: F.Stat): boolean {
  if (!PLACES.has(path)) return false;
  const type = mode & F.S_IFMT;
  return type === F.S_IFDIR || type === F.S_IFREG && sizeBytes === 0;
}

/** As docker compares, and what else a layer keeps: other attributes, other hard links. */
function differs(now: LowerEntry, below: LowerEntry, file: Bytes, strict: boolean): boolean {
  const [a, b] = [now.stat, below.stat];
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return true;
  const type = a.mode & F.S_IFMT;
  if (type !== F.S_IFDIR) {
    if (a.sizeBytes !== b.sizeBytes || a.rdev.major !== b.rdev.major) return true;
    if (a.rdev.minor !== b.rdev.minor || a.mtime.seconds !== b.mtime.seconds) return true;
    if (a.mtime.nanoseconds !== b.mtime.nanoseconds) return true;
    if (strict && a.nlink > 1 && a.nlink !== b.nlink) return true;
  }
  if (type !== F.S_IFDIR && type !== F.S_IFREG) return false;
  return attributes(now.dirFd, file) !== attributes(below.dirFd, file);
}

function attributes(dirFd: number, file: Bytes): string {
  const start = new TextEncoder().encode(`/proc/self/fd/${dirFd}/`);
  const path = new Uint8Array(start.length + file.length);
  path.set(start);
  path.set(file, start.length);
  return llistxattr(path).filter(isXattrKept).sort()
    .map((name) => `${name}=${lgetxattr(path, name)}`).join("\0");
}

function joined(path: string, name: string): string {
  return path === "" ? name : `${path}/${name}`;
}
