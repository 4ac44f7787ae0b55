/**
 * COPY, ADD and WORKDIR, done as root of the containers' user namespace in a thread of its own.
 *
 * What goes where follows BuildKit: a directory's content is copied, not the directory; a file goes below a destination
 * that is a directory or ends in a slash.
 *
 * @module
 */
import * as F from "../../ffi/file.ts";
import { removeTreeAt } from "../../ffi/file.ts";
import { DhowError } from "../errors.ts";
import { splitPath } from "../layer/root_directory.ts";
import type { CopyRequest, CopySource, MakeDirectoryRequest } from "./build_jobs.ts";
import { assertMapped, type Owner, parseMode, resolveOwner } from "./copy_owner.ts";
import { type CopyLooks, TreeCopier } from "./copy_tree_inside.ts";
import { isPattern } from "./glob.ts";
import { cleanSource, type Found, SourceTree } from "./source_tree.ts";
import { TargetTree } from "./target_tree.ts";
import { unpackArchive } from "./unpack_archive.ts";

/** Makes a layer of the files that `COPY` or `ADD` names. If it throws, the layer's directory is to be removed. */
export function performCopy(request: CopyRequest): Record<string, never> {
  using target = new TargetTree(request.target);
  new Copy(request, target).run();
  target.finish();
  return {};
}

/** Makes a layer with the directory that `WORKDIR` names, if it is missing. */
export function performMakeDirectory(request: MakeDirectoryRequest): Record<string, never> {
  using target = new TargetTree(request.target);
  const owner = request.owner === undefined ? undefined : ownerOf(request.owner, target);
  F.close(target.ensureDirectory(request.path, { owner }).fd);
  return {};
}

function ownerOf(text: string, target: TargetTree): Owner {
  const owner = resolveOwner(text, (path) => target.readFile(path));
  assertMapped(owner);
  return owner;
}

class Copy {
  readonly #request: CopyRequest;
  readonly #target: TargetTree;
  readonly #owner: Owner | undefined;
  readonly #looks: CopyLooks;
  readonly #destination: string;
  /** The destination is a directory, whatever is there. */
  readonly #isDirectory: boolean;

