/**
 * Packs a file or a tree into a tar stream.
 *
 * Everything is reached by descriptors: a tree that changes meanwhile leads nowhere else.
 *
 * @module
 */
import { SyscallError } from "../../ffi/errno.ts";
import * as F from "../../ffi/file.ts";
import { fgetxattr, flistxattr } from "../../ffi/xattr.ts";
import { type NestedIds, toContainer } from "../host/nested_ids.ts";
import { decodeName, encodeName } from "../lib/file_name.ts";
import type { TarEntry } from "./tar_entry.ts";
import { encodeTarEntry, TAR_END, tarPadding } from "./tar_writer.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** How members look in the archive. */
export interface MemberOptions {
  /** Last changes to a member; undefined leaves it (and, for a directory, only it) out. */
  edit?: (entry: TarEntry) => TarEntry | undefined;
  /** Owners go into the archive as a user namespace with these ids, below this one, sees them. @default as this one */
  ids?: NestedIds;
  /** Which extended attributes go along. @default none */
  keepsXattr?: (name: string) => boolean;
}

/** What to pack. */
export interface PackOptions extends MemberOptions {
  /** A file, directory or anything else; a link is packed as a link. */
  path: string;
  /** What it is called in the archive; what lies in it follows. */
  name: string;
  /** Directories that are packed without what is in them, told by their path. @default none */
  isHollow?: (path: string) => boolean;
}

/**
 * Packs one path and all below it, parents before children, names sorted.
 *
 * A file that grows or shrinks meanwhile is cut or filled up with zeros to the length its header says. Sockets are
 * left out. Hard links within the tree are kept.
 *
 * @returns The whole archive, in pieces that are valid until the next is asked for.
 */
export function* pack(options: PackOptions): Generator<Bytes> {
  const { path, name } = options;
  const packer = new MemberPacker(options);
  yield* packTree({ dirFd: F.AT_FDCWD, file: encodeName(path), path, name }, packer, options);
  yield TAR_END;
}

/** {@linkcode pack} as a stream. */
export function packStream(options: PackOptions): ReadableStream<Bytes> {
  const pieces = pack(options);
  return new ReadableStream({
    pull(controller) {
      const { done, value } = pieces.next();
      if (done) controller.close();
      else controller.enqueue(value.slice());
    },
    cancel() {
      pieces.return(undefined);
    },
  });
}

/** Something in the tree: where it is reached, and what it is called. */
interface Place {
  dirFd: number;
  file: Bytes;
  path: string;
  name: string;
}

