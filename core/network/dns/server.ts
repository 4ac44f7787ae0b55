/**
 * The name server of user-defined networks: one process for all of them, listening in the router namespace while it itself
 * stays on the host, whose resolvers it asks for all other names.
 *
 * @module
 */
import { POLLERR, POLLHUP, POLLIN } from "../../../ffi/abi/constants.ts";
import { acceptFrom, type Peer, peerAddress, receiveFrom, sendTo } from "../../../ffi/datagram.ts";
import { type Fd, pollAsync, read, write } from "../../../ffi/fd.ts";
import { formatBytes } from "../subnet.ts";
import { Forwarder } from "./forwarder.ts";
import {
  addressOfPointer,
  type Answer,
  encodeName,
  encodeRefusal,
  encodeResponse,
  parseQuery,
  type Query,
  RCODE,
  TYPE,
} from "./message.ts";
import type { Asker, NameTable } from "./names.ts";
import { ipBytes } from "../ip_bytes.ts";

/** Datagrams taken from one socket before the others have their turn. */
const BURST = 64;
/** Connections at once, and how long one may be silent, in milliseconds. */
const MAX_CLIENTS = 128, CLIENT_IDLE_MS = 10_000;
/** A question is small. */
const MAX_REQUEST = 4096;
/** How often the clock is looked at, in milliseconds. */
const TICK_MS = 1000;

/** The sockets a server listens on. */
export interface ListeningSockets {
  datagrams: readonly number[];
  streams: readonly number[];
}

interface Client {
  fd: Fd;
  asker: string;
  /** What was read and not answered yet. */
  input: Uint8Array<ArrayBuffer>;
  expires: number;
}

type Reply = (response: Uint8Array<ArrayBuffer>) => void;

/** Answers questions until told to stop. */
export class NameServer {
  readonly #names: NameTable;
  readonly #sockets: ListeningSockets;
  readonly #forwarder: Forwarder;
  readonly #clients = new Map<number, Client>();
  readonly #buffer = new Uint8Array(MAX_REQUEST);

  constructor(names: NameTable, sockets: ListeningSockets, forwarder = new Forwarder()) {
    this.#names = names;
    this.#sockets = sockets;
    this.#forwarder = forwarder;
  }

