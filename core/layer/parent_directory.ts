/**
 * The directory that members of an archive are being made in.
 *
 * @module
 */
import { ERRNO, SyscallError } from "../../ffi/errno.ts";
import { close, lchownat, tryMkdirat } from "../../ffi/file.ts";
import { encodeName } from "../lib/file_name.ts";
import { chmodItself, verify } from "./member_attributes.ts";
import { type RootDirectory, splitPath } from "./root_directory.ts";

/** Keeps the descriptor of the directory that was used last: most members lie beside the one before. */
export class ParentDirectory implements Disposable {
  /** Directories that were made because they were missing. */
  readonly implied = new Set<string>();
  readonly #root: RootDirectory;
  readonly #owner: readonly [uid: number, gid: number] | undefined;
  #path: string | undefined;
  #fd = -1;

  /** @param owner Of the directories that are made; by default this process's user. */
  constructor(root: RootDirectory, owner: readonly [uid: number, gid: number] | undefined) {
    this.#root = root;
    this.#owner = owner;
  }

  /** The descriptor of a directory in the tree, made if it is missing; it is not for the caller to close. */
  open(path: string): number {
    if (path === this.#path) return this.#fd;
    this[Symbol.dispose]();
    let fd: number;
    try {
      fd = this.#root.openDirectory(path);
    } catch (error) {
      if (!(error instanceof SyscallError && error.code === "ENOENT")) throw error;
      fd = this.#makeDirectories(path);
    }
    this.#path = path;
    return this.#fd = fd;
  }

  #makeDirectories(path: string): number {
    const { parent, base } = splitPath(path);
    const dirFd = this.open(parent);
    const name = encodeName(base);
    // EEXIST: a symbolic link that leads nowhere; opening it says so.
    const result = tryMkdirat(dirFd, name, 0o755);
    if (result !== -ERRNO.EEXIST) {
      verify("mkdirat", result, path);
      chmodItself(dirFd, name, 0o755);
      if (this.#owner) lchownat(dirFd, name, ...this.#owner);
      this.implied.add(path);
    }
    const fd = this.#root.openDirectory(path);
    this[Symbol.dispose]();
    return fd;
  }

  [Symbol.dispose](): void {
    if (this.#path === undefined) return;
    close(this.#fd);
    this.#path = undefined;
    this.#fd = -1;
  }

  /** The directory, or one above it, may have been replaced: the next use opens it anew. */
  distrust(): void {
    if (this.#path !== undefined) this.#path = "\0";
  }
}
