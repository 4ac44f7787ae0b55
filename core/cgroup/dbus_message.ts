/**
 * Messages of D-Bus as bytes, as far as a client of systemd needs them: little-endian, without file descriptors.
 *
 * @see https://dbus.freedesktop.org/doc/dbus-specification.html
 * @module
 */

/** A value of the type that a signature names. Structs and arrays are lists; 64-bit numbers are bigints. */
export type DbusValue = string | number | bigint | boolean | Variant | readonly DbusValue[];

/** A value that brings its type along. */
export interface Variant {
  signature: string;
  value: DbusValue;
}

/** Kinds of messages. */
export const MESSAGE = { call: 1, answer: 2, error: 3, signal: 4 } as const;

/** Codes of header fields. */
const FIELD = {
  path: 1,
  interface: 2,
  member: 3,
  errorName: 4,
  replySerial: 5,
  destination: 6,
  sender: 7,
  signature: 8,
} as const;
type FieldName = keyof typeof FIELD;
const FIELD_TYPES: Readonly<Partial<Record<FieldName, string>>> = {
  path: "o",
  replySerial: "u",
  signature: "g",
};

/** A message taken apart. */
export interface DbusMessage {
  type: number;
  serial: number;
  fields: Partial<Record<FieldName, string | number>>;
  body: DbusValue[];
}

/** Larger ones are nobody's business here: the specification allows 128 MiB. */
export const MAX_MESSAGE_BYTES = 1 << 20;
const LITTLE_ENDIAN = 0x6c, VERSION = 1, HEADER_BYTES = 16, MAX_DEPTH = 32;

/** Encodes a message. @param signature Of the body. */
export function encodeMessage(
  message: Omit<DbusMessage, "body"> & { body?: readonly DbusValue[] },
  signature = "",
): Uint8Array<ArrayBuffer> {
  const body = new Writer();
  const types = splitTypes(signature);
  types.forEach((type, i) => body.write(type, message.body![i]!));
  const fields = { ...message.fields, ...signature !== "" && { signature } };
  const entries = Object.entries(fields).map(([name, value]): DbusValue => {
    const type = FIELD_TYPES[name as FieldName] ?? "s";
    return [FIELD[name as FieldName], { signature: type, value: value! }];
  });
  const head = new Writer();
  for (const byte of [LITTLE_ENDIAN, message.type, 0, VERSION]) head.write("y", byte);
  head.write("u", body.length);
  head.write("u", message.serial);
  head.write("a(yv)", entries);
  head.align(8);
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head.bytes);
  bytes.set(body.bytes, head.length);
  return bytes;
}

/**
 * How long the message is whose first 16 bytes these are.
 *
 * @throws {Error} If it is none, or longer than {@linkcode MAX_MESSAGE_BYTES}.
 */
export function messageLength(head: Uint8Array): number {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (view.getUint8(0) !== LITTLE_ENDIAN) throw new Error("not a little-endian D-Bus message");
  const fields = view.getUint32(12, true), body = view.getUint32(4, true);
  const length = Math.ceil((HEADER_BYTES + fields) / 8) * 8 + body;
  if (length > MAX_MESSAGE_BYTES) throw new Error(`a D-Bus message of ${length} bytes`);
  return length;
}

/** Decodes a whole message. @throws {Error} If it is malformed. */
export function decodeMessage(bytes: Uint8Array): DbusMessage {
  const reader = new Reader(bytes);
  const type = bytes[1]!;
  reader.at = 8;
  const serial = reader.read("u") as number;
  const fields: DbusMessage["fields"] = {};
  for (const entry of reader.read("a(yv)") as DbusValue[][]) {
    const [code, field] = entry as [number, Variant];
    const name = (Object.keys(FIELD) as FieldName[]).find((known) => FIELD[known] === code);
    if (name === undefined) continue;
    if (field.signature !== (FIELD_TYPES[name] ?? "s")) {
      throw new Error(`a D-Bus message whose field "${name}" is malformed`);
    }
    fields[name] = field.value as string | number;
  }
  reader.align(8);
  const signature = String(fields.signature ?? "");
  const body = splitTypes(signature).map((each) => reader.read(each));
  return { type, serial, fields, body };
}

