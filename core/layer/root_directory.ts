/**
 * A directory tree that strangers' names are resolved in: nothing they can say leads out of it.
 *
 * @module
 */
import { ERRNO, SyscallError } from "../../ffi/errno.ts";
import {
  close,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  openat,
  openat2,
  readlinkat,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  tryOpenat,
} from "../../ffi/file.ts";
import { DhowError } from "../errors.ts";
import { decodeName, encodeName } from "../lib/file_name.ts";

/** As the kernel: MAXSYMLINKS of <linux/namei.h>. */
const SYMLINKS_MAX = 40;
/** PATH_MAX of <linux/limits.h>, less the final NUL. */
const PATH_MAX = 4095;

/** An open root; disposing closes it. */
export class RootDirectory implements Disposable {
  /** The root itself, opened for reading. */
  readonly fd: number;
  /** Where it was opened; for messages. */
  readonly path: string;
  readonly #openat2: typeof openat2;
  #hasOpenat2 = true;

  /** @param options `openat2`: another implementation, so that a test can play an old kernel. */
  constructor(path: string, options: { openat2?: typeof openat2 } = {}) {
    this.path = path;
    this.fd = openat(-100, path, O_RDONLY | O_DIRECTORY);
    this.#openat2 = options.openat2 ?? openat2;
  }

  /**
   * Opens the directory `path` with `O_PATH`, resolving symbolic links as if this were `/`.
   *
   * @param path Relative, cleaned by {@linkcode cleanPath}; "" is the root.
   * @returns A descriptor that the caller closes.
   * @throws {SyscallError} `ENOENT`, `ENOTDIR`, `ELOOP`.
   */
  openDirectory(path: string): number {
    if (path === "") return openat(this.fd, ".", O_PATH | O_DIRECTORY);
    if (this.#hasOpenat2) {
      try {
        const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
        return this.#openat2(this.fd, encodeName(path), O_PATH | O_DIRECTORY, resolve);
      } catch (error) {
        // ENOSYS: Linux before 5.6. EPERM: an old seccomp filter around us that does not know the call.
        const code = error instanceof SyscallError ? error.code : "";
        if (code !== "ENOSYS" && code !== "EPERM") throw error;
        this.#hasOpenat2 = false;
      }
    }
    return this.#walk(path);
  }

  /** {@linkcode openDirectory} without openat2(2): one component at a time, never following a link in the kernel. */
  #walk(path: string): number {
    const todo = path.split("/").reverse();
    const open = [openat(this.fd, ".", O_PATH | O_DIRECTORY)];
    let links = 0;
    try {
      while (todo.length > 0) {
        const name = todo.pop()!;
        const here = open.at(-1)!;
        if (name === "" || name === ".") continue;
        if (name === "..") {
          if (open.length > 1) close(open.pop()!);
          continue;
        }
        const fd = tryOpenat(here, encodeName(name), O_PATH | O_DIRECTORY | O_NOFOLLOW);
        if (fd >= 0) {
          open.push(fd);
          continue;
        }
        const code = -fd;
        if (code !== ERRNO.ENOTDIR && code !== ERRNO.ELOOP) {
          throw new SyscallError("openat", code, path);
        }
        const target = symlinkTarget(here, name, path);
        if (++links > SYMLINKS_MAX) throw new SyscallError("openat", ERRNO.ELOOP, path);
        if (target.startsWith("/")) { while (open.length > 1) close(open.pop()!); }
        todo.push(...target.split("/").reverse());
      }
      return open.pop()!;
    } finally {
      for (const fd of open) close(fd);
    }
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}

function symlinkTarget(dirFd: number, name: string, path: string): string {
  try {
    return decodeName(readlinkat(dirFd, encodeName(name)));
  } catch (error) {
    if (error instanceof SyscallError && error.code === "EINVAL") {
      throw new SyscallError("openat", ERRNO.ENOTDIR, path);
    }
    throw error;
  }
}

/**
 * Takes the path of an archive member down to what it means below the root: no leading slash, no `.`, `..` or `//`.
 *
 * @returns "" for the root itself.
 * @throws {DhowError} `invalid_layer` if it leads above the root, or is longer than the kernel takes.
 */
export function cleanPath(path: string): string {
  if (!/(^|\/)\.{0,2}(\/|$)/.test(path)) return checkLength(path);
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) {
      throw new DhowError(
        "invalid_layer",
        `Cannot unpack "${path}": it leads out of the root file system`,
      );
    }
  }
  return checkLength(parts.join("/"));
}

function checkLength(path: string): string {
  if (path.length > PATH_MAX) {
    throw new DhowError(
      "invalid_layer",
      `Cannot unpack "${path.slice(0, 60)}...": its path is longer than ${PATH_MAX} bytes`,
    );
  }
  return path;
}

/** Splits a clean path at its last slash: `a/b/c` to `a/b` and `c`. */
export function splitPath(path: string): { parent: string; base: string } {
  const slash = path.lastIndexOf("/");
  return slash < 0
    ? { parent: "", base: path }
    : { parent: path.slice(0, slash), base: path.slice(slash + 1) };
}
