/**
 * Digests of a context's files, so that a build knows whether what it copies has changed.
 *
 * A file that was hashed is not read again while its inode, length, and times of modification and change are the same.
 *
 *     cache/build/files/<directory>     one line a file: digest, inode, length, mtime, ctime, path
 *
 * @module
 */
import { SyscallError } from "../../ffi/errno.ts";
import * as F from "../../ffi/file.ts";
import { lgetxattr, llistxattr } from "../../ffi/xattr.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { procPath } from "../layer/member_attributes.ts";
import { isXattrKept } from "../layer/xattr_policy.ts";
import { decodeName } from "../lib/file_name.ts";
import { sha256Hex } from "../lib/sha256.ts";
import { compilePatterns, type IgnoreMatcher } from "./ignore.ts";
import { isPattern } from "./glob.ts";
import type { BuildContext } from "./request.ts";
import { cleanSource, type Found, SourceTree } from "./source_tree.ts";

/** Who changes a file twice within this time may leave its times as they were. */
const RACY_NS = 100_000_000n;
/** Up to so many bytes are hashed without loading what hashes fast. */
const FEW_BYTES = 256 * 1024;

/** How long others wait while files are hashed. */
const TURN_MS = 20;

interface KnownFile {
  digest: string;
  /** Inode, length and times. */
  mark: string;
}

interface Hash {
  update(bytes: Uint8Array): Hash;
  digest(encoding: "hex"): string;
}

/** What is copied from a context, as one digest. */
export class ContextDigests {
  readonly #context: BuildContext;
  readonly #path: string = "";
  readonly #countsOwners: boolean = false;
  readonly #tree: SourceTree;
  #known: Map<string, KnownFile> | undefined;
  #hasNew = false;
  #hashed = 0;
  #createHash: ((algorithm: "sha256") => Hash) | undefined;
  readonly #buffer = new Uint8Array(1 << 18);
  #breathedMs = performance.now();

  /** @param paths The store that digests are remembered in; without one owners and attributes count, too. */
  constructor(paths: StorePaths | undefined, context: BuildContext) {
    this.#context = context;
    if (paths === undefined) {
      this.#countsOwners = true;
      this.#known = new Map();
    } else {
      const name = sha256Hex(new TextEncoder().encode(context.directory)).slice(0, 32);
      this.#path = `${paths.cache}/build/files/${name}`;
    }
    this.#tree = openContext(context);
  }

  /** What counts of an inode beside its content. */
  #looksOf(fd: number, file: F.Name, { mode, uid, gid }: F.Stat): string {
    const bits = (mode & 0o7777).toString(8);
    if (!this.#countsOwners) return bits;
    const isLink = (mode & F.S_IFMT) === F.S_IFLNK;
    const path = procPath(fd, file);
    const xattrs = isLink ? [] : llistxattr(path).filter(isXattrKept).sort()
      .map((name) => `${name}=${lgetxattr(path, name)?.toHex()}`);
    return [bits, `${uid}:${gid}`, ...xattrs].join(",");
  }

  /**
   * The digest of what these paths and wildcards mean: names, kinds, permissions, content; no times, no owners.
   *
   * @param doubleStar Whether `**` means directories of any depth.
   * @throws {DhowError} `not_found` in BuildKit's words for a path that means nothing.
   */
  async digest(
    sources: readonly string[],
    excludes: readonly string[] = [],
    doubleStar = false,
  ): Promise<string> {
    const lines: string[] = [];
    const exclude = excludes.length === 0 ? undefined : compilePatterns(excludes);
    for (const source of sources) {
      const found = this.#tree.find(source, doubleStar);
      if (found.length === 0 && !isPattern(source)) {
        throw new DhowError(
          "not_found",
          `failed to compute cache key: failed to calculate checksum of ref: "/${
            cleanSource(source)
          }": not found`,
        );
      }
      for (const one of found) {
        lines.push(`> ${JSON.stringify(one.named)}`);
        await this.#digestTop(one, lines, exclude);
      }
    }
    const text = new TextEncoder().encode(lines.join("\n"));
    if (text.length < FEW_BYTES) return sha256Hex(text);
    await this.#loadHash();
    return this.#createHash!("sha256").update(text).digest("hex");
  }

