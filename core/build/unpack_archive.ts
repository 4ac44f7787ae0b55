/**
 * `ADD archive.tar.xz /`: what an archive holds, unpacked into a directory of the image.
 *
 * @module
 */
import * as F from "../../ffi/file.ts";
import { DhowError } from "../errors.ts";
import { Decompressor, detectCompression } from "../layer/compression.ts";
import type { TarEntry, TarHandler } from "../layer/tar_entry.ts";
import { TarReader } from "../layer/tar_reader.ts";
import { LayerUnpacker } from "../layer/unpack.ts";
import type { ModeChange, Owner } from "./copy_owner.ts";

const BUFFER_BYTES = 1 << 17;
const BLOCK = 512;
/** An archive may become so many times as large as it is, or this large if that is more, and never larger than this. */
const EXPANSION_MAX = 200, SMALL_BYTES = 1 << 30, LARGE_BYTES = 128 * 2 ** 30;

/** Where to, and how it is to look. */
export interface UnpackArchiveOptions {
  /** Makes the directory. @returns A descriptor, which is closed. */
  into(): number;
  /** @default as the archive says */
  owner?: Owner;
  mode?: ModeChange;
  epoch?: number;
}

/**
 * Unpacks what `fd` holds, if that is a tar archive, compressed or not.
 *
 * @returns False if it is none; nothing was done then, and `fd` is at its beginning.
 * @throws {DhowError} `invalid_layer` for what is broken, leads out of the directory or is out of all proportion.
 */
export function unpackArchive(fd: number, options: UnpackArchiveOptions): boolean {
  if (!isArchive(fd)) {
    F.seek(fd, 0);
    return false;
  }
  F.seek(fd, 0);
  const limit = Math.min(
    Math.max((F.lstatat(fd, "")?.sizeBytes ?? 0) * EXPANSION_MAX, SMALL_BYTES),
    LARGE_BYTES,
  );
  const into = options.into();
  try {
    using unpacker = new LayerUnpacker(`/proc/self/fd/${into}/.`, { whiteouts: false });
    const reader = new TarReader(changed(unpacker, options));
    let length = 0;
    using decompressor = new Decompressor((bytes) => {
      length += bytes.length;
      if (length > limit) throw tooLarge(limit);
      reader.push(bytes);
    });
    const buffer = new Uint8Array(BUFFER_BYTES);
    for (let n = F.read(fd, buffer); n > 0; n = F.read(fd, buffer)) {
      decompressor.push(buffer.subarray(0, n));
    }
    decompressor.end();
    reader.end();
    unpacker.finish();
    return true;
  } finally {
    F.close(into);
  }
}

function changed(handler: TarHandler, options: UnpackArchiveOptions): TarHandler {
  const { owner, mode, epoch } = options;
  return {
    entry: (entry: TarEntry) =>
      handler.entry({
        ...entry,
        ...owner,
        ...mode && entry.kind !== "symlink" && {
          mode: mode(entry.mode, entry.kind === "directory"),
        },
        ...epoch !== undefined && { mtime: { seconds: epoch, nanoseconds: 0 } },
      }),
    data: (bytes, offset) => handler.data(bytes, offset),
    endEntry: () => handler.endEntry(),
  };
}

function tooLarge(limit: number): DhowError {
  return new DhowError(
    "invalid_layer",
    `Cannot unpack archive: it holds more than ${limit} bytes, which is out of proportion to its size`,
  );
}

/** Whether a tar's first header is there, perhaps compressed. */
function isArchive(fd: number): boolean {
  const buffer = new Uint8Array(BUFFER_BYTES);
  const head = buffer.slice(0, F.read(fd, buffer));
  if (detectCompression(head) === undefined) return isTarHeader(head);
  let first: Uint8Array | undefined;
  try {
    using decompressor = new Decompressor((bytes) => first ??= bytes.slice(0, BLOCK));
    decompressor.push(head);
    if (first === undefined) decompressor.end();
  } catch (error) {
    // A missing library is to be heard of; what is cut short or broken is a file like others.
    if (error instanceof DhowError && error.code === "unsupported") throw error;
  }
  return first !== undefined && isTarHeader(first);
}

/** By the sum that each header has of itself. */
function isTarHeader(bytes: Uint8Array): boolean {
  if (bytes.length < BLOCK || bytes[0] === 0) return false;
  const text = new TextDecoder().decode(bytes.subarray(148, 156));
  const stated = parseInt(text.replace(/[\0 ].*$/s, "").trim(), 8);
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += bytes[i]!;
  return stated === sum;
}
