/**
 * Copies files and directories from a source's tree into the root that is being built.
 *
 * @module
 */
import { ERRNO, SyscallError } from "../../ffi/errno.ts";
import * as F from "../../ffi/file.ts";
import { fgetxattr, flistxattr, tryFsetxattr } from "../../ffi/xattr.ts";
import { DhowError } from "../errors.ts";
import { encodeName } from "../lib/file_name.ts";
import { splitPath } from "../layer/root_directory.ts";
import { isXattrKept } from "../layer/xattr_policy.ts";
import type { ModeChange, Owner } from "./copy_owner.ts";
import { compilePatterns, type IgnoreMatcher } from "./ignore.ts";
import { type Child, type Found, realPath, type SourceTree } from "./source_tree.ts";
import type { TargetTree } from "./target_tree.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** How what is copied looks. */
export interface CopyLooks {
  mode?: ModeChange;
  /** Unix seconds. @default as in the source */
  epoch?: number;
}

/** How to copy. */
export interface TreeCopierOptions extends CopyLooks {
  /** @default as in the source */
  owner?: Owner;
  /** Patterns of `--exclude`, relative to what is copied. */
  excludes: readonly string[];
  keepsXattrs: boolean;
}

/** Whose the directories on the way are. */
interface Made {
  owner?: Owner | undefined;
  epoch?: number | undefined;
}

/** A directory that is copied into. */
interface Place {
  fd: number;
  /** Below the target's root, links resolved. */
  path: string;
  /** What `path` is relative to. */
  root: string;
}

/** A file about to be made. */
interface NewNode extends Place {
  name: Bytes;
  shown: string;
}

const DIRECTORY = F.O_RDONLY | F.O_DIRECTORY | F.O_NOFOLLOW;

/** Copies from one tree. Hard links among what it copies stay hard links. */
export class TreeCopier {
  readonly #target: TargetTree;
  readonly #tree: SourceTree;
  readonly #options: TreeCopierOptions;
  readonly #excludes: IgnoreMatcher | undefined;
  readonly #buffer = new Uint8Array(1 << 18);
  /** Where the first of several links went. */
  readonly #links = new Map<string, string>();
  readonly #targetPath: string;
  #clones = true;

  constructor(target: TargetTree, tree: SourceTree, options: TreeCopierOptions) {
    this.#target = target;
    this.#tree = tree;
    this.#options = options;
    const { excludes } = options;
    this.#excludes = excludes.length === 0 ? undefined : compilePatterns(excludes);
    this.#targetPath = realPath(target.fd);
  }