  constructor(request: CopyRequest, target: TargetTree) {
    this.#request = request;
    this.#target = target;
    const { owner, mode, destination, sources, epoch } = request;
    this.#owner = owner === undefined ? undefined : ownerOf(owner, target);
    this.#looks = {
      ...mode !== undefined && { mode: parseMode(mode) },
      ...epoch !== undefined && { epoch },
    };
    this.#isDirectory = destination.endsWith("/") || sources.length > 1;
    this.#destination = cleanSource(destination);
  }

  run(): void {
    for (const source of this.#request.sources) {
      switch (source.kind) {
        case "tree":
          this.#copyTree(source);
          break;
        case "text":
          this.#writeText(source);
          break;
        case "file":
          this.#copyFile(source);
      }
    }
  }

  /** Owner of what is made on the way to the destination. */
  get #made(): { owner?: Owner | undefined; epoch?: number | undefined } {
    return { owner: this.#owner, epoch: this.#request.epoch };
  }

  #copyTree(source: CopySource & { kind: "tree" }): void {
    const { root } = source;
    const path = this.#target.mountSource(root);
    using tree = new SourceTree(path, root.kind === "directory" ? root.ignore : []);
    const pivot = pivotOf(source.path);
    const found = tree.find(source.path, this.#request.parents);
    if (found.length === 0 && !isPattern(source.path)) {
      throw new DhowError(
        "not_found",
        `failed to compute cache key: failed to calculate checksum of ref: "/${
          cleanSource(source.path)
        }": not found`,
      );
    }
    const owner = this.#owner ?? (root.kind === "directory" ? { uid: 0, gid: 0 } : undefined);
    const copier = new TreeCopier(this.#target, tree, {
      ...this.#looks,
      ...owner && { owner },
      excludes: this.#request.excludes,
      keepsXattrs: root.kind === "layers",
    });
    const several = found.length > 1;
    for (const one of found) {
      if (source.unpack && this.#unpack(tree, one)) continue;
      this.#place(copier, one, { several, pivot });
    }
  }

  #place(
    copier: TreeCopier,
    found: Found,
    { several, pivot }: { several: boolean; pivot: string },
  ): void {
    const isDirectory = (found.stat.mode & F.S_IFMT) === F.S_IFDIR;
    if (this.#request.parents) {
      const below = found.named.slice(pivot.length).replace(/^\//, "");
      const { parent, base } = splitPath(below);
      copier.copyParents(this.#destination, parent, pivot, this.#made);
      const at = joined(this.#destination, parent);
      if (isDirectory) copier.copyContent(found, joined(at, base), this.#made);
      else copier.copyFile(found, { directory: at, name: base }, this.#made);
    } else if (isDirectory) {
      copier.copyContent(found, this.#destination, this.#made);
    } else {
      copier.copyFile(found, this.#placeOf(splitPath(found.named).base, several), this.#made);
    }
  }

  /** Where a file of that name goes. */
  #placeOf(name: string, several = false): { directory: string; name: string } {
    const destination = this.#destination;
    if (this.#isDirectory || several || this.#isThereDirectory(destination)) {
      return { directory: destination, name };
    }
    const { parent, base } = splitPath(this.#target.followLinks(destination));
    return { directory: parent, name: base };
  }

  #isThereDirectory(path: string): boolean {
    const stat = this.#target.stat(path);
    return stat !== undefined && (stat.mode & F.S_IFMT) === F.S_IFDIR;
  }

  #writeText({ name, content }: CopySource & { kind: "text" }): void {
    const place = this.#placeOf(name);
    const directory = this.#target.ensureDirectory(place.directory, this.#made);
    try {
      const fd = createOver(directory.fd, place.name);
      try {
        F.writeAll(fd, new TextEncoder().encode(content), name);
        this.#finishFile(fd, 0o644, undefined);
      } finally {
        F.close(fd);
      }
    } finally {
      F.close(directory.fd);
    }
  }

  #copyFile(source: CopySource & { kind: "file" }): void {
    const from = F.openat(F.AT_FDCWD, source.path, F.O_RDONLY);
    try {
      if (source.unpack && this.#unpackFrom(from)) return;
      const place = this.#placeOf(source.name);
      const directory = this.#target.ensureDirectory(place.directory, this.#made);
      try {
        const fd = createOver(directory.fd, place.name);
        try {
          const buffer = new Uint8Array(1 << 18);
          for (let n = F.read(from, buffer); n > 0; n = F.read(from, buffer)) {
            F.writeAll(fd, buffer.subarray(0, n), source.name);
          }
          this.#finishFile(fd, source.mode, source.mtime);
        } finally {
          F.close(fd);
        }
      } finally {
        F.close(directory.fd);
      }
    } finally {
      F.close(from);
    }
  }

  #finishFile(fd: number, mode: number, mtime: number | undefined): void {
    if (this.#owner !== undefined) F.fchown(fd, this.#owner.uid, this.#owner.gid);
    F.fchmod(fd, this.#looks.mode?.(mode, false) ?? mode);
    const seconds = this.#request.epoch ?? mtime;
    if (seconds === undefined) return;
    const at = BigInt(seconds);
    F.futimens(fd, new BigInt64Array([at, 0n, at, 0n]));
  }

  /** Unpacks an archive into the destination; answers false for what is none. */
  #unpack(tree: SourceTree, found: Found): boolean {
    if ((found.stat.mode & F.S_IFMT) !== F.S_IFREG) return false;
    const fd = tree.open(found, F.O_RDONLY);
    try {
      return this.#unpackFrom(fd);
    } finally {
      F.close(fd);
    }
  }

  #unpackFrom(fd: number): boolean {
    return unpackArchive(fd, {
      into: () => this.#target.ensureDirectory(this.#destination, this.#made).fd,
      ...this.#owner && { owner: this.#owner },
      ...this.#looks,
    });
  }
}

/** A new file in the place of whatever is no directory. */
export function createOver(directory: number, name: string): number {
  const stat = F.lstatat(directory, name);
  if (stat !== undefined) {
    if ((stat.mode & F.S_IFMT) === F.S_IFDIR) {
      throw new DhowError("conflict", `cannot copy to directory: ${name}`);
    }
    removeTreeAt(directory, name);
  }
  return F.openat(directory, name, F.O_WRONLY | F.O_CREAT | F.O_EXCL, 0o600);
}

/** The part of a source before `/./`: what `--parents` leaves out. */
function pivotOf(path: string): string {
  const at = path.indexOf("/./");
  return at < 0 ? "" : cleanSource(path.slice(0, at));
}

function joined(directory: string, name: string): string {
  return directory === "" ? name : name === "" ? directory : `${directory}/${name}`;
}
