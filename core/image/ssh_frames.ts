/**
 * How two dhows talk over one connection: frames of a kind, a length and that many bytes.
 *
 *     u8 kind ("J" a message, "D" data)   u32 length, big endian   length bytes
 *
 * Nothing the other side says is believed: lengths are bounded before anything is kept.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { printable } from "../lib/printable.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A message longer than this is an attack on memory. */
const MESSAGE_MAX = 8 << 20;
/** Data comes in pieces of at most this many bytes. */
export const PIECE_MAX = 1 << 18;

const MESSAGE = 0x4a;
const DATA = 0x44;

/** What one side may say to the other in place of what is expected. */
export interface Failure {
  error: { code: string; message: string };
}

/** One end of the connection. */
export class FrameChannel {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(streams: {
    readable: ReadableStream<Uint8Array>;
    writable: WritableStream<Uint8Array>;
  }) {
    this.#reader = streams.readable.getReader();
    this.#writer = streams.writable.getWriter();
  }

  /** Sends a message. @throws {DhowError} `unavailable` if the other side is gone. */
  async send(message: unknown): Promise<void> {
    await this.#sendFrame(MESSAGE, new TextEncoder().encode(JSON.stringify(message)));
  }

  /** Sends a piece of data of at most {@linkcode PIECE_MAX} bytes. */
  async sendData(bytes: Uint8Array): Promise<void> {
    await this.#sendFrame(DATA, bytes);
  }

  async #sendFrame(kind: number, bytes: Uint8Array): Promise<void> {
    const frame = new Uint8Array(5 + bytes.length);
    frame[0] = kind;
    new DataView(frame.buffer).setUint32(1, bytes.length);
    frame.set(bytes, 5);
    try {
      await this.#writer.ready;
      await this.#writer.write(frame);
    } catch (cause) {
      throw closed(cause);
    }
  }

  /**
   * The next message.
   *
   * @throws {DhowError} What the other side says went wrong; `unavailable` if it is gone; `invalid_archive` if it talks
   *   something else.
   */
  async receive<T>(): Promise<T> {
    const bytes = await this.#frame(MESSAGE, MESSAGE_MAX);
    let message: T & Partial<Failure>;
    try {
      message = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch (cause) {
      throw garbled("a message that is no JSON", cause);
    }
    if (message === null || typeof message !== "object") throw garbled("no object");
    if (message.error === undefined) return message;
    throw told(message.error);
  }

  /** The next piece of data. @throws {DhowError} As {@linkcode receive}. */
  async receiveData(): Promise<Bytes> {
    return await this.#frame(DATA, PIECE_MAX);
  }

  async #frame(kind: number, max: number): Promise<Bytes> {
    const head = await this.#take(5);
    const length = new DataView(head.buffer).getUint32(1);
    if (head[0] !== MESSAGE && head[0] !== DATA) {
      throw garbled(`"${new TextDecoder().decode(head).replace(/[^ -~]/g, "?")}..."`);
    }
    if (length > (head[0] === MESSAGE ? MESSAGE_MAX : PIECE_MAX)) throw garbled("a frame too long");
    if (head[0] === kind) return await this.#take(Math.min(length, max));
    // Instead of data, the other side may say why there is none.
    if (kind === DATA) await this.#failure(await this.#take(length));
    throw garbled("a frame of another kind");
  }

  async #failure(bytes: Bytes): Promise<void> {
    const message: Partial<Failure> | null = await new Response(bytes).json().catch(() => null);
    if (message?.error !== undefined) throw told(message.error);
  }

  async #take(length: number): Promise<Bytes> {
    const taken = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      if (this.#rest.length === 0) this.#rest = await this.#more();
      const piece = this.#rest.subarray(0, length - at);
      taken.set(piece, at);
      at += piece.length;
      this.#rest = this.#rest.subarray(piece.length);
    }
    return taken;
  }

  async #more(): Promise<Uint8Array> {
    let result: ReadableStreamReadResult<Uint8Array>;
    try {
      result = await this.#reader.read();
    } catch (cause) {
      throw closed(cause);
    }
    if (result.done) throw closed();
    return result.value;
  }

  /** Says that there is nothing more to come from here. */
  async close(): Promise<void> {
    await this.#writer.close().catch(() => {/* the other side is gone */});
    await this.#reader.cancel().catch(() => {/* as well */});
  }
}

function told(error: Partial<Failure["error"]> | null): DhowError {
  const { message } = error ?? {};
  const text = typeof message === "string" ? message : "it does not say why";
  return new DhowError("unavailable", `The other side says: ${printable(text, 2000)}`);
}

function closed(cause?: unknown): DhowError {
  return new DhowError("unavailable", "The connection to the other dhow broke off", { cause });
}

function garbled(what: string, cause?: unknown): DhowError {
  return new DhowError(
    "invalid_archive",
    `The other side does not talk as dhow does: it sent ${what}`,
    { cause },
  );
}
