/**
 * The lower layers of an overlay, looked into without mounting them: what shows at a name, and from which layer.
 *
 * @module
 */
import * as F from "../../ffi/file.ts";
import { fgetxattr } from "../../ffi/xattr.ts";
import { ERRNO, SyscallError } from "../../ffi/errno.ts";
import { decodeName } from "../lib/file_name.ts";
import { FUSE_OPAQUE_XATTR, OPAQUE_XATTR } from "./whiteout.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Something that shows: where it can be reached, and what it is. */
export interface LowerEntry {
  dirFd: number;
  stat: F.Stat;
}

/** One directory of the merged lower layers. */
export class LowerDirectory implements Disposable {
  /** The directories of that name that are merged, the topmost first. */
  readonly #fds: number[];

  private constructor(fds: number[]) {
    this.#fds = fds;
  }

  /** Opens the roots of layers. @param layers Their directories, the topmost first. */
  static open(layers: readonly string[]): LowerDirectory {
    const fds: number[] = [];
    try {
      for (const layer of layers) fds.push(F.openat(F.AT_FDCWD, layer, F.O_RDONLY | F.O_DIRECTORY));
    } catch (error) {
      fds.forEach(F.close);
      throw error;
    }
    return new LowerDirectory(fds);
  }

  /** A directory with nothing in it. */
  static empty(): LowerDirectory {
    return new LowerDirectory([]);
  }

  /** What shows at `file` (bytes that end in NUL); undefined for nothing. Valid until disposed. */
  lookup(file: Bytes): LowerEntry | undefined {
    for (const dirFd of this.#fds) {
      const stat = F.lstatat(dirFd, file);
      if (stat !== undefined) return isWhiteout(stat) ? undefined : { dirFd, stat };
    }
    return undefined;
  }

  /** The directory that shows at `file`; an empty one if none does. The caller disposes it. */
  enter(file: Bytes): LowerDirectory {
    const fds: number[] = [];
    for (const dirFd of this.#fds) {
      const fd = F.tryOpenat(dirFd, file, F.O_RDONLY | F.O_DIRECTORY | F.O_NOFOLLOW);
      if (fd === -ERRNO.ENOENT) continue;
      // A whiteout, or something that is no directory: it covers what is below.
      if (fd === -ERRNO.ENOTDIR || fd === -ERRNO.ELOOP || fd === -ERRNO.ENXIO) break;
      if (fd < 0) {
        fds.forEach(F.close);
        throw new SyscallError("openat", -fd, decodeName(file.subarray(0, -1)));
      }
      fds.push(fd);
      if (isOpaque(fd)) break;
    }
    return new LowerDirectory(fds);
  }

  /** The names that show, each with its final NUL, by the name as text. */
  names(): Map<string, Bytes> {
    const names = new Map<string, Bytes>();
    for (const fd of this.#fds) {
      for (const file of F.readNames(fd)) {
        const name = decodeName(file.subarray(0, -1));
        if (!names.has(name)) names.set(name, file);
      }
    }
    if (this.#fds.length > 1) {
      for (const [name, file] of names) if (this.lookup(file) === undefined) names.delete(name);
    }
    return names;
  }

  [Symbol.dispose](): void {
    this.#fds.forEach(F.close);
    this.#fds.length = 0;
  }
}

/** Whether it is overlayfs's mark for "gone": a character device 0/0. */
export function isWhiteout({ mode, rdev }: F.Stat): boolean {
  return (mode & F.S_IFMT) === F.S_IFCHR && rdev.major === 0 && rdev.minor === 0;
}

/** Whether an open directory hides what is below it. */
export function isOpaque(fd: number): boolean {
  return [OPAQUE_XATTR, FUSE_OPAQUE_XATTR].some((name) => fgetxattr(fd, name)?.[0] === 0x79); // "y"
}
