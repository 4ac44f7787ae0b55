/**
 * Sizes in docker's notation, and file names whose bytes need not be UTF-8.
 *
 * @module
 */
import { DhowError } from "../errors.ts";

const DECIMAL_UNITS = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const BINARY_POWERS: Record<string, number> = { b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * A size as `docker images` shows it: `1.98MB`, in powers of 1000.
 *
 * @param digits Significant digits.
 */
export function formatSize(sizeBytes: number, digits = 3): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1000 && unit < DECIMAL_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const rounded = Number(value.toPrecision(digits));
  // Go's %.3g turns 999.9 into 1e+03, and docker prints that.
  const text = rounded >= 10 ** digits ? `1e+0${digits}` : String(rounded);
  return text + DECIMAL_UNITS[unit];
}

/**
 * Reads a size such as `64m` or `1.5GiB`, in powers of 1024, as docker's `--memory` and `--shm-size` do.
 *
 * @throws {DhowError} `invalid_argument`, in docker's words.
 */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?(?:([kKmMgGtTpP])(?:[iI]?[bB])?|[bB])?$/.exec(text);
  if (match === null) throw new DhowError("invalid_argument", `invalid size: '${text}'`);
  const power = BINARY_POWERS[(match[2] ?? "b").toLowerCase()] ?? 0;
  return Math.trunc(Number(match[1]) * 1024 ** power);
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Bytes of a file name as a string; each byte that is no UTF-8 becomes a lone surrogate U+DC80..U+DCFF, so none is lost. */
export function decodeName(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeBroken(bytes);
  }
}

function decodeBroken(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at]!;
    const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
    try {
      if (length === 0 || at + length > bytes.length) throw new TypeError();
      text += strict.decode(bytes.subarray(at, at + length));
      at += length;
    } catch {
      text += String.fromCharCode(0xdc00 + lead);
      at++;
    }
  }
  return text;
}

/** The bytes of a name from {@linkcode decodeName}, with a final NUL for the kernel. @throws {DhowError} on a NUL inside. */
export function encodeName(name: string): Uint8Array<ArrayBuffer> {
  if (name.includes("\0")) throw new DhowError("invalid_argument", `NUL in file name "${name}"`);
  if (!/[\udc80-\udcff]/.test(name) || name.isWellFormed()) return encoder.encode(name + "\0");
  const bytes: number[] = [];
  for (const character of name) {
    const code = character.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else bytes.push(...encoder.encode(character));
  }
  bytes.push(0);
  return new Uint8Array(bytes);
}
