/**
 * The records of a pax extended header, and what they say about a member: `31 mtime=1350244992.023960108\n`.
 *
 * Values are bytes, since extended attributes travel in them.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_92_13_03
 * @module
 */
import { decodeName } from "../lib/file_name.ts";
import type { TarSegment, TarTime } from "./tar_entry.ts";

/** Keyword to value; `sparse` holds the repeated GNU.sparse.offset/numbytes of format 0.0 in order. */
export interface PaxRecords {
  values: Map<string, Uint8Array<ArrayBuffer>>;
  sparse: TarSegment[];
}

/** What is wrong with a header; the reader adds where. */
export class TarFormatError extends Error {
  override name = "TarFormatError";
}

const EQUALS = 61;
const NEWLINE = 10;
const SPACE = 32;
/** A sparse file of more pieces than this is an attack on memory. */
export const SPARSE_MAX = 1 << 20;

/** Reads the records of one header. @throws {TarFormatError} */
export function parsePax(bytes: Uint8Array<ArrayBuffer>): PaxRecords {
  const records: PaxRecords = { values: new Map(), sparse: [] };
  let at = 0;
  while (at < bytes.length) {
    // Some writers pad the block with NULs that they count into the size.
    if (bytes[at] === 0) break;
    const space = bytes.indexOf(SPACE, at);
    if (space < 0 || space - at > 10) throw new TarFormatError("pax record has no length");
    const length = decimal(bytes.subarray(at, space));
    const end = at + length;
    if (length < 5 || end > bytes.length || bytes[end - 1] !== NEWLINE) {
      throw new TarFormatError("pax record has a wrong length");
    }
    const equals = bytes.indexOf(EQUALS, space);
    if (equals < 0 || equals >= end || equals === space + 1) {
      throw new TarFormatError("pax record has no keyword");
    }
    const key = decodeName(bytes.subarray(space + 1, equals));
    addRecord(records, key, bytes.slice(equals + 1, end - 1));
    at = end;
  }
  return records;
}

function addRecord(records: PaxRecords, key: string, value: Uint8Array<ArrayBuffer>): void {
  if (key === "GNU.sparse.offset") {
    if (records.sparse.length >= SPARSE_MAX) throw new TarFormatError("sparse map is too long");
    records.sparse.push({ offset: decimal(value), length: 0 });
  } else if (key === "GNU.sparse.numbytes") {
    const last = records.sparse.at(-1);
    if (last === undefined) throw new TarFormatError("sparse map has a length without an offset");
    last.length = decimal(value);
  } else records.values.set(key, value);
}

/** Reads an unsigned decimal number of at most 2^53. @throws {TarFormatError} */
export function decimal(bytes: Uint8Array): number {
  const text = decodeName(bytes);
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw new TarFormatError(`"${text.slice(0, 40)}" is no number`);
  return value;
}

/** Reads `-12.5` seconds. @throws {TarFormatError} */
export function parsePaxTime(bytes: Uint8Array): TarTime {
  const text = decodeName(bytes);
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (match === null) throw new TarFormatError(`"${text.slice(0, 40)}" is no time`);
  const seconds = Number(match[2]);
  const nanoseconds = Number((match[3] ?? "").padEnd(9, "0").slice(0, 9));
  if (match[1] === "") return { seconds, nanoseconds };
  if (nanoseconds === 0) return { seconds: -seconds, nanoseconds };
  return { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds };
}

/** The extended attributes among the records, in star's and libarchive's spelling; undefined if there are none. @throws {TarFormatError} */
export function paxXattrs(
  values: Map<string, Uint8Array<ArrayBuffer>>,
): Map<string, Uint8Array<ArrayBuffer>> | undefined {
  let xattrs: Map<string, Uint8Array<ArrayBuffer>> | undefined;
  for (const [key, value] of values) {
    if (key.startsWith("SCHILY.xattr.")) {
      (xattrs ??= new Map()).set(key.slice(13), value);
    } else if (key.startsWith("LIBARCHIVE.xattr.")) {
      const name = decodeURIComponentSafe(key.slice(17));
      if (!xattrs?.has(name)) (xattrs ??= new Map()).set(name, fromBase64(value));
    }
  }
  return xattrs;
}

function decodeURIComponentSafe(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TarFormatError("extended attribute has a broken name");
  }
}

function fromBase64(value: Uint8Array): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(decodeName(value)), (character) => character.charCodeAt(0));
  } catch {
    throw new TarFormatError("extended attribute is no base64");
  }
}
