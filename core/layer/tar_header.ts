/**
 * The 512-byte tar header block: v7, ustar and GNU.
 *
 * @see https://www.gnu.org/software/tar/manual/html_node/Standard.html
 * @module
 */
import { decodeName } from "../lib/file_name.ts";
import { TarFormatError } from "./pax.ts";
import type { TarSegment } from "./tar_entry.ts";

/** Length of a header and of the unit that all data is padded to. */
export const BLOCK = 512;

/** A header block as it stands, before pax records and long names change it. */
export interface RawHeader {
  /** The type flag, one character; "\0" reads as "0". */
  type: string;
  path: string;
  linkPath: string;
  mode: number;
  uid: number;
  gid: number;
  sizeBytes: number;
  mtimeSeconds: number;
  userName: string;
  groupName: string;
  major: number;
  minor: number;
}

/** Whether a block is all zeros: two of them end an archive. */
export function isZeroBlock(block: Uint8Array): boolean {
  for (let i = 0; i < BLOCK; i++) if (block[i] !== 0) return false;
  return true;
}

/** Reads one header block. @param block At least 512 bytes. @throws {TarFormatError} */
export function decodeHeader(block: Uint8Array): RawHeader {
  verifyChecksum(block);
  const gnu = block[257] === 0x75 && block[262] === 0x20; // "ustar  \0"
  const ustar = block[257] === 0x75 && block[258] === 0x73 && block[262] === 0; // "ustar\0"
  let path = text(block, 0, 100);
  if (ustar && block[345] !== 0) path = `${text(block, 345, 155)}/${path}`;
  const type = block[156] === 0 ? "0" : String.fromCharCode(block[156]!);
  const device = (type === "3" || type === "4") && (gnu || ustar);
  return {
    type,
    path,
    linkPath: block[157] === 0 ? "" : text(block, 157, 100),
    mode: number(block, 100, 8, "mode") & 0o7777,
    uid: number(block, 108, 8, "uid"),
    gid: number(block, 116, 8, "gid"),
    sizeBytes: number(block, 124, 12, "size"),
    mtimeSeconds: number(block, 136, 12, "mtime"),
    userName: gnu || ustar ? text(block, 265, 32) : "",
    groupName: gnu || ustar ? text(block, 297, 32) : "",
    major: device ? number(block, 329, 8, "devmajor") : 0,
    minor: device ? number(block, 337, 8, "devminor") : 0,
  };
}

function verifyChecksum(block: Uint8Array): void {
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 32 : block[i]!;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stored = number(block, 148, 8, "checksum");
  // Some old systems summed signed characters.
  if (stored !== unsigned && stored !== signed) {
    throw new TarFormatError("header checksum is wrong");
  }
}

/** A NUL-terminated field, or one that fills its place. */
function text(block: Uint8Array, at: number, length: number): string {
  let end = at;
  while (end < at + length && block[end] !== 0) end++;
  return end === at ? "" : decodeName(block.subarray(at, end));
}

/** An octal number, or a binary one where the first bit is set (GNU, star). */
function number(block: Uint8Array, at: number, length: number, field: string): number {
  if (block[at]! & 0x80) return binary(block, at, length, field);
  let i = at;
  const end = at + length;
  while (i < end && (block[i] === 32 || block[i] === 0)) i++;
  let value = 0;
  for (; i < end; i++) {
    const byte = block[i]!;
    if (byte === 32 || byte === 0) break;
    if (byte < 48 || byte > 55) throw new TarFormatError(`header field "${field}" is no number`);
    value = value * 8 + byte - 48;
  }
  return value;
}

function binary(block: Uint8Array, at: number, length: number, field: string): number {
  const negative = (block[at]! & 0x40) !== 0;
  let value = BigInt(negative ? block[at]! - 256 : block[at]! & 0x7f);
  for (let i = at + 1; i < at + length; i++) value = value * 256n + BigInt(block[i]!);
  const result = Number(value);
  if (!Number.isSafeInteger(result) || (negative && field !== "mtime")) {
    throw new TarFormatError(`header field "${field}" is out of range`);
  }
  return result;
}

/** The sparse map in a GNU header of type `S`: up to 4 segments, whether a block of more follows, and the file's real length. */
export function decodeOldSparse(
  block: Uint8Array,
): { segments: TarSegment[]; extended: boolean; realSize: number } {
  return {
    segments: sparseFields(block, 386, 4),
    extended: block[482] !== 0,
    realSize: number(block, 483, 12, "realsize"),
  };
}

/** A block that continues a GNU sparse map: up to 21 segments. */
export function decodeSparseExtension(
  block: Uint8Array,
): { segments: TarSegment[]; extended: boolean } {
  return { segments: sparseFields(block, 0, 21), extended: block[504] !== 0 };
}

function sparseFields(block: Uint8Array, at: number, count: number): TarSegment[] {
  const segments: TarSegment[] = [];
  for (let i = 0; i < count; i++) {
    const field = at + i * 24;
    if (block[field] === 0) break;
    segments.push({
      offset: number(block, field, 12, "sparse offset"),
      length: number(block, field + 12, 12, "sparse length"),
    });
  }
  return segments;
}
