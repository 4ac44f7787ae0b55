/**
 * Writes tar archives: ustar headers, with pax records for what does not fit.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
 * @module
 */
import { concat } from "../lib/concat.ts";
import { encodeName } from "../lib/file_name.ts";
import type { TarEntry, TarTime } from "./tar_entry.ts";
import { BLOCK } from "./tar_header.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const TYPES: Record<TarEntry["kind"], string> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  char: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

/** `ustar`, version 00. */
const MAGIC: Bytes = new TextEncoder().encode("ustar\x0000");
/** Largest value of an 11-digit octal field. */
const OCTAL_11 = 0o77777777777;
/** Largest value of a 7-digit octal field. */
const OCTAL_7 = 0o7777777;

/** The two zero blocks that end an archive. */
export const TAR_END: Bytes = new Uint8Array(2 * BLOCK);

/** The zeros that follow a file of `sizeBytes`. */
export function tarPadding(sizeBytes: number): Bytes {
  return new Uint8Array((BLOCK - sizeBytes % BLOCK) % BLOCK);
}

/**
 * Encodes the headers of one member; a file's `sizeBytes` bytes and their padding come after it.
 *
 * `sparse` is ignored: holes are written as zeros. Docker and podman read GNU's sparse formats, but cannot write such a
 * layer again as it was, and then refuse to push it.
 */
export function encodeTarEntry(entry: TarEntry): Bytes {
  const isDirectory = entry.kind === "directory";
  const path = nameBytes(isDirectory ? entry.path + "/" : entry.path);
  const linkPath = nameBytes(entry.linkPath);
  const records: Bytes[] = [];
  if (path.length > 100 || !isAscii(path)) records.push(record("path", path));
  if (linkPath.length > 100 || !isAscii(linkPath)) records.push(record("linkpath", linkPath));
  if (entry.sizeBytes > OCTAL_11) records.push(record("size", text(String(entry.sizeBytes))));
  if (entry.uid > OCTAL_7) records.push(record("uid", text(String(entry.uid))));
  if (entry.gid > OCTAL_7) records.push(record("gid", text(String(entry.gid))));
  if (entry.mtime.nanoseconds > 0 || entry.mtime.seconds < 0) {
    records.push(record("mtime", text(formatTime(entry.mtime))));
  }
  if (entry.atime) records.push(record("atime", text(formatTime(entry.atime))));
  for (const [name, value] of entry.xattrs ?? []) {
    records.push(record(`SCHILY.xattr.${name}`, value));
  }
  const header = encodeHeader(entry, path, linkPath);
  if (records.length === 0) return header;
  const data = concat(records);
  const pax: TarEntry = {
    ...entry,
    kind: "file",
    sizeBytes: data.length,
    mode: 0o644,
    linkPath: "",
  };
  const paxHeader = encodeHeader(pax, path.subarray(0, 100), new Uint8Array(0), "x");
  return concat([paxHeader, data, tarPadding(data.length), header]);
}

function encodeHeader(entry: TarEntry, path: Bytes, linkPath: Bytes, type?: string): Bytes {
  const block = new Uint8Array(BLOCK);
  block.set(path.subarray(0, 100), 0);
  octal(block, { at: 100, digits: 7, value: entry.mode & 0o7777 });
  octal(block, { at: 108, digits: 7, value: entry.uid > OCTAL_7 ? 0 : entry.uid });
  octal(block, { at: 116, digits: 7, value: entry.gid > OCTAL_7 ? 0 : entry.gid });
  const isFile = entry.kind === "file";
  const size = isFile && entry.sizeBytes <= OCTAL_11 ? entry.sizeBytes : 0;
  octal(block, { at: 124, digits: 11, value: size });
  octal(block, { at: 136, digits: 11, value: Math.max(0, entry.mtime.seconds) });
  block[156] = (type ?? TYPES[entry.kind]).charCodeAt(0);
  block.set(linkPath.subarray(0, 100), 157);
  block.set(MAGIC, 257);
  if (entry.userName !== "") block.set(text(entry.userName).subarray(0, 31), 265);
  if (entry.groupName !== "") block.set(text(entry.groupName).subarray(0, 31), 297);
  octal(block, { at: 329, digits: 7, value: entry.major });
  octal(block, { at: 337, digits: 7, value: entry.minor });
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  octal(block, { at: 148, digits: 6, value: sum });
  return block;
}

function octal(block: Bytes, field: { at: number; digits: number; value: number }): void {
  let rest = field.value;
  for (let at = field.at + field.digits - 1; at >= field.at; at--) {
    block[at] = 0x30 + rest % 8;
    rest = Math.floor(rest / 8);
  }
  block[field.at + field.digits] = 0;
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts itself. */
function record(key: string, value: Bytes): Bytes {
  const rest = concat([text(` ${key}=`), value, text("\n")]);
  let length = rest.length;
  while (length !== rest.length + String(length).length) {
    length = rest.length + String(length).length;
  }
  return concat([text(String(length)), rest]);
}

function formatTime({ seconds, nanoseconds }: TarTime): string {
  const total = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  const size = total < 0n ? -total : total;
  const fraction = String(size % 1_000_000_000n).padStart(9, "0").replace(/0+$/, "");
  const whole = `${total < 0n ? "-" : ""}${size / 1_000_000_000n}`;
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** A name without the final NUL that the kernel wants. */
function nameBytes(name: string): Bytes {
  return encodeName(name).subarray(0, -1);
}

function isAscii(bytes: Bytes): boolean {
  return bytes.every((byte) => byte < 0x80);
}

function text(value: string): Bytes {
  return new TextEncoder().encode(value);
}
