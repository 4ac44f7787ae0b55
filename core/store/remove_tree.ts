/**
 * Removing directory trees of the store.
 *
 * @module
 */
import { SyscallError } from "../../ffi/errno.ts";
import { AT_FDCWD, removeTreeAt } from "../../ffi/file.ts";

/** Removes trees as far as it can. @throws {SyscallError} the first failure, when all was tried. */
export function removeTrees(paths: readonly string[]): void {
  let first: unknown;
  for (const path of paths) {
    try {
      removeTreeAt(AT_FDCWD, path);
    } catch (error) {
      first ??= error;
    }
  }
  if (first !== undefined) throw first;
}

/** Removes a tree if this user may; false if files of other ids are in the way. */
export function tryRemoveTree(path: string): boolean {
  try {
    removeTreeAt(AT_FDCWD, path);
    return true;
  } catch (error) {
    if (error instanceof SyscallError && (error.code === "EACCES" || error.code === "EPERM")) {
      return false;
    }
    throw error;
  }
}
