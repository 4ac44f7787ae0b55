/**
 * The root that files are copied into: an overlay of the image's layers with the new layer on top, mounted for this
 * thread alone. Links in the image are resolved by the kernel below this root.
 *
 * @module
 */
import { ERRNO, SyscallError } from "../../ffi/errno.ts";
import * as F from "../../ffi/file.ts";
import { detachMount, mount, unshareMounts } from "../../ffi/mount.ts";
import { mountRoot } from "../container/mount_root.ts";
import { readRootFile } from "../container/root_file.ts";
import { DhowError } from "../errors.ts";
import { decodeName, encodeName } from "../lib/file_name.ts";
import { RootDirectory, splitPath } from "../layer/root_directory.ts";
import type { TargetRoot, TreeRoot } from "./build_jobs.ts";
import type { Owner } from "./copy_owner.ts";
import { cleanSource, realPath } from "./source_tree.ts";

/** As the kernel: MAXSYMLINKS of <linux/namei.h>. */
const LINKS_MAX = 40;

/** A directory of the root, open. */
export interface TargetDirectory {
  fd: number;
  /** Below the root, links resolved. */
  path: string;
}

/** A mounted root; disposing unmounts it. */
export class TargetTree implements Disposable {
  /** Where it is mounted. */
  readonly path: string;
  #root: RootDirectory;
  #rootPath: string;
  readonly #mounted: string[] = [];
  /** Where directories that this layer has made can be reached without the overlay. */
  readonly #past: string;
  readonly #scratch: string;
  #sources = 0;
  readonly #touched: { path: string; times: F.Timespecs }[] = [];

  /** Makes the layer's directory and mounts the root. */
  constructor({ kind, base, names, upper, scratch }: TargetRoot) {
    this.#past = upper;
    this.#scratch = scratch;
    Deno.mkdirSync(scratch, { mode: 0o700 });
    Deno.mkdirSync(upper, { mode: 0o755 });
    this.path = upper;
    if (names.length > 0) {
      const [work, root] = [`${scratch}/work`, `${scratch}/root`];
      for (const path of [work, root]) Deno.mkdirSync(path);
      const layers = [...names];
      F.close(mountRoot({ kind, base, layers, upper, work, mountpoint: root }));
      this.#mounted.push(root);
      this.path = root;
      // The program may remember that there is nothing.
      if (kind !== "overlay") this.#past = root;
    } else unshareMounts();
    this.#root = new RootDirectory(this.path);
    this.#rootPath = realPath(this.#root.fd);
  }

  /** The root's descriptor. */
  get fd(): number {
    return this.#root.fd;
  }

  /** Makes the root of a source readable as a directory. @returns Where. */
  mountSource(root: TreeRoot): string {
    if (root.kind === "directory") return root.path;
    const { overlay, base, names } = root;
    const mountpoint = `${this.#scratch}/source-${this.#sources++}`;
    if (names.length === 1) return `${base}/${names[0]}`;
    Deno.mkdirSync(mountpoint);
    if (names.length === 0) return mountpoint;
    if (overlay === "overlay") {
      // Not in another mount namespace: paths of what is open in this one would mean nothing there.
      Deno.chdir(base);
      const data = `lowerdir=${names.join(":")},userxattr`;
      mount("overlay", mountpoint, { type: "overlay", data });
    } else {
      F.close(mountRoot({ kind: overlay, base, layers: [...names], mountpoint }));
      this.#root[Symbol.dispose]();
      this.#root = new RootDirectory(this.path);
      this.#rootPath = realPath(this.#root.fd);
    }
    this.#mounted.push(mountpoint);
    return mountpoint;
  }

