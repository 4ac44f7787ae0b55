/**
 * Small files in a tree of strangers, read so that no link leads out of it.
 *
 * @module
 */
import { SyscallError } from "../../../ffi/errno.ts";
import {
  AT_FDCWD,
  close,
  O_DIRECTORY,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  openat,
  openat2,
  read,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from "../../../ffi/file.ts";
import { DhowError } from "../../errors.ts";
import { concat } from "../../lib/concat.ts";
import { encodeName } from "../../lib/file_name.ts";

/** What a Dockerfile, or a list of what to ignore, may take at most. */
export const TEXT_MAX_BYTES = 16 << 20;

/**
 * The text of `path` below `root`, links resolved as if `root` were `/`.
 *
 * @returns Undefined if it is not there.
 * @throws {DhowError} `invalid_argument` if it is a directory or too large.
 */
export function readTextInRoot(root: string, path: string): string | undefined {
  const rootFd = openat(AT_FDCWD, root, O_PATH | O_DIRECTORY);
  try {
    const fd = tryOpen(rootFd, path);
    return fd === undefined ? undefined : readAll(fd, path);
  } finally {
    close(rootFd);
  }
}

function tryOpen(rootFd: number, path: string): number | undefined {
  // O_NONBLOCK: a fifo must not keep us waiting.
  const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  try {
    return openat2(rootFd, encodeName(path), O_RDONLY | O_NONBLOCK, resolve);
  } catch (error) {
    if (error instanceof SyscallError && isMissing(error.code)) return undefined;
    throw error;
  }
}

function isMissing(code: string): boolean {
  return code === "ENOENT" || code === "ENOTDIR";
}

function readAll(fd: number, path: string): string {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const buffer = new Uint8Array(1 << 16);
      const count = read(fd, buffer);
      if (count === 0) break;
      size += count;
      if (size > TEXT_MAX_BYTES) throw tooLarge(path);
      parts.push(buffer.subarray(0, count));
    }
  } catch (error) {
    if (!(error instanceof SyscallError) || error.code !== "EISDIR") throw error;
    throw new DhowError("invalid_argument", `read ${path}: is a directory`, { cause: error });
  } finally {
    close(fd);
  }
  return new TextDecoder().decode(concat(parts));
}

/** What is said of a text of more than {@linkcode TEXT_MAX_BYTES}. */
export function tooLarge(name: string): DhowError {
  return new DhowError(
    "invalid_argument",
    `Cannot read "${name}": it is larger than ${TEXT_MAX_BYTES} bytes`,
  );
}
