/**
 * Questions that are not ours, passed on to the host's resolvers. Each has a socket and a number of its own, so that
 * nobody can answer in their stead.
 *
 * @module
 */
import type { Fd } from "../../../ffi/fd.ts";
import { connectDatagram, receiveFrom, sendTo } from "../../../ffi/datagram.ts";
import { formatBytes } from "../subnet.ts";
import { answersQuestion, encodeResponse, type Query, RCODE } from "./message.ts";
import { Resolvers } from "./resolvers.ts";

const DNS_PORT = 53;
/** How long one resolver may take, in milliseconds. */
const TIMEOUT_MS = 2000;
/** How often each resolver is asked. */
const ROUNDS = 2;
/** Questions under way, of all and of one asker: more are dropped, and asked again by who wants to know. */
const MAX_PENDING = 512, MAX_PENDING_OF_ONE = 128;

/** A question to be passed on. */
export interface Forwarded {
  request: Uint8Array<ArrayBuffer>;
  query: Query;
  /** Who asks. */
  asker: string;
  isStream: boolean;
  /** Who is asked. @default the host's resolvers */
  resolvers?: readonly Uint8Array[];
  reply(response: Uint8Array<ArrayBuffer>): void;
}

interface Pending extends Forwarded {
  fd: Fd;
  /** The question's number on this way. */
  id: number;
  attempt: number;
  expires: number;
}

/** Passes questions on. */
export class Forwarder {
  readonly #resolvers: Resolvers;
  readonly #pending = new Map<number, Pending>();
  readonly #counts = new Map<string, number>();
  readonly #buffer = new Uint8Array(65536);

  constructor(resolvers = new Resolvers()) {
    this.#resolvers = resolvers;
  }

  /** The descriptors answers come by. */
  get fds(): number[] {
    return [...this.#pending.keys()];
  }

  /** Passes a question on; it is answered later, or not at all where too many are under way. */
  forward(question: Forwarded): void {
    const count = this.#counts.get(question.asker) ?? 0;
    const total = [...this.#counts.values()].reduce((sum, n) => sum + n, 0);
    if (count >= MAX_PENDING_OF_ONE || total >= MAX_PENDING) return;
    this.#counts.set(question.asker, count + 1);
    if (question.isStream) void this.#forwardStream(question);
    else this.#ask(question, 0);
  }

  #done({ asker }: Forwarded): void {
    const count = (this.#counts.get(asker) ?? 1) - 1;
    if (count > 0) this.#counts.set(asker, count);
    else this.#counts.delete(asker);
  }

  #ask(question: Forwarded, attempt: number): void {
    const addresses = question.resolvers ?? this.#resolvers.addresses;
    for (let next = attempt; next < ROUNDS * addresses.length; next++) {
      const address = addresses[next % addresses.length]!;
      const fd = connectDatagram({ address, port: DNS_PORT });
      if (fd === undefined) continue;
      const [id] = crypto.getRandomValues(new Uint16Array(1)) as unknown as [number];
      const pending = { ...question, fd, id, attempt: next, expires: Date.now() + TIMEOUT_MS };
      this.#pending.set(fd.number, pending);
      sendTo(fd.number, withId(question.request, id));
      return;
    }
    this.#fail(question);
  }

  #fail(question: Forwarded): void {
    const { request, query, isStream } = question;
    this.#done(question);
    question.reply(
      encodeResponse(request, query, [], { rcode: RCODE.serverFailure, isStream }),
    );
  }

  /** Looks at what has come by a descriptor. */
  receive(fd: number): void {
    const pending = this.#pending.get(fd);
    if (pending === undefined) return;
    const got = receiveFrom(fd, this.#buffer);
    if (got === undefined) return;
    if (got.size === 0) return this.#again(pending); // refused
    const response = this.#buffer.slice(0, got.size);
    const { request, id, query } = pending;
    if (!answersQuestion(response, request, { id, end: query.end })) return;
    this.#close(pending);
    this.#done(pending);
    pending.reply(withId(response, query.id));
  }

  /** Asks others in place of those who have not answered in time. */
  expire(now: number): void {
    for (const pending of [...this.#pending.values()]) {
      if (pending.expires <= now) this.#again(pending);
    }
  }

  #again(pending: Pending): void {
    this.#close(pending);
    this.#ask(pending, pending.attempt + 1);
  }

  #close({ fd }: Pending): void {
    this.#pending.delete(fd.number);
    fd.close();
  }

  /** Over TCP, as it was asked. */
  async #forwardStream(question: Forwarded): Promise<void> {
    for (const address of question.resolvers ?? this.#resolvers.addresses) {
      const response = await askStream(address, question.request);
      if (response === undefined) continue;
      const { id, end } = question.query;
      if (!answersQuestion(response, question.request, { id, end })) continue;
      this.#done(question);
      return question.reply(response);
    }
    this.#ask(question, 0); // some resolvers are not to be had over TCP
  }
}

function withId(message: Uint8Array<ArrayBuffer>, id: number): Uint8Array<ArrayBuffer> {
  const copy = message.slice();
  new DataView(copy.buffer).setUint16(0, id);
  return copy;
}

async function askStream(
  address: Uint8Array,
  request: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const hostname = formatBytes(address);
  const signal = AbortSignal.timeout(2 * TIMEOUT_MS);
  try {
    const connection = await Deno.connect(
      { hostname, port: DNS_PORT, signal } as Deno.ConnectOptions,
    );
    const close = () => {
      try {
        connection.close();
      } catch { /* it is closed */ }
    };
    signal.addEventListener("abort", close);
    try {
      const framed = new Uint8Array(2 + request.length);
      new DataView(framed.buffer).setUint16(0, request.length);
      framed.set(request, 2);
      for (let at = 0; at < framed.length;) at += await connection.write(framed.subarray(at));
      const head = await readWhole(connection, 2);
      return await readWhole(connection, head[0]! << 8 | head[1]!);
    } finally {
      signal.removeEventListener("abort", close);
      close();
    }
  } catch {
    return undefined;
  }
}

async function readWhole(connection: Deno.Conn, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const n = await connection.read(bytes.subarray(at));
    if (n === null) throw new Error("closed");
    at += n;
  }
  return bytes;
}
