/**
 * Unpacks a layer into a directory that can be a lower directory of an overlay.
 *
 * Runs as root of the user namespace the containers will run in, so that owners are plain chown(2). Every name is
 * resolved below the root directory by the kernel (openat2, RESOLVE_IN_ROOT); there is no checking of path strings
 * that a symbolic link could get around. The descriptor of the directory that was used last is kept, so that most
 * files cost open, write, fchown, fchmod, futimens and close.
 *
 * @module
 */
import { ERRNO, SyscallError } from "../../ffi/errno.ts";
import {
  close,
  fchmod,
  fchown,
  ftruncate,
  futimens,
  lchownat,
  lstatat,
  type Name,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
  removeTreeAt,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  seek,
  tryLinkat,
  tryMkdirat,
  tryMknodat,
  tryOpenat,
  trySymlinkat,
  utimensat,
  writeAll,
} from "../../ffi/file.ts";
import { tryLsetxattr } from "../../ffi/xattr.ts";
import { DhowError } from "../errors.ts";
import { type NestedIds, toShared } from "../host/nested_ids.ts";
import { encodeName } from "../lib/file_name.ts";
import { dataRuns } from "./data_runs.ts";
import { measureTree } from "./measure.ts";
import {
  chmodItself,
  procPath,
  setXattrs,
  setXattrsAt,
  timesOf,
  verify,
} from "./member_attributes.ts";
import { ParentDirectory } from "./parent_directory.ts";
import { cleanPath, RootDirectory, splitPath } from "./root_directory.ts";
import type { TarEntry, TarHandler } from "./tar_entry.ts";
import { explainFailure, noPlaceFor } from "./unpack_errors.ts";
import { OPAQUE_XATTR, parseWhiteout } from "./whiteout.ts";

/** What was unpacked, and what this user namespace could not make. */
export interface UnpackSummary {
  entries: number;
  /** Sum of the lengths of files and symbolic links, as docker counts an image's size. */
  sizeBytes: number;
  /** Directories that the layer used but did not describe; they got mode 755 and root as owner. */
  impliedDirectories: string[];
  /** Device nodes left out because the kernel lets no user namespace make them; docker does the same. */
  skippedDevices: number;
  /** Attributes that the file system or the kernel refused. */
  skippedXattrs: number;
}

/** Whiteouts for overlayfs, or as what they are called: for a tar that is no layer (`cp`). */
export interface UnpackOptions {
  /** @default true */
  whiteouts?: boolean;
  /** Owners in the archive are ids of a user namespace with these ids, below this one. @default of this one */
  ids?: NestedIds;
  /** For tests: another openat2(2). */
  openat2?: ConstructorParameters<typeof RootDirectory>[1];
}

/**
 * Receives one layer from a {@linkcode TarReader}; `finish()` when the reader has ended, then dispose.
 *
 * Not atomic: if anything throws, the content of the directory is undefined and the caller removes it.
 * Throws `invalid_layer` for members that leave the root or contradict each other, `no_space`, and `unsupported` for
 * owners that the id mapping has no place for.
 */
