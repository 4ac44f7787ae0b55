/**
 * Netlink messages as bytes: a header, a fixed part, attributes that may nest.
 *
 * @see netlink(7), https://docs.kernel.org/userspace-api/netlink/intro.html
 * @module
 */

/** `struct nlmsghdr`: length, type, flags, sequence number, port. */
export const HEADER_SIZE = 16;

/** Set on attributes that hold attributes. */
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

/** What an attribute may hold; a number is a u32. */
export type AttributeValue = number | string | Uint8Array | Attributes;
/** Attributes by their number, in order. */
export type Attributes = readonly (readonly [type: number, value: AttributeValue | undefined])[];

/** A request without its sequence number. */
export interface Request {
  type: number;
  /** `NLM_F_*`, without REQUEST and ACK. */
  flags?: number;
  /** The fixed part, as `struct ifinfomsg`. */
  fixed: Uint8Array;
  attributes?: Attributes;
  /** What it is for, in the words of an error message: `add the bridge docker0`. */
  label: string;
}

const encoder = new TextEncoder();

/** A u8 attribute's value. */
export function u8(value: number): Uint8Array {
  return Uint8Array.of(value);
}

/** A u16 attribute's value in the machine's order. */
export function u16(value: number): Uint8Array {
  return new Uint8Array(Uint16Array.of(value).buffer);
}

/** Rounds up to four. */
function align(length: number): number {
  return (length + 3) & ~3;
}

/** An attribute's content. Undefined ones were left out before. */
function encodeValue(value: AttributeValue): Uint8Array {
  if (typeof value === "number") return new Uint8Array(Uint32Array.of(value).buffer);
  if (typeof value === "string") return encoder.encode(value + "\0");
  return value instanceof Uint8Array ? value : encodeAttributes(value);
}

/** Attributes one after another; those with the value undefined are left out. */
export function encodeAttributes(attributes: Attributes): Uint8Array {
  const parts: { type: number; bytes: Uint8Array }[] = [];
  let size = 0;
  for (const [type, value] of attributes) {
    if (value === undefined) continue;
    const bytes = encodeValue(value);
    parts.push({ type: Array.isArray(value) ? type | NLA_F_NESTED : type, bytes });
    size += 4 + align(bytes.length);
  }
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  let at = 0;
  for (const { type, bytes } of parts) {
    view.setUint16(at, 4 + bytes.length, true);
    view.setUint16(at + 2, type, true);
    out.set(bytes, at + 4);
    at += 4 + align(bytes.length);
  }
  return out;
}

/** One message. @param flags `NLM_F_*`, all of them. */
export function encodeMessage(
  request: Request,
  flags: number,
  sequence: number,
): Uint8Array<ArrayBuffer> {
  const { type, fixed } = request;
  const attributes = encodeAttributes(request.attributes ?? []);
  const fixedSize = align(fixed.length);
  const out = new Uint8Array(HEADER_SIZE + fixedSize + attributes.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, out.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  out.set(fixed, HEADER_SIZE);
  out.set(attributes, HEADER_SIZE + fixedSize);
  return out;
}

/** A message as it came. */
export interface Reply {
  type: number;
  flags: number;
  sequence: number;
  /** What follows the header. */
  body: Uint8Array;
}

/** Splits a datagram. What is cut off or malformed at its end is dropped. */
export function* decodeMessages(bytes: Uint8Array): Generator<Reply> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + HEADER_SIZE <= bytes.length;) {
    const length = view.getUint32(at, true);
    if (length < HEADER_SIZE || at + length > bytes.length) return;
    yield {
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      body: bytes.subarray(at + HEADER_SIZE, at + length),
    };
    at += align(length);
  }
}

/** The attributes in `bytes`, the last of each type. Malformed rest is dropped. */
export function decodeAttributes(bytes: Uint8Array): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length) break;
    found.set(view.getUint16(at + 2, true) & NLA_TYPE_MASK, bytes.subarray(at + 4, at + length));
    at += align(length);
  }
  return found;
}

/** A text attribute, up to its NUL. */
export function textOf(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "";
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** A u32 attribute; 0 where it is missing. */
export function u32Of(bytes: Uint8Array | undefined): number {
  if (bytes === undefined || bytes.length < 4) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}