  async #digestTop(
    found: Found,
    lines: string[],
    exclude: IgnoreMatcher | undefined,
  ): Promise<void> {
    if ((found.stat.mode & F.S_IFMT) === F.S_IFDIR) {
      const fd = this.#tree.open(found, F.O_RDONLY | F.O_DIRECTORY);
      try {
        lines.push(`d ${this.#looksOf(fd, ".", found.stat)}`);
        await this.#digestChildren(fd, found.path, found.path, lines, exclude);
      } finally {
        F.close(fd);
      }
      return;
    }
    const slash = found.path.lastIndexOf("/");
    const parent = slash < 0 ? "" : found.path.slice(0, slash);
    const fd = this.#tree.open({ ...found, path: parent }, F.O_RDONLY | F.O_DIRECTORY);
    try {
      const base = found.path.slice(slash + 1);
      lines.push(await this.#digestFile(fd, base, found.path, found.stat));
    } finally {
      F.close(fd);
    }
  }

  async #digestChildren(
    fd: number,
    directory: string,
    top: string,
    lines: string[],
    exclude: IgnoreMatcher | undefined,
  ): Promise<void> {
    for (const child of this.#tree.children(fd, directory)) {
      const below = top === "" ? child.path : child.path.slice(top.length + 1);
      const isDirectory = (child.stat.mode & F.S_IFMT) === F.S_IFDIR;
      if (exclude?.isIgnored(below) && !(isDirectory && exclude.mayReinclude(below))) continue;
      if (!isDirectory) {
        const line = this.#knownLine(child.path, child.stat) ??
          await this.#digestFile(fd, child.file, child.path, child.stat);
        lines.push(`${below}\0${line}`);
        continue;
      }
      lines.push(`${below}\0d ${this.#looksOf(fd, child.file, child.stat)}`);
      const inner = openSource(fd, child.file, child.path, F.O_DIRECTORY);
      try {
        await this.#digestChildren(inner, child.path, top, lines, exclude);
      } finally {
        F.close(inner);
      }
    }
  }

  /** As {@linkcode ContextDigests.#digestFile}, of a file that need not be read. */
  #knownLine(path: string, stat: F.Stat): string | undefined {
    if ((stat.mode & F.S_IFMT) !== F.S_IFREG) return undefined;
    const known = this.#readKnown().get(path);
    if (known === undefined || known.mark !== markOf(stat)) return undefined;
    return `f ${(stat.mode & 0o7777).toString(8)} ${known.digest}`;
  }

  async #digestFile(fd: number, file: F.Name, path: string, stat: F.Stat): Promise<string> {
    const looks = this.#looksOf(fd, file, stat);
    switch (stat.mode & F.S_IFMT) {
      case F.S_IFLNK:
        return `l ${decodeName(F.readlinkat(fd, file))}${this.#countsOwners ? ` ${looks}` : ""}`;
      case F.S_IFREG: {
        const known = this.#knownLine(path, stat);
        if (known !== undefined) return known;
        if (this.#createHash === undefined && (this.#hashed += stat.sizeBytes) > FEW_BYTES) {
          await this.#loadHash();
        }
        await this.#breathe();
        const digest = this.#hash(openSource(fd, file, path), stat.sizeBytes);
        this.#remember(path, stat, digest);
        return `f ${looks} ${digest}`;
      }
      default:
        return `o ${(stat.mode & F.S_IFMT).toString(8)} ${looks}`;
    }
  }

  /** @param fd Is closed. */
  #hash(fd: number, sizeBytes: number): string {
    try {
      const buffer = this.#buffer;
      if (this.#createHash === undefined) {
        const whole = new Uint8Array(sizeBytes + 1);
        let length = 0;
        for (let n = 1; n > 0 && length < whole.length; length += n) {
          n = F.read(fd, whole.subarray(length));
        }
        return sha256Hex(whole.subarray(0, length));
      }
      const hash = this.#createHash("sha256");
      for (let n = F.read(fd, buffer); n > 0; n = F.read(fd, buffer)) {
        hash.update(buffer.subarray(0, n));
      }
      return hash.digest("hex");
    } finally {
      F.close(fd);
    }
  }

  /** Lets others have their turn: hashing waits for the disk. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#breathedMs < TURN_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.#breathedMs = performance.now();
  }

  async #loadHash(): Promise<void> {
    this.#createHash ??= (await import("node:crypto")).createHash as unknown as (
      algorithm: "sha256",
    ) => Hash;
  }

  #remember(path: string, stat: F.Stat, digest: string): void {
    if (this.#countsOwners) return;
    if (BigInt(Date.now()) * 1_000_000n - stat.ctimeNs < RACY_NS) return;
    this.#readKnown().set(path, { digest, mark: markOf(stat) });
    this.#hasNew = true;
  }

  #readKnown(): Map<string, KnownFile> {
    if (this.#known !== undefined) return this.#known;
    this.#known = new Map();
    let text: string;
    try {
      text = Deno.readTextFileSync(this.#path);
    } catch {
      return this.#known;
    }
    for (const line of text.split("\n")) {
      const [digest, mark, path] = line.split("\t");
      if (digest?.length !== 64 || mark === undefined || path === undefined) continue;
      this.#known.set(path, { digest, mark });
    }
    return this.#known;
  }

  /** Writes down what was hashed. */
  save(): void {
    if (!this.#hasNew) return;
    this.#hasNew = false;
    const lines: string[] = [];
    for (const [path, { digest, mark }] of this.#known ?? []) {
      if (!/[\t\n]/.test(path)) lines.push(`${digest}\t${mark}\t${path}`);
    }
    const temporary = `${this.#path}.${crypto.randomUUID()}`;
    try {
      Deno.mkdirSync(this.#path.slice(0, this.#path.lastIndexOf("/")), {
        recursive: true,
        mode: 0o700,
      });
      Deno.writeTextFileSync(temporary, lines.join("\n"), { mode: 0o600 });
      Deno.renameSync(temporary, this.#path);
    } catch { /* the next build hashes again */ }
  }

  /** Closes the context. */
  close(): void {
    this.save();
    this.#tree[Symbol.dispose]();
  }

  /** The path on the host of what a path of the context means, and whether all of it counts; for a mount. */
  resolve(path: string): { path: string; isWhole: boolean } {
    const [found] = this.#tree.find(path);
    if (found === undefined) {
      throw new DhowError(
        "not_found",
        `failed to compute cache key: failed to calculate checksum of ref: "/${
          cleanSource(path)
        }": not found`,
      );
    }
    const whole = `${this.#context.directory}${found.path === "" ? "" : `/${found.path}`}`;
    return { path: whole, isWhole: this.#context.ignore.length === 0 };
  }
}

/** @throws {DhowError} That names the file as the user would. */
function openSource(dirFd: number, file: F.Name, path: string, flags = 0): number {
  const fd = F.tryOpenat(dirFd, file, F.O_RDONLY | F.O_NOFOLLOW | flags);
  if (fd >= 0) return fd;
  const { message } = new SyscallError("open", -fd, path);
  throw new DhowError("unavailable", `Cannot read the build context: ${message}`);
}

function openContext({ directory, ignore }: BuildContext): SourceTree {
  try {
    return new SourceTree(directory, ignore);
  } catch (cause) {
    throw new DhowError("not_found", `Cannot open the build context "${directory}"`, { cause });
  }
}

function markOf({ dev, inode, sizeBytes, mtime, ctimeNs }: F.Stat): string {
  const modified = `${mtime.seconds}.${mtime.nanoseconds}`;
  return `${dev.major}:${dev.minor}:${inode} ${sizeBytes} ${modified} ${ctimeNs}`;
}