  /**
   * Opens a directory that this layer has just made once more, past the overlay: nothing below it can show through, and
   * making many files takes half the time.
   */
  openPast({ path }: TargetDirectory): { fd: number; root: string } {
    const root = F.openat(F.AT_FDCWD, this.#past, F.O_RDONLY | F.O_DIRECTORY);
    try {
      const flags = F.O_RDONLY | F.O_DIRECTORY;
      const fd = F.openat2(root, encodeName(path || "."), flags, F.RESOLVE_NO_SYMLINKS);
      return { fd, root: this.#past };
    } finally {
      F.close(root);
    }
  }

  /** The text of a file of the root. */
  readFile(path: string): string | undefined {
    return readRootFile(this.path, path);
  }

  /** What is at a path, links followed; undefined for nothing. */
  stat(path: string): F.Stat | undefined {
    try {
      const name = encodeName(cleanSource(path) || ".");
      const fd = F.openat2(this.fd, name, F.O_PATH, F.RESOLVE_IN_ROOT | F.RESOLVE_NO_MAGICLINKS);
      try {
        return F.lstatat(fd, "");
      } finally {
        F.close(fd);
      }
    } catch (error) {
      if (error instanceof SyscallError && ["ENOENT", "ENOTDIR", "ELOOP"].includes(error.code)) {
        return undefined;
      }
      throw error;
    }
  }

  /** Where a path leads if its last part is a link: what is written there goes through it, if only in this root. */
  followLinks(path: string): string {
    let at = cleanSource(path);
    for (let links = 0; links < LINKS_MAX; links++) {
      const { parent, base } = splitPath(at);
      const fd = this.#tryOpen(parent);
      if (fd === undefined) return at;
      try {
        const name = encodeName(base);
        const stat = F.lstatat(fd, name);
        const directory = this.#pathOf(fd);
        if (stat === undefined || (stat.mode & F.S_IFMT) !== F.S_IFLNK) {
          return directory === "" ? base : `${directory}/${base}`;
        }
        const target = decodeName(F.readlinkat(fd, name));
        at = cleanSource(target.startsWith("/") ? target : `${directory}/${target}`);
      } finally {
        F.close(fd);
      }
    }
    throw new SyscallError("open", ERRNO.ELOOP, path);
  }

  /**
   * Opens a directory, making it and its parents as far as they are missing, of mode 755.
   *
   * @param made Whose the new ones are, and of what time; now, if it does not say.
   * @returns The caller closes it; and whether it is new.
   * @throws {DhowError} If something else is in the way.
   */
  ensureDirectory(
    path: string,
    made: { owner?: Owner | undefined; epoch?: number | undefined } = {},
  ): TargetDirectory & { isNew: boolean } {
    try {
      return this.#ensure(cleanSource(path), made, 0);
    } catch (error) {
      if (!(error instanceof SyscallError) || !["ENOTDIR", "ELOOP"].includes(error.code)) {
        throw error;
      }
      throw new DhowError("conflict", `cannot copy to non-directory: /${cleanSource(path)}`, {
        cause: error,
      });
    }
  }

  #ensure(
    path: string,
    made: { owner?: Owner | undefined; epoch?: number | undefined },
    links: number,
  ): TargetDirectory & { isNew: boolean } {
    const fd = this.#tryOpen(path);
    if (fd !== undefined) return { fd, path: this.#pathOf(fd), isNew: false };
    const { parent, base } = splitPath(path);
    const above = this.#ensure(parent, made, links);
    try {
      const name = encodeName(base);
      const result = F.tryMkdirat(above.fd, name, 0o755);
      if (result === -ERRNO.EEXIST) return this.#ensureTarget(above, name, path, made, links);
      if (result < 0) throw new SyscallError("mkdirat", -result, path);
      const { owner, epoch } = made;
      if (owner !== undefined) F.lchownat(above.fd, name, owner.uid, owner.gid);
      const own = path === "" ? "" : above.path === "" ? base : `${above.path}/${base}`;
      if (epoch !== undefined) this.touchLater(own, epoch);
      const flags = F.O_RDONLY | F.O_DIRECTORY | F.O_NOFOLLOW;
      return { fd: F.openat(above.fd, name, flags), path: own, isNew: true };
    } finally {
      F.close(above.fd);
    }
  }

  /** A link that leads nowhere yet: what it leads to is made. */
  #ensureTarget(
    above: TargetDirectory,
    name: Uint8Array<ArrayBuffer>,
    path: string,
    made: { owner?: Owner | undefined; epoch?: number | undefined },
    links: number,
  ): TargetDirectory & { isNew: boolean } {
    const stat = F.lstatat(above.fd, name);
    if (stat === undefined || (stat.mode & F.S_IFMT) !== F.S_IFLNK) {
      throw new SyscallError("open", ERRNO.ENOTDIR, path);
    }
    if (links >= LINKS_MAX) throw new SyscallError("open", ERRNO.ELOOP, path);
    const target = decodeName(F.readlinkat(above.fd, name));
    const whole = target.startsWith("/") ? target : `${above.path}/${target}`;
    return this.#ensure(cleanSource(whole), made, links + 1);
  }

  #tryOpen(path: string): number | undefined {
    try {
      const flags = F.O_RDONLY | F.O_DIRECTORY;
      const resolve = F.RESOLVE_IN_ROOT | F.RESOLVE_NO_MAGICLINKS;
      return F.openat2(this.fd, encodeName(path || "."), flags, resolve);
    } catch (error) {
      if (error instanceof SyscallError && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  #pathOf(fd: number): string {
    return realPath(fd).slice(this.#rootPath.length).replace(/^\//, "");
  }

  /** Gives a directory of the root its time when all is done: what is made in it changes it. */
  touchLater(path: string, seconds: number): void {
    const at = BigInt(seconds);
    this.#touched.push({ path, times: new BigInt64Array([at, 0n, at, 0n]) });
  }

  /** Gives directories their times. */
  finish(): void {
    for (const { path, times } of this.#touched.toReversed()) {
      const fd = F.openat2(this.fd, encodeName(path || "."), F.O_RDONLY, F.RESOLVE_NO_SYMLINKS);
      F.futimens(fd, times);
      F.close(fd);
    }
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
    Deno.chdir("/");
    for (const path of this.#mounted.toReversed()) detachMount(path);
  }
}
