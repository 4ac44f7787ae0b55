/**
 * A client of D-Bus: one call after the other over a unix socket.
 *
 * @see https://dbus.freedesktop.org/doc/dbus-specification.html
 * @module
 */
import { concat } from "../lib/concat.ts";
import {
  type DbusMessage,
  type DbusValue,
  decodeMessage,
  encodeMessage,
  MESSAGE,
  messageLength,
} from "./dbus_message.ts";

/** What to call, and with what. */
export interface DbusCall {
  /** Nobody, where the other end of the socket is who is called. */
  destination?: string;
  path: string;
  interface: string;
  member: string;
  /** Types of `body`. */
  signature?: string;
  body?: readonly DbusValue[];
}

/** An error that was answered. */
export class DbusError extends Error {
  override readonly name: string = "DbusError";
  /** `org.freedesktop.DBus.Error.AccessDenied`. */
  readonly errorName: string;

  /** Takes what was answered. */
  constructor(errorName: string, message: string) {
    super(message || errorName);
    this.errorName = errorName;
  }
}

/** A connection to a bus, or to a program that speaks D-Bus itself. */
export class DbusConnection implements Disposable {
  readonly #connection: Deno.Conn;
  #serial = 0;
  #pending = new Uint8Array();

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /**
   * Connects and says who we are.
   *
   * @param path Of a unix socket; an abstract one begins with NUL.
   * @throws {Error} If nobody is there, or does not believe us.
   */
  static async open(path: string, uid: number): Promise<DbusConnection> {
    const connection = new DbusConnection(await Deno.connect({ transport: "unix", path }));
    try {
      const identity = new TextEncoder().encode(String(uid)).toHex();
      await connection.#write(new TextEncoder().encode(`\0AUTH EXTERNAL ${identity}\r\n`));
      const answer = await connection.#readLine();
      if (!answer.startsWith("OK ")) throw new Error(`"${path}" does not let us in: ${answer}`);
      await connection.#write(new TextEncoder().encode("BEGIN\r\n"));
      return connection;
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  /** Introduces us to a bus, as one has to. */
  async hello(): Promise<void> {
    await this.call({
      destination: "org.freedesktop.DBus",
      path: "/org/freedesktop/DBus",
      interface: "org.freedesktop.DBus",
      member: "Hello",
    });
  }

  /**
   * Calls a method and waits for the answer.
   *
   * @throws {DbusError} What was answered instead.
   */
  async call(call: DbusCall): Promise<DbusValue[]> {
    const { signature, body = [], ...fields } = call;
    const serial = ++this.#serial;
    await this.#write(encodeMessage({ type: MESSAGE.call, serial, fields, body }, signature));
    for (;;) {
      const message = await this.#readMessage();
      if (message.fields.replySerial !== serial) continue; // a signal
      if (message.type === MESSAGE.answer) return message.body;
      const [text = ""] = message.body;
      throw new DbusError(String(message.fields.errorName ?? ""), String(text));
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  async #readMore(): Promise<void> {
    const buffer = new Uint8Array(4096);
    const n = await this.#connection.read(buffer);
    if (n === null) throw new Error("the connection was closed");
    this.#pending = concat([this.#pending, buffer.subarray(0, n)]);
  }

  async #readLine(): Promise<string> {
    for (;;) {
      const end = this.#pending.indexOf(0x0a);
      if (end >= 0) return new TextDecoder().decode(this.#take(end + 1)).trim();
      if (this.#pending.length > 4096) throw new Error("this is not D-Bus");
      await this.#readMore();
    }
  }

  async #readMessage(): Promise<DbusMessage> {
    while (this.#pending.length < 16) await this.#readMore();
    const length = messageLength(this.#pending.subarray(0, 16));
    while (this.#pending.length < length) await this.#readMore();
    return decodeMessage(this.#take(length));
  }

  #take(length: number): Uint8Array<ArrayBuffer> {
    const taken = this.#pending.slice(0, length);
    this.#pending = this.#pending.slice(length);
    return taken;
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch { /* it is closed */ }
  }
}
