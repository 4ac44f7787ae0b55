/**
 * Reads a tar archive from bytes that are pushed into it: v7, ustar, pax (local and global headers, extended
 * attributes, sub-second times), GNU (long names, binary numbers) and the four sparse formats.
 *
 * Pushing, not pulling, lets one reader serve a synchronous loop over a file (the unpacker) and an asynchronous stream
 * (load, cp). Memory is bounded by the largest header, which is capped; file content is passed on where it lies.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { concat } from "../lib/concat.ts";
import { decodeName } from "../lib/file_name.ts";
import { decimal, parsePax, parsePaxTime, paxXattrs, SPARSE_MAX, TarFormatError } from "./pax.ts";
import type { TarEntry, TarHandler, TarSegment } from "./tar_entry.ts";
import {
  BLOCK,
  decodeHeader,
  decodeOldSparse,
  decodeSparseExtension,
  isZeroBlock,
  type RawHeader,
} from "./tar_header.ts";

/** Headers of more than this (names, attributes, sparse maps) are refused: Go's archive/tar has the same bound. */
const SPECIAL_MAX = 1 << 20;

const KINDS: Record<string, TarEntry["kind"]> = {
  "0": "file",
  "7": "file",
  "S": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  "D": "directory",
  "6": "fifo",
};

type Bytes = Uint8Array<ArrayBuffer>;

const NO_RECORDS: ReturnType<typeof parsePax> = { values: new Map(), sparse: [] };

/** What the bytes at the read position are. */
type State =
  | { kind: "header" }
  /** A whole number of blocks, to be collected and then given to `done`. */
  | { kind: "collect"; left: number; parts: Bytes[]; done: (bytes: Bytes) => void }
  | { kind: "data"; left: number; padding: number }
  | { kind: "skip"; left: number }
  | { kind: "end" };

/** Reads one archive: `push()` its bytes in order, then `end()`. */
export class TarReader {
  readonly #handler: TarHandler;
  #state: State = { kind: "header" };
  /** Bytes consumed so far; for messages. */
  #position = 0;
  /** The beginning of a header block that was split between two pushes. */
  readonly #partial = new Uint8Array(BLOCK);
  #partialLength = 0;
  #globals = new Map<string, Bytes>();
  #locals: ReturnType<typeof parsePax> | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;
  /** The file being read: its stored segments, which one is next, and how much of it is done. */
  #segments: TarSegment[] = [];
  #segment = 0;
  #segmentDone = 0;

  /** @param handler Told of each member in order; what it throws passes through `push`. */
  constructor(handler: TarHandler) {
    this.#handler = handler;
  }

  /** Takes the next bytes. @throws {DhowError} `invalid_layer` with the position, if they are no tar archive. */
  push(bytes: Bytes): void {
    try {
      let rest = bytes;
      while (rest.length > 0) {
        const used = this.#step(rest);
        this.#position += used;
        rest = rest.subarray(used);
      }
    } catch (error) {
      if (!(error instanceof TarFormatError)) throw error;
      throw this.#error(error.message, error);
    }
  }

  /**
   * Says that no more comes. An archive without the two final zero blocks is taken, as tar and Go take it.
   *
   * @throws {DhowError} `invalid_layer` if a member was cut short.
   */
  end(): void {
    const complete = this.#state.kind === "end" ||
      (this.#state.kind === "header" && this.#partialLength === 0 && !this.#pending());
    if (!complete) throw this.#error("it ends in the middle");
  }

  #pending(): boolean {
    return this.#locals !== undefined || this.#longName !== undefined ||
      this.#longLink !== undefined;
  }

