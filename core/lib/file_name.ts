/**
 * File names as bytes and back: a name need not be UTF-8, and none may be lost on the way.
 *
 * @module
 */
import { DhowError } from "../errors.ts";

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