function* packTree(
  place: Place,
  packer: MemberPacker,
  options: PackOptions,
): Generator<Bytes> {
  const stat = F.lstatat(place.dirFd, place.file);
  if (stat === undefined) throw new Deno.errors.NotFound(`${place.path}: no such file`);
  yield* packer.pack(place.dirFd, place.file, place.name, stat);
  if ((stat.mode & F.S_IFMT) !== F.S_IFDIR || options.isHollow?.(place.path)) return;
  const fd = F.openat(place.dirFd, place.file, F.O_RDONLY | F.O_DIRECTORY | F.O_NOFOLLOW);
  try {
    for (const { file, name } of sortedNames(fd)) {
      const child = {
        dirFd: fd,
        file,
        path: `${place.path}/${name}`,
        name: `${place.name}/${name}`,
      };
      try {
        yield* packTree(child, packer, options);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
  } finally {
    F.close(fd);
  }
}

/** Gone between the listing and the look. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof SyscallError && error.code === "ENOENT";
}

/** The names in an open directory, each as the kernel wants it and as text, in the order of the text. */
export function sortedNames(fd: number): { file: Bytes; name: string }[] {
  return F.readNames(fd)
    .map((file) => ({ file, name: decodeName(file.subarray(0, -1)) }))
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Packs members one by one, and remembers which inodes it has seen. */
export class MemberPacker {
  readonly #options: MemberOptions;
  /** Name of the first link to each inode that has several. */
  readonly #inodes = new Map<string, string>();

  constructor(options: MemberOptions) {
    this.#options = options;
  }

  /** One member: `file` in the directory `dirFd`, called `name` in the archive. @param stat What it was just now. */
  *pack(dirFd: number, file: Bytes, name: string, stat: F.Stat): Generator<Bytes> {
    const kind = KINDS[stat.mode & F.S_IFMT];
    if (kind === undefined) return;
    if (kind === "file") return yield* this.#packFile(dirFd, file, name);
    const entry = this.#describe(kind, name, stat);
    if (kind === "symlink") entry.linkPath = decodeName(F.readlinkat(dirFd, file));
    if (kind === "directory" && this.#options.keepsXattr) {
      const fd = F.openat(dirFd, file, F.O_RDONLY | F.O_DIRECTORY | F.O_NOFOLLOW);
      try {
        this.#addXattrs(fd, entry);
      } finally {
        F.close(fd);
      }
    }
    yield* this.#header(entry);
  }

  *#packFile(dirFd: number, file: Bytes, name: string): Generator<Bytes> {
    const fd = F.openat(dirFd, file, F.O_RDONLY | F.O_NOFOLLOW | F.O_NONBLOCK);
    try {
      const stat = F.lstatat(fd, "")!;
      // Something else has its name by now.
      if ((stat.mode & F.S_IFMT) !== F.S_IFREG) return;
      const entry = this.#describe("file", name, stat);
      if (this.#options.keepsXattr) this.#addXattrs(fd, entry);
      const first = this.#linkedTo(name, stat);
      if (first !== undefined) {
        yield* this.#header({ ...entry, kind: "hardlink", linkPath: first, sizeBytes: 0 });
        return;
      }
      const edited = this.#options.edit ? this.#options.edit(entry) : entry;
      if (edited === undefined) return;
      yield encodeTarEntry(edited);
      yield* content(fd, edited.sizeBytes);
    } finally {
      F.close(fd);
    }
  }

  #describe(kind: TarEntry["kind"], name: string, stat: F.Stat): TarEntry {
    const entry = describe(kind, name, stat);
    const { ids } = this.#options;
    if (ids === undefined) return entry;
    const uid = toContainer(ids.uids, entry.uid), gid = toContainer(ids.gids, entry.gid);
    return { ...entry, uid, gid };
  }

  #linkedTo(name: string, { nlink, dev, inode }: F.Stat): string | undefined {
    if (nlink < 2) return undefined;
    const key = `${dev.major}:${dev.minor}:${inode}`;
    const first = this.#inodes.get(key);
    if (first === undefined) this.#inodes.set(key, name);
    return first;
  }

  #addXattrs(fd: number, entry: TarEntry): void {
    for (const name of flistxattr(fd)) {
      if (!this.#options.keepsXattr!(name)) continue;
      const value = fgetxattr(fd, name);
      if (value !== undefined) (entry.xattrs ??= new Map()).set(name, value);
    }
  }

  *#header(entry: TarEntry): Generator<Bytes> {
    const edited = this.#options.edit ? this.#options.edit(entry) : entry;
    if (edited !== undefined) yield encodeTarEntry(edited);
  }
}

const KINDS: Record<number, TarEntry["kind"]> = {
  [F.S_IFREG]: "file",
  [F.S_IFDIR]: "directory",
  [F.S_IFLNK]: "symlink",
  [F.S_IFCHR]: "char",
  [F.S_IFBLK]: "block",
  [F.S_IFIFO]: "fifo",
};

function describe(kind: TarEntry["kind"], name: string, stat: F.Stat): TarEntry {
  const isDevice = kind === "char" || kind === "block";
  return {
    kind,
    path: name,
    linkPath: "",
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    userName: "",
    groupName: "",
    sizeBytes: kind === "file" ? stat.sizeBytes : 0,
    mtime: { seconds: Number(stat.mtime.seconds), nanoseconds: stat.mtime.nanoseconds },
    major: isDevice ? stat.rdev.major : 0,
    minor: isDevice ? stat.rdev.minor : 0,
  };
}

function* content(fd: number, sizeBytes: number): Generator<Bytes> {
  const buffer = new Uint8Array(Math.min(256 * 1024, sizeBytes));
  let left = sizeBytes;
  while (left > 0) {
    const count = F.read(fd, buffer.subarray(0, Math.min(left, buffer.length)));
    if (count === 0) break;
    left -= count;
    yield buffer.subarray(0, count);
  }
  for (; left > 0; left -= Math.min(left, buffer.length)) {
    yield new Uint8Array(Math.min(left, buffer.length));
  }
  yield tarPadding(sizeBytes);
}
