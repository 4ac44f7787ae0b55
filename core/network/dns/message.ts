/**
 * DNS messages, as far as a server needs them that knows a few names and passes the other questions on.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1035, https://www.rfc-editor.org/rfc/rfc6891
 * @module
 */

/** Record types. */
export const TYPE = { a: 1, ptr: 12, aaaa: 28, opt: 41 } as const;
/** Response codes. */
export const RCODE = { noError: 0, formatError: 1, serverFailure: 2, refused: 5 } as const;

const CLASS_IN = 1;
const HEADER_SIZE = 12;
const FLAG_RESPONSE = 0x8000, FLAG_TRUNCATED = 0x200, FLAG_RECURSION_DESIRED = 0x100;
const FLAG_RECURSION_AVAILABLE = 0x80, OPCODE_MASK = 0x7800;
/** A name as the question has it. */
const POINTER_TO_QUESTION = 0xc000 | HEADER_SIZE;
/** As docker has it, in seconds. */
const TTL = 600;
/** What anyone takes in a datagram; what we take. */
const PLAIN_SIZE = 512, OUR_SIZE = 4096;

/** A question. */
export interface Query {
  id: number;
  /** In lower case, labels joined by dots, without the last one; bytes that are no plain letters as `\DDD`. */
  name: string;
  type: number;
  isInternet: boolean;
  recursionDesired: boolean;
  /** Where the question ends. */
  end: number;
  /** The size of datagram the asker takes, where it speaks EDNS. */
  ednsSize?: number;
}

/** What a message from anywhere is: a question, something to be refused with a code, or nothing to answer at all. */
export type Parsed =
  | { kind: "query"; query: Query }
  | { kind: "bad"; id: number; rcode: number }
  | {
    kind: "none";
  };

/** Reads a question. Never throws. */
export function parseQuery(bytes: Uint8Array<ArrayBuffer>): Parsed {
  if (bytes.length < HEADER_SIZE) return { kind: "none" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const id = view.getUint16(0), flags = view.getUint16(2);
  if ((flags & FLAG_RESPONSE) !== 0) return { kind: "none" };
  const bad: Parsed = { kind: "bad", id, rcode: RCODE.formatError };
  if ((flags & OPCODE_MASK) !== 0) return { ...bad, rcode: 4 };
  if (view.getUint16(4) !== 1 || view.getUint16(6) !== 0) return bad;
  const read = readName(bytes, HEADER_SIZE);
  if (read === undefined || read.end + 4 > bytes.length) return bad;
  const end = read.end + 4;
  const ednsSize = readEdns(view, end);
  return {
    kind: "query",
    query: {
      id,
      name: read.name,
      type: view.getUint16(read.end),
      isInternet: view.getUint16(read.end + 2) === CLASS_IN,
      recursionDesired: (flags & FLAG_RECURSION_DESIRED) !== 0,
      end,
      ...ednsSize !== undefined && { ednsSize },
    },
  };
}

/** A name of plain labels: nothing in front of a question could be pointed to. */
function readName(
  bytes: Uint8Array,
  start: number,
): { name: string; end: number } | undefined {
  const labels: string[] = [];
  let at = start;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > 63 || at - start > 254) return undefined;
    at++;
    if (length === 0) return { name: labels.join("."), end: at };
    if (at + length > bytes.length) return undefined;
    labels.push(readLabel(bytes.subarray(at, at + length)));
    at += length;
  }
}

function readLabel(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const char = String.fromCharCode(byte).toLowerCase();
    text += /[a-z0-9_-]/.test(char) ? char : `\\${String(byte).padStart(3, "0")}`;
  }
  return text;
}

/** The size an OPT record right behind the question asks for. */
function readEdns(view: DataView, at: number): number | undefined {
  const isOnly = view.getUint16(8) === 0 && view.getUint16(10) >= 1;
  if (!isOnly || at + 11 > view.byteLength || view.getUint8(at) !== 0) return undefined;
  return view.getUint16(at + 1) === TYPE.opt
    ? Math.max(PLAIN_SIZE, view.getUint16(at + 3))
    : undefined;
}