export class LayerUnpacker implements TarHandler, Disposable {
  readonly #root: RootDirectory;
  readonly #whiteouts: boolean;
  readonly #ids: NestedIds | undefined;
  readonly #summary: UnpackSummary = {
    entries: 0,
    sizeBytes: 0,
    impliedDirectories: [],
    skippedDevices: 0,
    skippedXattrs: 0,
  };
  /** Directories get their times when nothing is written into them any more; the last description of each counts. */
  readonly #directoryTimes = new Map<string, TarEntry>();
  readonly #described = new Set<string>();
  /** Names whited out by this layer: a directory of that name which follows is opaque. */
  readonly #removed = new Set<string>();
  /** Whether a member took another's name: the sum of what was written is then too large. */
  #hasReplaced = false;
  readonly #parent: ParentDirectory;
  #file: { entry: TarEntry; fd: number; position: number } | undefined;

  /** @param root An existing directory, empty for a layer. */
  constructor(root: string, options: UnpackOptions = {}) {
    this.#root = new RootDirectory(root, options.openat2);
    this.#whiteouts = options.whiteouts ?? true;
    this.#ids = options.ids;
    const owner = options.ids && rootOf(options.ids);
    if (owner && this.#whiteouts) fchown(this.#root.fd, ...owner);
    this.#parent = new ParentDirectory(this.#root, owner);
  }

  entry(entry: TarEntry): void {
    this.#summary.entries++;
    if (this.#ids !== undefined) {
      const uid = toShared(this.#ids.uids, entry.uid), gid = toShared(this.#ids.gids, entry.gid);
      if (uid === undefined || gid === undefined) throw noPlaceFor(entry);
      entry = { ...entry, uid, gid };
    }
    try {
      this.#make(entry, cleanPath(entry.path));
    } catch (error) {
      throw explainFailure(error, entry, this.#root.path);
    }
  }

  data(bytes: Uint8Array<ArrayBuffer>, offset: number): void {
    const file = this.#file;
    if (file === undefined) return;
    try {
      for (const [from, to] of dataRuns(bytes, offset)) {
        if (offset + from !== file.position) seek(file.fd, offset + from);
        writeAll(file.fd, bytes.subarray(from, to));
        file.position = offset + to;
      }
    } catch (error) {
      throw explainFailure(error, file.entry, this.#root.path);
    }
  }

  endEntry(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    const { entry, fd } = file;
    try {
      if (entry.sizeBytes !== file.position) ftruncate(fd, entry.sizeBytes);
      fchown(fd, entry.uid, entry.gid);
      // After chown(2), which takes the set-id bits away.
      fchmod(fd, entry.mode);
      this.#summary.skippedXattrs += setXattrs(entry, fd);
      futimens(fd, timesOf(entry));
    } catch (error) {
      throw explainFailure(error, entry, this.#root.path);
    } finally {
      close(fd);
    }
    this.#summary.sizeBytes += entry.sizeBytes;
  }

  /** Sets the directories' times. Call once, when the archive has ended. */
  finish(): UnpackSummary {
    for (const [path, entry] of this.#directoryTimes) {
      const { parent, base } = splitPath(path);
      try {
        const fd = this.#parent.open(parent);
        utimensat(fd, base === "" ? "." : encodeName(base), timesOf(entry));
      } catch (error) {
        // A later member replaced a directory above it.
        const code = error instanceof SyscallError ? error.code : "";
        if (code !== "ENOENT" && code !== "ENOTDIR") {
          throw explainFailure(error, entry, this.#root.path);
        }
      }
    }
    this.#summary.impliedDirectories = [...this.#parent.implied].filter((path) =>
      !this.#described.has(path)
    );
    // What is no layer has much else in its root, and nobody asks for the size.
    if (this.#hasReplaced && this.#whiteouts) {
      this.#summary.sizeBytes = measureTree(this.#root.path);
    }
    return this.#summary;
  }

  [Symbol.dispose](): void {
    if (this.#file) close(this.#file.fd);
    this.#parent[Symbol.dispose]();
    this.#root[Symbol.dispose]();
  }

  #make(entry: TarEntry, path: string): void {
    const { parent, base } = splitPath(path);
    if (base === "") return this.#rootEntry(entry);
    const whiteout = this.#whiteouts ? parseWhiteout(base) : { kind: "none" } as const;
    if (whiteout.kind === "ignore") return;
    if (whiteout.kind === "invalid") {
      throw new DhowError("invalid_layer", `Cannot unpack "${entry.path}": whiteout of no name`);
    }
    const dirFd = this.#parent.open(parent);
    if (whiteout.kind === "opaque") return this.#makeOpaque(dirFd, ".");
    if (whiteout.kind === "remove") return this.#whiteOut(dirFd, parent, whiteout.name);
    const name = encodeName(base);
    if (entry.kind !== "directory") this.#directoryTimes.delete(path);
    switch (entry.kind) {
      case "file":
        return this.#openFile(entry, dirFd, name);
      case "directory":
        return this.#directory(entry, dirFd, name, path);
      case "symlink":
        return this.#symlink(entry, dirFd, name);
      case "hardlink":
        return this.#hardlink(entry, dirFd, name, path);
      case "char":
      case "block":
      case "fifo":
        return this.#node(entry, dirFd, name);
    }
  }

  #openFile(entry: TarEntry, dirFd: number, name: Name): void {
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    let fd = tryOpenat(dirFd, name, flags, 0o600);
    if (fd === -ERRNO.EEXIST) {
      this.#removeOld(dirFd, name);
      fd = tryOpenat(dirFd, name, flags, 0o600);
    }
    if (fd < 0) throw new SyscallError("openat", -fd, entry.path);
    this.#file = { entry, fd, position: 0 };
  }

  #directory(entry: TarEntry, dirFd: number, name: Name, path: string): void {
    let result = tryMkdirat(dirFd, name, 0o700);
    if (result === -ERRNO.EEXIST) {
      const stat = lstatat(dirFd, name);
      // A directory that is there already is merged with; anything else gives way.
      if (stat !== undefined && (stat.mode & S_IFMT) === S_IFDIR) result = 0;
      else {
        this.#removeOld(dirFd, name);
        result = tryMkdirat(dirFd, name, 0o700);
      }
    }
    verify("mkdirat", result, entry.path);
    lchownat(dirFd, name, entry.uid, entry.gid);
    chmodItself(dirFd, name, entry.mode);
    this.#summary.skippedXattrs += setXattrsAt(entry, dirFd, name);
    if (this.#removed.has(path)) this.#makeOpaque(dirFd, name);
    this.#directoryTimes.set(path, entry);
    this.#described.add(path);
  }

  #rootEntry(entry: TarEntry): void {
    if (entry.kind !== "directory") {
      throw new DhowError(
        "invalid_layer",
        `Cannot unpack "${entry.path}": the root is a directory`,
      );
    }
    fchown(this.#root.fd, entry.uid, entry.gid);
    fchmod(this.#root.fd, entry.mode);
    this.#summary.skippedXattrs += setXattrs(entry, this.#root.fd);
    this.#directoryTimes.set("", entry);
  }

  #symlink(entry: TarEntry, dirFd: number, name: Name): void {
    const target = encodeName(entry.linkPath);
    let result = trySymlinkat(target, dirFd, name);
    if (result === -ERRNO.EEXIST) {
      this.#removeOld(dirFd, name);
      result = trySymlinkat(target, dirFd, name);
    }
    verify("symlinkat", result, entry.path);
    this.#summary.sizeBytes += target.length - 1;
    this.#setOwnerAndTimes(entry, dirFd, name);
  }

  #hardlink(entry: TarEntry, dirFd: number, name: Name, path: string): void {
    const target = cleanPath(entry.linkPath);
    if (target === path) return;
    const { parent, base } = splitPath(target);
    // Its own descriptor: the cached one is of the directory that the link goes into.
    const fromFd = this.#root.openDirectory(parent);
    try {
      const from = encodeName(base);
      let result = tryLinkat(fromFd, from, dirFd, name);
      if (result === -ERRNO.EEXIST) {
        this.#removeOld(dirFd, name);
        result = tryLinkat(fromFd, from, dirFd, name);
      }
      verify("linkat", result, `${entry.linkPath} to ${entry.path}`);
    } finally {
      close(fromFd);
    }
  }

  #node(entry: TarEntry, dirFd: number, name: Name): void {
    const type = entry.kind === "char" ? S_IFCHR : entry.kind === "block" ? S_IFBLK : S_IFIFO;
    const make = () => tryMknodat(dirFd, name, type | 0o600, entry);
    let result = make();
    if (result === -ERRNO.EEXIST) {
      this.#removeOld(dirFd, name);
      result = make();
    }
    if (result === -ERRNO.EPERM && type !== S_IFIFO) {
      this.#summary.skippedDevices++;
      return;
    }
    verify("mknodat", result, entry.path);
    lchownat(dirFd, name, entry.uid, entry.gid);
    chmodItself(dirFd, name, entry.mode);
    this.#summary.skippedXattrs += setXattrsAt(entry, dirFd, name);
    utimensat(dirFd, name, timesOf(entry));
  }

  #setOwnerAndTimes(entry: TarEntry, dirFd: number, name: Name): void {
    lchownat(dirFd, name, entry.uid, entry.gid);
    this.#summary.skippedXattrs += setXattrsAt(entry, dirFd, name);
    utimensat(dirFd, name, timesOf(entry));
  }

  #whiteOut(dirFd: number, parent: string, baseName: string): void {
    this.#removed.add(parent === "" ? baseName : `${parent}/${baseName}`);
    const name = encodeName(baseName);
    const result = tryMknodat(dirFd, name, S_IFCHR);
    if (result !== -ERRNO.EEXIST) return verify("mknodat", result, `whiteout ${baseName}`);
    // The layer brings its own of that name: a whiteout speaks only of what is below.
    if (((lstatat(dirFd, name)?.mode ?? 0) & S_IFMT) === S_IFDIR) this.#makeOpaque(dirFd, name);
  }

  #makeOpaque(dirFd: number, name: Name): void {
    const value = new TextEncoder().encode("y");
    verify(
      "setxattr",
      tryLsetxattr(procPath(dirFd, name), OPAQUE_XATTR, value),
      "opaque directory",
    );
  }

  /** Removes what an earlier member made, so that a later one can take its name. */
  #removeOld(dirFd: number, name: Name): void {
    removeTreeAt(dirFd, name);
    this.#hasReplaced = true;
    // What was removed may have been the cached directory, or above it; `dirFd` itself is still its parent.
    this.#parent.distrust();
  }
}

/** Root of a user namespace below this one, as this one calls it. */
function rootOf({ uids, gids }: NestedIds): [uid: number, gid: number] {
  return [toShared(uids, 0) ?? 0, toShared(gids, 0) ?? 0];
}