  #error(message: string, cause?: Error): DhowError {
    return new DhowError(
      "invalid_layer",
      `Cannot read tar archive at byte ${this.#position}: ${message}`,
      { cause },
    );
  }

  /** Consumes some of `bytes` and says how many. */
  #step(bytes: Bytes): number {
    const state = this.#state;
    switch (state.kind) {
      case "header":
        return this.#header(bytes);
      case "collect":
        return this.#collect(state, bytes);
      case "data":
        return this.#data(state, bytes);
      case "skip": {
        const used = Math.min(state.left, bytes.length);
        state.left -= used;
        if (state.left === 0) this.#state = { kind: "header" };
        return used;
      }
      case "end":
        return bytes.length;
    }
  }

  #header(bytes: Bytes): number {
    if (this.#partialLength === 0 && bytes.length >= BLOCK) {
      this.#block(bytes);
      return BLOCK;
    }
    const used = Math.min(BLOCK - this.#partialLength, bytes.length);
    this.#partial.set(bytes.subarray(0, used), this.#partialLength);
    this.#partialLength += used;
    if (this.#partialLength === BLOCK) {
      this.#partialLength = 0;
      this.#block(this.#partial);
    }
    return used;
  }

  #block(block: Bytes): void {
    if (block[0] === 0 && isZeroBlock(block)) {
      if (this.#pending()) throw new TarFormatError("an extended header has no member");
      this.#state = { kind: "end" };
      return;
    }
    const header = decodeHeader(block);
    switch (header.type) {
      case "x":
      case "X":
        return this.#special(header, (data) => this.#locals = parsePax(data));
      case "g":
        return this.#special(header, (data) => {
          for (const [key, value] of parsePax(data).values) this.#globals.set(key, value);
        });
      case "L":
        return this.#special(header, (data) => this.#longName = cutAtNul(data));
      case "K":
        return this.#special(header, (data) => this.#longLink = cutAtNul(data));
      case "V": // A volume label.
        return this.#skip(padded(header.sizeBytes));
      default:
        return this.#member(header, block);
    }
  }

  #special(header: RawHeader, done: (data: Bytes) => void): void {
    const size = header.sizeBytes;
    if (size > SPECIAL_MAX) {
      throw new TarFormatError(`extended header of ${size} bytes is too long`);
    }
    this.#collectBytes(padded(size), (data) => {
      this.#state = { kind: "header" };
      done(data.subarray(0, size));
    });
  }

  #collectBytes(length: number, done: (data: Bytes) => void): void {
    if (length === 0) done(new Uint8Array(0));
    else this.#state = { kind: "collect", left: length, parts: [], done };
  }

  #collect(state: State & { kind: "collect" }, bytes: Bytes): number {
    const used = Math.min(state.left, bytes.length);
    // A copy: the caller may reuse its buffer.
    state.parts.push(bytes.slice(0, used));
    state.left -= used;
    if (state.left === 0) state.done(concat(state.parts));
    return used;
  }

  #skip(length: number): void {
    this.#state = length === 0 ? { kind: "header" } : { kind: "skip", left: length };
  }

  /** A member proper: puts together what header, long names and pax records say of it. */
  #member(header: RawHeader, block: Bytes): void {
    const kind = KINDS[header.type];
    if (kind === undefined) {
      throw new TarFormatError(`member of unknown type "${printable(header.type)}"`);
    }
    const pax = this.#takeRecords();
    const entry = this.#entry(kind, header, pax.values);
    const stored = kind === "file" || header.type === "D"
      ? paxNumber(pax.values, "size") ?? header.sizeBytes
      : 0;
    entry.sizeBytes = stored;
    if (header.type === "S") return this.#oldSparse(entry, stored, decodeOldSparse(block));
    const sparse = sparseFormat(pax);
    if (sparse === undefined || entry.kind !== "file") return this.#begin(entry, stored);
    entry.path = stripSlash(sparse.name ?? entry.path);
    entry.sizeBytes = sparse.realSize ?? stored;
    if (sparse.segments !== undefined) return this.#begin(entry, stored, sparse.segments);
    this.#sparseMap(entry, stored, "", []);
  }

  /** Local pax records over global ones; an empty value takes a keyword back. */
  #takeRecords(): ReturnType<typeof parsePax> {
    if (this.#locals === undefined && this.#globals.size === 0) return NO_RECORDS;
    const values = new Map(this.#globals);
    for (const [key, value] of this.#locals?.values ?? []) values.set(key, value);
    for (const [key, value] of values) {
      if (value.length === 0 && !key.includes(".xattr.")) values.delete(key);
    }
    const sparse = this.#locals?.sparse ?? [];
    this.#locals = undefined;
    return { values, sparse };
  }

  #entry(kind: TarEntry["kind"], header: RawHeader, values: Map<string, Bytes>): TarEntry {
    const path = textOf(values, "path") ?? this.#longName ?? header.path;
    const linkPath = textOf(values, "linkpath") ?? this.#longLink ?? header.linkPath;
    this.#longName = this.#longLink = undefined;
    const mtime = values.get("mtime");
    const entry: TarEntry = {
      // Before ustar a directory was a file whose name ends in a slash.
      kind: kind === "file" && path.endsWith("/") && header.type === "0" ? "directory" : kind,
      path: stripSlash(path),
      linkPath: kind === "symlink" || kind === "hardlink" ? linkPath : "",
      mode: header.mode,
      uid: paxNumber(values, "uid") ?? header.uid,
      gid: paxNumber(values, "gid") ?? header.gid,
      userName: textOf(values, "uname") ?? header.userName,
      groupName: textOf(values, "gname") ?? header.groupName,
      sizeBytes: 0,
      mtime: mtime ? parsePaxTime(mtime) : { seconds: header.mtimeSeconds, nanoseconds: 0 },
      major: header.major,
      minor: header.minor,
    };
    if (values.size === 0) return entry;
    const atime = values.get("atime");
    if (atime) entry.atime = parsePaxTime(atime);
    const xattrs = paxXattrs(values);
    if (xattrs) entry.xattrs = xattrs;
    return entry;
  }

  #begin(entry: TarEntry, stored: number, segments?: TarSegment[]): void {
    if (entry.path.includes("\0") || entry.linkPath.includes("\0")) {
      throw new TarFormatError("a name holds a NUL");
    }
    if (segments !== undefined) {
      verifySegments(segments, stored, entry.sizeBytes);
      entry.sparse = segments;
    }
    const content = entry.kind === "directory" ? 0 : stored;
    this.#segments = segments ?? [{ offset: 0, length: content }];
    this.#segment = 0;
    this.#segmentDone = 0;
    if (entry.kind === "directory") entry.sizeBytes = 0;
    this.#handler.entry(entry);
    if (content > 0) {
      this.#state = { kind: "data", left: content, padding: padded(content) - content };
      return;
    }
    this.#handler.endEntry();
    this.#skip(padded(stored));
  }

  #data(state: State & { kind: "data" }, bytes: Bytes): number {
    let used = 0;
    while (used < bytes.length && state.left > 0) {
      const segment = this.#segments[this.#segment]!;
      const rest = segment.length - this.#segmentDone;
      const n = Math.min(rest, state.left, bytes.length - used);
      if (n > 0) {
        this.#handler.data(bytes.subarray(used, used + n), segment.offset + this.#segmentDone);
      }
      used += n;
      state.left -= n;
      this.#segmentDone += n;
      if (this.#segmentDone === segment.length && state.left > 0) {
        this.#segment++;
        this.#segmentDone = 0;
      }
    }
    if (state.left === 0) {
      this.#skip(state.padding);
      this.#handler.endEntry();
    }
    return used;
  }

  #oldSparse(
    entry: TarEntry,
    stored: number,
    map: { segments: TarSegment[]; extended: boolean; realSize: number },
  ): void {
    entry.sizeBytes = map.realSize;
    const more = (segments: TarSegment[], extended: boolean): void => {
      if (segments.length > SPARSE_MAX) throw new TarFormatError("sparse map is too long");
      if (!extended) return this.#begin(entry, stored, segments);
      this.#collectBytes(BLOCK, (block) => {
        const next = decodeSparseExtension(block);
        for (const segment of next.segments) segments.push(segment);
        more(segments, next.extended);
      });
    };
    more(map.segments, map.extended);
  }

  /** Format 1.0: the map stands before the data, as decimal numbers in lines, padded to a block. */
  #sparseMap(entry: TarEntry, stored: number, text: string, lines: number[]): void {
    if (stored < BLOCK) throw new TarFormatError("sparse map is cut short");
    this.#collectBytes(BLOCK, (block) => {
      const parts = (text + new TextDecoder("latin1").decode(block)).split("\n");
      const tail = parts.pop()!;
      for (const part of parts) {
        if (lines.length > 0 && lines.length === 1 + 2 * lines[0]!) break;
        lines.push(decimal(new TextEncoder().encode(part)));
        if (lines[0]! > SPARSE_MAX) throw new TarFormatError("sparse map is too long");
      }
      const wanted = lines.length === 0 ? Infinity : 1 + 2 * lines[0]!;
      const rest = stored - BLOCK;
      if (lines.length < wanted) {
        if (tail.length > 32) throw new TarFormatError("sparse map is no list of numbers");
        return this.#sparseMap(entry, rest, tail, lines);
      }
      const segments: TarSegment[] = [];
      for (let i = 1; i < wanted; i += 2) {
        segments.push({ offset: lines[i]!, length: lines[i + 1]! });
      }
      this.#begin(entry, rest, segments);
    });
  }
}