/** An answer's record: the bytes of an address, or a name. */
export type Answer = { type: number; data: Uint8Array };

/** A name as a record has it. */
export function encodeName(name: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const label of name.split(".")) {
    const encoded = new TextEncoder().encode(label).subarray(0, 63);
    bytes.push(encoded.length, ...encoded);
  }
  bytes.push(0);
  return Uint8Array.from(bytes);
}

/**
 * The response to a question.
 *
 * @param request The message that had the question.
 * @param isStream Over TCP: everything fits.
 */
export function encodeResponse(
  request: Uint8Array,
  query: Query,
  answers: readonly Answer[],
  { rcode = RCODE.noError as number, isStream = false } = {},
): Uint8Array<ArrayBuffer> {
  const edns = query.ednsSize === undefined ? 0 : 11;
  const limit = isStream ? 0xffff : Math.min(OUR_SIZE, query.ednsSize ?? PLAIN_SIZE);
  const whole = answers.reduce((sum, { data }) => sum + 12 + data.length, query.end + edns);
  const isCut = whole > limit;
  const kept = isCut ? [] : answers;
  const out = new Uint8Array(isCut ? query.end + edns : whole);
  const view = new DataView(out.buffer);
  out.set(request.subarray(0, query.end));
  const desired = query.recursionDesired ? FLAG_RECURSION_DESIRED : 0;
  const cut = isCut ? FLAG_TRUNCATED : 0;
  view.setUint16(2, FLAG_RESPONSE | FLAG_RECURSION_AVAILABLE | desired | cut | rcode);
  view.setUint16(6, kept.length);
  view.setUint16(8, 0);
  view.setUint16(10, edns === 0 ? 0 : 1);
  let at = query.end;
  for (const { type, data } of kept) {
    view.setUint16(at, POINTER_TO_QUESTION);
    view.setUint16(at + 2, type);
    view.setUint16(at + 4, CLASS_IN);
    view.setUint32(at + 6, TTL);
    view.setUint16(at + 10, data.length);
    out.set(data, at + 12);
    at += 12 + data.length;
  }
  if (edns !== 0) {
    view.setUint16(at + 1, TYPE.opt);
    view.setUint16(at + 3, OUR_SIZE);
  }
  return out;
}

/** The response to what is no question: its number and a code. */
export function encodeRefusal(id: number, rcode: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(HEADER_SIZE);
  const view = new DataView(out.buffer);
  view.setUint16(0, id);
  view.setUint16(2, FLAG_RESPONSE | FLAG_RECURSION_AVAILABLE | rcode);
  return out;
}

/** Whether `response` answers the question that `request` (with `id` for its number) asked. */
export function answersQuestion(
  response: Uint8Array<ArrayBuffer>,
  request: Uint8Array,
  { id, end }: { id: number; end: number },
): boolean {
  if (response.length < HEADER_SIZE) return false;
  const view = new DataView(response.buffer, response.byteOffset, response.length);
  if (view.getUint16(0) !== id || (view.getUint16(2) & FLAG_RESPONSE) === 0) return false;
  if (view.getUint16(4) === 0) return response.length === HEADER_SIZE; // an error without the question
  if (response.length < end) return false;
  const lower = (byte: number) => byte >= 65 && byte <= 90 ? byte + 32 : byte;
  for (let at = HEADER_SIZE; at < end; at++) {
    if (lower(response[at]!) !== lower(request[at]!)) return false;
  }
  return true;
}

/** The address that a name under in-addr.arpa or ip6.arpa stands for; undefined if it stands for none. */
export function addressOfPointer(name: string): string | undefined {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  if (four !== null) return four.slice(1).reverse().map(Number).join(".");
  const six = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)?.[1];
  if (six === undefined) return undefined;
  const digits = six.replaceAll(".", "").split("").reverse().join("");
  return digits.match(/.{4}/g)!.join(":");
}
