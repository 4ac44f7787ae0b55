/**
 * A tree that files are copied from: a context without what its `.dockerignore` takes away, or a stage's root.
 *
 * Paths are resolved by the kernel below the tree's root (`RESOLVE_IN_ROOT`): neither `..` nor a link leads out of it.
 *
 * @module
 */
import { SyscallError } from "../../ffi/errno.ts";
import * as F from "../../ffi/file.ts";
import { decodeName, encodeName } from "../lib/file_name.ts";
import { isPattern, matchPath } from "./glob.ts";
import { compileIgnore } from "./ignore.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Ignore = ReturnType<typeof compileIgnore>;

/** What a source of COPY leads to. */
export interface Found {
  /** Where it is below the root, links resolved; "" is the root itself. */
  path: string;
  /** What the source called it, below the root. */
  named: string;
  stat: F.Stat;
}

/** Something in a directory. */
export interface Child {
  file: Bytes;
  name: string;
  /** Below the root. */
  path: string;
  stat: F.Stat;
}

const NOTHING: Pick<Ignore, "isIgnored" | "mayReinclude"> = {
  isIgnored: () => false,
  mayReinclude: () => false,
};
const RESOLVE = F.RESOLVE_IN_ROOT | F.RESOLVE_NO_MAGICLINKS;
const DIRECTORY = F.O_RDONLY | F.O_DIRECTORY | F.O_NOFOLLOW;

/** An open tree; disposing closes it. */
export class SourceTree implements Disposable {
  /** The root. */
  readonly fd: number;
  readonly #ignore: Pick<Ignore, "isIgnored" | "mayReinclude">;
  readonly #rootPath: string;

  /** @param ignore Lines of a `.dockerignore`. */
  constructor(path: string, ignore: readonly string[] = []) {
    this.fd = F.openat(F.AT_FDCWD, path, F.O_RDONLY | F.O_DIRECTORY);
    this.#rootPath = realPath(this.fd);
    this.#ignore = ignore.length === 0 ? NOTHING : compileIgnore(ignore);
  }

  /**
   * What a path or a wildcard of the Dockerfile means, in the order of names; a path may mean nothing.
   *
   * @param doubleStar Whether `**` means directories of any depth.
   */
  find(pattern: string, doubleStar = false): Found[] {
    const clean = cleanSource(pattern);
    const named = isPattern(clean) ? this.#expand(clean, doubleStar) : [clean];
    return named.flatMap((name) => this.#resolve(name) ?? []);
  }

  /** Opens what was found, for reading. */
  open(found: Found, flags: number): number {
    return F.openat2(this.fd, encodeName(found.path || "."), flags, F.RESOLVE_NO_SYMLINKS);
  }

  /** What an open directory holds, but for what is ignored, sorted by name. */
  children(fd: number, directory: string): Child[] {
    const children: Child[] = [];
    for (const file of F.readNames(fd)) {
      const stat = F.lstatat(fd, file);
      if (stat === undefined) continue;
      const name = decodeName(file.subarray(0, -1));
      const path = directory === "" ? name : `${directory}/${name}`;
      const child = { file, name, path, stat };
      if (!this.#ignore.isIgnored(path) || this.#holdsIncluded(fd, child)) children.push(child);
    }
    return children.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** Whether an ignored directory has something in it that an exception brings back. */
  #holdsIncluded(parent: number, { file, path, stat }: Child): boolean {
    if ((stat.mode & F.S_IFMT) !== F.S_IFDIR || !this.#ignore.mayReinclude(path)) return false;
    const fd = F.openat(parent, file, DIRECTORY);
    try {
      return this.children(fd, path).length > 0;
    } finally {
      F.close(fd);
    }
  }

  #resolve(named: string): Found | undefined {
    let fd: number;
    try {
      fd = F.openat2(this.fd, encodeName(named || "."), F.O_PATH, RESOLVE);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    try {
      const path = realPath(fd).slice(this.#rootPath.length).replace(/^\//, "");
      const stat = F.lstatat(fd, "")!;
      if (path !== "" && this.#ignore.isIgnored(path) && !this.#mayHold(path, stat)) {
        return undefined;
      }
      return { path, named, stat };
    } finally {
      F.close(fd);
    }
  }

  #mayHold(path: string, stat: F.Stat): boolean {
    return (stat.mode & F.S_IFMT) === F.S_IFDIR && this.#ignore.mayReinclude(path);
  }

  /** The paths that a wildcard matches. */
  #expand(pattern: string, doubleStar: boolean): string[] {
    let found = [""];
    for (const part of pattern.split("/")) {
      found = found.flatMap((directory) =>
        part === "**" && doubleStar
          ? this.#below(directory)
          : isPattern(part)
          ? this.#matches(directory, part)
          : [joined(directory, part)]
      );
    }
    return [...new Set(found)];
  }

  /** A directory and all directories below it. */
  #below(directory: string): string[] {
    const found = [directory];
    for (const { path, stat } of this.#list(directory)) {
      if ((stat.mode & F.S_IFMT) === F.S_IFDIR) found.push(...this.#below(path));
    }
    return found;
  }

  #matches(directory: string, pattern: string): string[] {
    return this.#list(directory).filter(({ name }) => matchPath(pattern, name))
      .map(({ name }) => joined(directory, name));
  }

  #list(directory: string): Child[] {
    let fd: number;
    try {
      fd = F.openat2(
        this.fd,
        encodeName(directory || "."),
        F.O_RDONLY | F.O_DIRECTORY,
        RESOLVE,
      );
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
    try {
      return this.children(fd, directory);
    } finally {
      F.close(fd);
    }
  }

  [Symbol.dispose](): void {
    F.close(this.fd);
  }
}

/** A source's path as one below the root: `..` does not lead above it. */
export function cleanSource(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Where an open file is. */
export function realPath(fd: number): string {
  return decodeName(F.readlinkat(F.AT_FDCWD, `/proc/self/fd/${fd}`)).replace(/\/$/, "");
}

function joined(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

function isMissing(error: unknown): boolean {
  return error instanceof SyscallError && ["ENOENT", "ENOTDIR", "ELOOP"].includes(error.code);
}
