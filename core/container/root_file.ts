/**
 * Reading a small file of a container's root from outside, without leaving that root.
 *
 * @module
 */
import { O_NOCTTY, O_NONBLOCK } from "../../ffi/abi/constants.ts";
import { close, O_DIRECTORY, O_PATH, O_RDONLY, openat2, read } from "../../ffi/file.ts";
import { AT_FDCWD, openat, RESOLVE_IN_ROOT } from "../../ffi/file.ts";
import { SyscallError } from "../../ffi/errno.ts";

/** More than any sane passwd file has. */
const MAX_BYTES = 1 << 20;

/**
 * The text of `path` below the directory `root`; symbolic links lead nowhere out of it.
 *
 * @returns Undefined if there is no such regular file, or it is longer than a megabyte.
 */
export function readRootFile(root: string, path: string): string | undefined {
  let rootFd: number;
  try {
    rootFd = openat(AT_FDCWD, root, O_PATH | O_DIRECTORY);
  } catch {
    return undefined;
  }
  try {
    const fd = openat2(rootFd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, RESOLVE_IN_ROOT);
    try {
      return readRegular(fd);
    } finally {
      close(fd);
    }
  } catch (error) {
    if (error instanceof SyscallError) return undefined;
    throw error;
  } finally {
    close(rootFd);
  }
}

function readRegular(fd: number): string | undefined {
  let bytes = new Uint8Array(4096);
  let length = 0;
  for (;;) {
    const n = read(fd, bytes.subarray(length));
    if (n === 0) return new TextDecoder().decode(bytes.subarray(0, length));
    length += n;
    if (length > MAX_BYTES) return undefined;
    if (length < bytes.length) continue;
    const longer = new Uint8Array(bytes.length * 4);
    longer.set(bytes);
    bytes = longer;
  }
}

/** As {@linkcode readRootFile}, in the first of several directories that has the file: the layers from the top down. */
export function readLayeredFile(roots: readonly string[], path: string): string | undefined {
  for (const root of roots) {
    const text = readRootFile(root, path);
    if (text !== undefined) return text;
  }
  return undefined;
}