/** What pax says of a sparse file; `segments` is undefined in format 1.0, where they stand before the data. */
function sparseFormat(
  pax: ReturnType<typeof parsePax>,
): { segments: TarSegment[] | undefined; realSize?: number; name?: string } | undefined {
  const { values } = pax;
  const major = textOf(values, "GNU.sparse.major");
  const map = textOf(values, "GNU.sparse.map");
  if (major === undefined && map === undefined && !values.has("GNU.sparse.size")) return undefined;
  const name = textOf(values, "GNU.sparse.name");
  const realSize = paxNumber(values, "GNU.sparse.realsize") ?? paxNumber(values, "GNU.sparse.size");
  const common = {
    ...(name !== undefined && { name }),
    ...(realSize !== undefined && { realSize }),
  };
  if (major === "1") return { ...common, segments: undefined };
  if (map === undefined) return { ...common, segments: pax.sparse };
  const numbers = map.split(",").map((part) => decimal(new TextEncoder().encode(part)));
  if (numbers.length % 2 !== 0) throw new TarFormatError("sparse map has an odd length");
  const segments: TarSegment[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    segments.push({ offset: numbers[i]!, length: numbers[i + 1]! });
  }
  return { ...common, segments };
}

function verifySegments(segments: TarSegment[], stored: number, realSize: number): void {
  let end = 0;
  let sum = 0;
  for (const { offset, length } of segments) {
    if (offset < end || offset + length > realSize) {
      throw new TarFormatError("sparse map is out of order");
    }
    end = offset + length;
    sum += length;
  }
  if (sum !== stored) throw new TarFormatError("sparse map does not match the data");
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

function stripSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.replace(/\/+$/, "") || "/" : path;
}

function cutAtNul(bytes: Bytes): string {
  const nul = bytes.indexOf(0);
  return decodeName(nul < 0 ? bytes : bytes.subarray(0, nul));
}

function textOf(values: Map<string, Bytes>, key: string): string | undefined {
  const value = values.get(key);
  return value && decodeName(value);
}

function paxNumber(values: Map<string, Bytes>, key: string): number | undefined {
  const value = values.get(key);
  return value && decimal(value);
}

function printable(type: string): string {
  return /[ -~]/.test(type) ? type : `\\x${type.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
