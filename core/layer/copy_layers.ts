/**
 * Copies layers into one directory, as an overlay of them would look: for machines that have no overlay at all.
 *
 * @module
 */
import * as F from "../../ffi/file.ts";
import { encodeName } from "../lib/file_name.ts";
import { copyLooks, copyNode } from "./copy_tree.ts";
import { LowerDirectory } from "./lower_directory.ts";

/**
 * Makes the directory `into` a copy of what shows of `layers`, hard links within it kept.
 *
 * @param layers Their directories, the topmost first.
 * @throws {SyscallError} for the first thing that cannot be copied; what was copied stays.
 */
export function copyLayers(layers: readonly string[], into: string): void {
  Deno.mkdirSync(into, { mode: 0o755 });
  const to = F.openat(F.AT_FDCWD, into, F.O_RDONLY | F.O_DIRECTORY);
  try {
    using lower = LowerDirectory.open(layers);
    F.fchmod(to, 0o755);
    new LayerCopier(to).copyInto(lower, to, "");
  } finally {
    F.close(to);
  }
}

class LayerCopier {
  readonly #root: number;
  readonly #buffer = new Uint8Array(1 << 18);
  /** Where the first link to each inode that has several was put. */
  readonly #inodes = new Map<string, string>();

  constructor(root: number) {
    this.#root = root;
  }

  /** @param path Of the directory `to`, below the root, with a final slash. */
  copyInto(lower: LowerDirectory, to: number, path: string): void {
    for (const [name, file] of lower.names()) {
      const found = lower.lookup(file);
      if (found === undefined) continue;
      const { dirFd, stat } = found;
      if ((stat.mode & F.S_IFMT) === F.S_IFDIR) {
        this.#copyDirectory(lower, to, { file, path: `${path}${name}/`, dirFd, stat });
      } else if (!this.#link(to, file, `${path}${name}`, stat)) {
        copyNode(dirFd, to, file, stat, this.#buffer);
      }
    }
  }

  #copyDirectory(
    lower: LowerDirectory,
    to: number,
    entry: { file: Uint8Array<ArrayBuffer>; path: string; dirFd: number; stat: F.Stat },
  ): void {
    const { file, path, dirFd, stat } = entry;
    F.tryMkdirat(to, file, 0o700);
    const flags = F.O_RDONLY | F.O_DIRECTORY | F.O_NOFOLLOW;
    const target = F.openat(to, file, flags);
    const source = F.openat(dirFd, file, flags);
    try {
      using inner = lower.enter(file);
      this.copyInto(inner, target, path);
      copyLooks(source, target, stat);
    } finally {
      F.close(source);
      F.close(target);
    }
  }

  #link(to: number, file: Uint8Array<ArrayBuffer>, path: string, stat: F.Stat): boolean {
    if (stat.nlink < 2) return false;
    const key = `${stat.dev.major}:${stat.dev.minor}:${stat.inode}`;
    const first = this.#inodes.get(key);
    if (first === undefined) this.#inodes.set(key, path);
    return first !== undefined && F.tryLinkat(this.#root, encodeName(first), to, file) === 0;
  }
}