/** The complete types that a signature is made of. @throws {Error} If it is malformed. */
export function splitTypes(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length;) {
    const end = endOfType(signature, at);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

function endOfType(signature: string, at: number, depth = 0): number {
  const code = signature[at];
  if (code === undefined || depth > MAX_DEPTH) throw new Error(`bad D-Bus type "${signature}"`);
  if (code === "a") return endOfType(signature, at + 1, depth + 1);
  if (code !== "(" && code !== "{") {
    if (!"ybnqiuxtdsogvh".includes(code)) throw new Error(`bad D-Bus type "${signature}"`);
    return at + 1;
  }
  const close = code === "(" ? ")" : "}";
  let next = at + 1;
  if (signature[next] === close) throw new Error(`bad D-Bus type "${signature}"`);
  while (signature[next] !== close) next = endOfType(signature, next, depth + 1);
  return next + 1;
}

function alignmentOf(type: string): number {
  if ("ygv".includes(type[0]!)) return 1;
  if ("nq".includes(type[0]!)) return 2;
  return "xtd({".includes(type[0]!) ? 8 : 4;
}

class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.length);
  }

  align(to: number): void {
    this.#grow(Math.ceil(this.length / to) * to - this.length);
  }

  #grow(bytes: number): number {
    const at = this.length;
    this.length += bytes;
    if (this.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  write(type: string, value: DbusValue): void {
    this.align(alignmentOf(type));
    switch (type[0]) {
      case "y":
        return this.#view.setUint8(this.#grow(1), value as number);
      case "b":
        return this.#view.setUint32(this.#grow(4), value ? 1 : 0, true);
      case "u":
        return this.#view.setUint32(this.#grow(4), value as number, true);
      case "t":
        return this.#view.setBigUint64(this.#grow(8), value as bigint, true);
      case "s":
      case "o":
        return this.#text(value as string, 4);
      case "g":
        return this.#text(value as string, 1);
      case "v": {
        const variant = value as Variant;
        this.#text(variant.signature, 1);
        return this.write(variant.signature, variant.value);
      }
      case "a":
        return this.#array(type.slice(1), value as DbusValue[]);
      case "(":
        return splitTypes(type.slice(1, -1)).forEach((each, i) =>
          this.write(each, (value as DbusValue[])[i]!)
        );
    }
    throw new Error(`Cannot write D-Bus type "${type}"`);
  }

  #text(text: string, sizeBytes: 1 | 4): void {
    const encoded = new TextEncoder().encode(text);
    const at = this.#grow(sizeBytes);
    if (sizeBytes === 1) this.#view.setUint8(at, encoded.length);
    else this.#view.setUint32(at, encoded.length, true);
    const start = this.#grow(encoded.length + 1); // and a NUL
    this.#bytes.set(encoded, start);
  }

  #array(type: string, items: readonly DbusValue[]): void {
    const size = this.#grow(4);
    this.align(alignmentOf(type)); // not counted
    const start = this.length;
    for (const item of items) this.write(type, item);
    this.#view.setUint32(size, this.length - start, true);
  }
}

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  align(to: number): void {
    this.at = Math.ceil(this.at / to) * to;
  }

  read(type: string): DbusValue {
    if (++this.#depth > 2 * MAX_DEPTH) throw new Error("a D-Bus message nested too deeply");
    this.align(alignmentOf(type));
    const value = this.#readAligned(type);
    this.#depth--;
    return value;
  }

  #take(bytes: number): number {
    const at = this.at;
    this.at += bytes;
    if (this.at > this.#bytes.length) throw new Error("a D-Bus message cut short");
    return at;
  }

  #readAligned(type: string): DbusValue {
    switch (type[0]) {
      case "y":
        return this.#view.getUint8(this.#take(1));
      case "b":
        return this.#view.getUint32(this.#take(4), true) !== 0;
      case "n":
        return this.#view.getInt16(this.#take(2), true);
      case "q":
        return this.#view.getUint16(this.#take(2), true);
      case "i":
        return this.#view.getInt32(this.#take(4), true);
      case "u":
      case "h":
        return this.#view.getUint32(this.#take(4), true);
      case "x":
        return this.#view.getBigInt64(this.#take(8), true);
      case "t":
        return this.#view.getBigUint64(this.#take(8), true);
      case "d":
        return this.#view.getFloat64(this.#take(8), true);
      case "s":
      case "o":
        return this.#text(this.#view.getUint32(this.#take(4), true));
      case "g":
        return this.#text(this.#view.getUint8(this.#take(1)));
      case "v": {
        const signature = this.#text(this.#view.getUint8(this.#take(1)));
        if (splitTypes(signature).length !== 1) throw new Error("a D-Bus variant without a type");
        return { signature, value: this.read(signature) };
      }
      case "a":
        return this.#array(type.slice(1));
    }
    return splitTypes(type.slice(1, -1)).map((each) => this.read(each));
  }

  #text(size: number): string {
    const at = this.#take(size + 1);
    return new TextDecoder().decode(this.#bytes.subarray(at, at + size));
  }

  #array(type: string): DbusValue[] {
    const size = this.#view.getUint32(this.#take(4), true);
    this.align(alignmentOf(type));
    const end = this.at + size;
    if (end > this.#bytes.length) throw new Error("a D-Bus message cut short");
    const items: DbusValue[] = [];
    while (this.at < end) items.push(this.read(type));
    return items;
  }
}