  /** Serves until `isOver`, asked about once a second, says so. */
  async serve(isOver: () => boolean): Promise<void> {
    let next = Date.now() + TICK_MS;
    for (;;) {
      await this.turn(TICK_MS);
      const now = Date.now();
      if (now < next) continue;
      next = now + TICK_MS;
      this.#forwarder.expire(now);
      for (const client of [...this.#clients.values()]) {
        if (client.expires <= now) this.#drop(client);
      }
      if (isOver()) return;
    }
  }

  /** Waits for something to happen and deals with it. */
  async turn(timeoutMs: number): Promise<void> {
    const { datagrams, streams } = this.#sockets;
    const handlers: [number, (fd: number) => void][] = [
      ...datagrams.map((fd) => [fd, this.#datagrams] as [number, (fd: number) => void]),
      ...streams.map((fd) => [fd, this.#connections] as [number, (fd: number) => void]),
      ...this.#forwarder.fds.map((fd) =>
        [fd, (at: number) => this.#forwarder.receive(at)] as [number, (fd: number) => void]
      ),
      ...[...this.#clients.keys()].map((fd) =>
        [fd, this.#stream] as [number, (fd: number) => void]
      ),
    ];
    const entries = handlers.map(([fd]) => ({ fd, events: POLLIN }));
    const ready = await pollAsync(entries, timeoutMs);
    ready.forEach((events, i) => {
      if ((events & (POLLIN | POLLERR | POLLHUP)) !== 0) handlers[i]![1](handlers[i]![0]);
    });
  }

  readonly #datagrams = (fd: number): void => {
    for (let i = 0; i < BURST; i++) {
      const got = receiveFrom(fd, this.#buffer);
      if (got === undefined) return;
      const { size, peer } = got;
      const reply = (response: Uint8Array<ArrayBuffer>) => sendTo(fd, response, peer);
      this.#answer(this.#buffer.slice(0, size), peerText(peer), false, reply);
    }
  };

  readonly #connections = (fd: number): void => {
    try {
      for (let i = 0; i < BURST; i++) {
        const accepted = acceptFrom(fd);
        if (accepted === undefined) return;
        // The oldest gives way: it has had its time.
        const oldest = this.#clients.values().next().value;
        if (this.#clients.size >= MAX_CLIENTS && oldest !== undefined) this.#drop(oldest);
        this.#clients.set(accepted.fd.number, {
          fd: accepted.fd,
          asker: peerText(accepted.peer),
          input: new Uint8Array(),
          expires: Date.now() + CLIENT_IDLE_MS,
        });
      }
    } catch { /* out of descriptors: who waits is accepted later */ }
  };

  readonly #stream = (fd: number): void => {
    const client = this.#clients.get(fd);
    if (client === undefined) return;
    let size: number;
    try {
      size = read(fd, this.#buffer);
    } catch {
      return this.#drop(client);
    }
    if (size < 0) return;
    if (size === 0) return this.#drop(client);
    const input = new Uint8Array(client.input.length + size);
    input.set(client.input);
    input.set(this.#buffer.subarray(0, size), client.input.length);
    client.input = input;
    client.expires = Date.now() + CLIENT_IDLE_MS;
    this.#answerStream(client);
  };

  #answerStream(client: Client): void {
    while (client.input.length >= 2) {
      const size = client.input[0]! << 8 | client.input[1]!;
      if (size > MAX_REQUEST) return this.#drop(client);
      if (client.input.length < 2 + size) return;
      const request = client.input.slice(2, 2 + size);
      client.input = client.input.slice(2 + size);
      this.#answer(request, client.asker, true, (response) => this.#write(client, response));
    }
  }

  #write(client: Client, response: Uint8Array<ArrayBuffer>): void {
    if (!client.fd.isOpen) return;
    const framed = new Uint8Array(2 + response.length);
    new DataView(framed.buffer).setUint16(0, response.length);
    framed.set(response, 2);
    try {
      if (write(client.fd.number, framed) === framed.length) return;
    } catch { /* it is gone */ }
    this.#drop(client); // it does not read what it asked for
  }

  #drop(client: Client): void {
    this.#clients.delete(client.fd.number);
    client.fd.close();
  }

  #answer(
    request: Uint8Array<ArrayBuffer>,
    address: string,
    isStream: boolean,
    reply: Reply,
  ): void {
    const parsed = parseQuery(request);
    if (parsed.kind === "none") return;
    if (parsed.kind === "bad") return reply(encodeRefusal(parsed.id, parsed.rcode));
    const { query } = parsed;
    const asker = this.#names.asker(address);
    if (asker === undefined) {
      return reply(encodeResponse(request, query, [], { rcode: RCODE.refused, isStream }));
    }
    const answers = query.isInternet ? this.#own(asker, query) : undefined;
    if (answers !== undefined) {
      return reply(encodeResponse(request, query, answers, { isStream }));
    }
    if (asker.isConfined) {
      return reply(encodeResponse(request, query, [], { rcode: RCODE.serverFailure, isStream }));
    }
    const { resolvers } = asker;
    const question = { request, query, asker: address, isStream, reply };
    this.#forwarder.forward({ ...question, ...resolvers && { resolvers } });
  }

  /** What we know of the question; undefined if others have to be asked. */
  #own(asker: Asker, { name, type }: Query): Answer[] | undefined {
    if (type === TYPE.ptr) {
      const address = addressOfPointer(name);
      const found = address === undefined ? undefined : this.#names.nameOf(asker, address);
      return found === undefined ? undefined : [{ type, data: encodeName(found) }];
    }
    const version = type === TYPE.aaaa ? 6 : 4;
    const addresses = this.#names.find(asker, name, version);
    if (addresses === undefined) return undefined;
    if (type !== TYPE.a && type !== TYPE.aaaa) return [];
    return addresses.map((address) => ({ type, data: ipBytes(address) }));
  }
}

function peerText(peer: Peer): string {
  return formatBytes(peerAddress(peer));
}
