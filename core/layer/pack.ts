/**
 * Packs a file or a tree into a tar stream.
 *
 * @module
 */
import type { TarEntry } from "./tar_entry.ts";
import { encodeTarEntry, TAR_END, tarPadding } from "./tar_writer.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What to pack. */
export interface PackOptions {
  /** A file, directory or anything else; a link is packed as a link. */
  path: string;
  /** What it is called in the archive; what lies in it follows. */
  name: string;
  /** Last changes to a member; undefined leaves it (and, for a directory, only it) out. */
  edit?: (entry: TarEntry) => TarEntry | undefined;
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
  const { path, name, edit = (entry) => entry, isHollow = () => false } = options;
  yield* packOne(path, name, { inodes: new Map(), edit, isHollow });
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

interface Context {
  /** Name of the first link to each inode that has several. */
  inodes: Map<string, string>;
  edit: (entry: TarEntry) => TarEntry | undefined;
  isHollow: (path: string) => boolean;
}

function* packOne(path: string, name: string, context: Context): Generator<Bytes> {
  const info = Deno.lstatSync(path);
  const entry = describe(path, name, info);
  if (entry === undefined) return;
  if (entry.kind === "file" && (info.nlink ?? 1) > 1) {
    const inode = `${info.dev}:${info.ino}`;
    const first = context.inodes.get(inode);
    if (first !== undefined) {
      const link = context.edit({ ...entry, kind: "hardlink", linkPath: first, sizeBytes: 0 });
      if (link !== undefined) yield encodeTarEntry(link);
      return;
    }
    context.inodes.set(inode, name);
  }
  const edited = context.edit(entry);
  if (edited !== undefined) {
    yield encodeTarEntry(edited);
    if (edited.kind === "file") yield* content(path, edited.sizeBytes);
  }
  if (entry.kind !== "directory" || context.isHollow(path)) return;
  const children = [...Deno.readDirSync(path)].map((child) => child.name).sort();
  for (const child of children) {
    try {
      yield* packOne(`${path}/${child}`, `${name}/${child}`, context);
    } catch (error) {
      // Gone between the listing and the look.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

function describe(path: string, name: string, info: Deno.FileInfo): TarEntry | undefined {
  const kind = kindOf(info);
  if (kind === undefined) return undefined;
  const mtimeMs = info.mtime?.getTime() ?? 0;
  const seconds = Math.floor(mtimeMs / 1000);
  const device = info.rdev ?? 0;
  const hasDevice = kind === "char" || kind === "block";
  return {
    kind,
    path: name,
    linkPath: kind === "symlink" ? Deno.readLinkSync(path) : "",
    mode: (info.mode ?? 0) & 0o7777,
    uid: info.uid ?? 0,
    gid: info.gid ?? 0,
    userName: "",
    groupName: "",
    sizeBytes: kind === "file" ? info.size : 0,
    mtime: { seconds, nanoseconds: (mtimeMs - seconds * 1000) * 1_000_000 },
    major: hasDevice ? (device >>> 8) & 0xfff : 0,
    minor: hasDevice ? (device & 0xff) | ((device >>> 12) & 0xfff00) : 0,
  };
}

function kindOf(info: Deno.FileInfo): TarEntry["kind"] | undefined {
  if (info.isFile) return "file";
  if (info.isDirectory) return "directory";
  if (info.isSymlink) return "symlink";
  if (info.isCharDevice) return "char";
  if (info.isBlockDevice) return "block";
  return info.isFifo ? "fifo" : undefined;
}

function* content(path: string, sizeBytes: number): Generator<Bytes> {
  using file = Deno.openSync(path);
  const buffer = new Uint8Array(256 * 1024);
  let left = sizeBytes;
  while (left > 0) {
    const count = file.readSync(buffer.subarray(0, Math.min(left, buffer.length)));
    if (count === null) break;
    left -= count;
    yield buffer.subarray(0, count);
  }
  for (; left > 0; left -= Math.min(left, buffer.length)) {
    yield new Uint8Array(Math.min(left, buffer.length));
  }
  yield tarPadding(sizeBytes);
}