  /** Copies what is in a directory; the directory `into` gets no more of it than its time, and that if it is new. */
  copyContent(found: Found, into: string, made: Made): void {
    const from = this.#tree.open(found, F.O_RDONLY | F.O_DIRECTORY);
    try {
      const to = this.#target.ensureDirectory(into, made);
      try {
        if (to.isNew) {
          const past = this.#target.openPast(to);
          try {
            this.#copyChildren(from, { ...past, path: to.path }, found.path, found.path);
            F.futimens(past.fd, this.#timesOf(found.stat));
          } finally {
            F.close(past.fd);
          }
        } else {
          const root = this.#targetPath;
          this.#copyChildren(from, { ...to, root }, found.path, found.path);
        }
      } finally {
        F.close(to.fd);
      }
    } finally {
      F.close(from);
    }
  }

  /** Copies what is no directory. */
  copyFile(found: Found, place: { directory: string; name: string }, made: Made): void {
    if (this.#excludes?.isIgnored(splitPath(found.named).base)) return;
    const { parent, base } = splitPath(found.path);
    const from = this.#tree.open({ ...found, path: parent }, F.O_RDONLY | F.O_DIRECTORY);
    try {
      const to = this.#target.ensureDirectory(place.directory, made);
      try {
        const file = encodeName(base), name = encodeName(place.name);
        const root = this.#targetPath;
        this.#copyNode(from, file, found.stat, { ...to, root, name, shown: place.name });
      } finally {
        F.close(to.fd);
      }
    } finally {
      F.close(from);
    }
  }

  /** Makes the directories of `parents`, which lie below `pivot` in the source, looking as they do there. */
  copyParents(into: string, parents: string, pivot: string, made: Made): void {
    F.close(this.#target.ensureDirectory(into, made).fd);
    let path = "";
    for (const part of parents.split("/").filter((part) => part !== "")) {
      path = path === "" ? part : `${path}/${part}`;
      const to = this.#target.ensureDirectory(into === "" ? path : `${into}/${path}`, made);
      try {
        const [found] = to.isNew ? this.#tree.find(pivot === "" ? path : `${pivot}/${path}`) : [];
        if (found === undefined) continue;
        const from = this.#tree.open(found, F.O_RDONLY | F.O_DIRECTORY);
        this.#setLooks(to, from, found.stat);
        F.close(from);
      } finally {
        F.close(to.fd);
      }
    }
  }

  /** @param top What the patterns of `--exclude` are relative to. */
  #copyChildren(
    from: number,
    to: Place,
    path: string,
    top: string,
  ): void {
    for (const child of this.#tree.children(from, path)) {
      const below = top === "" ? child.path : child.path.slice(top.length + 1);
      const isExcluded = this.#excludes?.isIgnored(below) ?? false;
      const isDirectory = (child.stat.mode & F.S_IFMT) === F.S_IFDIR;
      if (isExcluded && !(isDirectory && this.#excludes!.mayReinclude(below))) continue;
      if (isDirectory) this.#copyDirectory(from, child, to, top);
      else {
        const { file: name, name: shown } = child;
        this.#copyNode(from, name, child.stat, { ...to, name, shown });
      }
    }
  }

  #copyDirectory(
    parent: number,
    child: Child,
    to: Place,
    top: string,
  ): void {
    const made = F.tryMkdirat(to.fd, child.file, 0o755);
    if (made < 0 && made !== -ERRNO.EEXIST) throw new SyscallError("mkdirat", -made, child.path);
    const fd = F.tryOpenat(to.fd, child.file, DIRECTORY);
    if (fd === -ERRNO.ENOTDIR || fd === -ERRNO.ELOOP) {
      const path = `/${to.path === "" ? "" : `${to.path}/`}${child.name}`;
      throw new DhowError("conflict", `cannot copy to non-directory: ${path}`);
    }
    if (fd < 0) throw new SyscallError("openat", -fd, child.path);
    const path = to.path === "" ? child.name : `${to.path}/${child.name}`;
    const inner = { fd, path, root: to.root };
    try {
      const from = F.openat(parent, child.file, DIRECTORY);
      try {
        this.#copyChildren(from, inner, child.path, top);
        this.#setLooks(inner, from, child.stat);
      } finally {
        F.close(from);
      }
    } finally {
      F.close(fd);
    }
  }

  #copyNode(
    from: number,
    file: Bytes,
    stat: F.Stat,
    to: NewNode,
  ): void {
    if (stat.nlink > 1 && this.#linkAgain(stat, to)) return;
    switch (stat.mode & F.S_IFMT) {
      case F.S_IFREG:
        return this.#copyRegular(from, file, stat, to);
      case F.S_IFLNK: {
        const target = F.readlinkat(from, file);
        const link = new Uint8Array(target.length + 1);
        link.set(target);
        this.#over(to, () => F.trySymlinkat(link, to.fd, to.name));
        break;
      }
      case F.S_IFIFO:
        this.#over(to, () => F.tryMknodat(to.fd, to.name, F.S_IFIFO | 0o600));
        F.fchmodat(to.fd, to.name, this.#modeOf(stat));
        break;
      default:
        // Sockets mean nothing without who listens; nobody may make devices here.
        return;
    }
    const { uid, gid } = this.#options.owner ?? stat;
    F.lchownat(to.fd, to.name, uid, gid);
    F.utimensat(to.fd, to.name, this.#timesOf(stat));
  }

  #copyRegular(
    from: number,
    file: Bytes,
    stat: F.Stat,
    to: NewNode,
  ): void {
    const source = F.openat(from, file, F.O_RDONLY | F.O_NOFOLLOW);
    try {
      const mode = this.#modeOf(stat);
      const flags = F.O_WRONLY | F.O_CREAT | F.O_EXCL;
      const target = this.#over(to, () => F.tryOpenat(to.fd, to.name, flags, mode & 0o777));
      try {
        this.#copyBytes(source, target, stat.sizeBytes);
        const { uid, gid } = this.#options.owner ?? stat;
        if (uid !== 0 || gid !== 0) F.fchown(target, uid, gid);
        if (mode > 0o777) F.fchmod(target, mode);
        if (this.#options.keepsXattrs) copyXattrs(source, target);
        F.futimens(target, this.#timesOf(stat));
      } finally {
        F.close(target);
      }
    } finally {
      F.close(source);
    }
  }

  /** Makes something in the place of whatever is no directory. */
  #over(to: { fd: number; name: Bytes; shown: string }, make: () => number): number {
    let result = make();
    if (result === -ERRNO.EEXIST) {
      const stat = F.lstatat(to.fd, to.name);
      if (stat !== undefined && (stat.mode & F.S_IFMT) === F.S_IFDIR) {
        throw new DhowError("conflict", `cannot copy to directory: ${to.shown}`);
      }
      F.removeTreeAt(to.fd, to.name);
      result = make();
    }
    if (result < 0) throw new SyscallError("open", -result, to.shown);
    return result;
  }

  /** Makes the second and later of several hard links. */
  #linkAgain(
    stat: F.Stat,
    to: NewNode,
  ): boolean {
    if ((stat.mode & F.S_IFMT) === F.S_IFDIR) return false;
    const key = `${stat.dev.major}:${stat.dev.minor}:${stat.inode}`;
    const first = this.#links.get(key);
    if (first === undefined) {
      this.#links.set(key, `${to.root}/${to.path === "" ? "" : `${to.path}/`}${to.shown}`);
      return false;
    }
    const path = encodeName(first);
    let isPossible = true;
    this.#over(to, () => {
      const result = F.tryLinkat(F.AT_FDCWD, path, to.fd, to.name);
      isPossible = result !== -ERRNO.EXDEV; // one of them went past the overlay
      return isPossible ? result : 0;
    });
    return isPossible;
  }

  /** Shares the blocks where the file system can; else copies what is no hole. */
  #copyBytes(source: number, target: number, sizeBytes: number): void {
    if (sizeBytes === 0) return;
    if (this.#clones && sizeBytes > 4096) {
      if (F.tryClone(source, target)) return;
      this.#clones = false;
    }
    const buffer = this.#buffer;
    let at = 0, hasHole = false;
    for (let n = F.read(source, buffer); n > 0; n = F.read(source, buffer)) {
      if (at === 0 && n === sizeBytes && n < 4096) return F.writeAll(target, buffer.subarray(0, n));
      const piece = buffer.subarray(0, n);
      if (n >= 4096 && isZero(piece)) hasHole = true;
      else {
        if (hasHole) F.seek(target, at);
        F.writeAll(target, piece);
      }
      at += n;
    }
    if (hasHole) F.ftruncate(target, at);
  }

  #modeOf(stat: F.Stat): number {
    const isDirectory = (stat.mode & F.S_IFMT) === F.S_IFDIR;
    // What a context calls setuid is not to run as somebody else.
    const mode = stat.mode & (this.#options.keepsXattrs || isDirectory ? 0o7777 : 0o1777);
    return this.#options.mode?.(mode, isDirectory) ?? mode;
  }

  #setLooks(to: { fd: number }, from: number, stat: F.Stat): void {
    const { uid, gid } = this.#options.owner ?? stat;
    F.fchown(to.fd, uid, gid);
    F.fchmod(to.fd, this.#modeOf(stat));
    if (this.#options.keepsXattrs) copyXattrs(from, to.fd);
    F.futimens(to.fd, this.#timesOf(stat));
  }

  readonly #times = new BigInt64Array(4);

  #timesOf({ mtime }: F.Stat): F.Timespecs {
    const { epoch } = this.#options;
    const times = this.#times;
    times[0] = times[2] = epoch === undefined ? mtime.seconds : BigInt(epoch);
    times[1] = times[3] = epoch === undefined ? BigInt(mtime.nanoseconds) : 0n;
    return times;
  }
}

function isZero(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0 || bytes.at(-1) !== 0) return false;
  return bytes.every((byte) => byte === 0);
}

function copyXattrs(from: number, to: number): void {
  for (const name of flistxattr(from)) {
    if (!isXattrKept(name)) continue;
    const value = fgetxattr(from, name);
    if (value !== undefined) tryFsetxattr(to, name, value);
  }
}
