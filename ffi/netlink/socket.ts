/**
 * A rtnetlink socket: requests go out together, and each is answered.
 *
 * @see rtnetlink(7)
 * @module
 */
import { ERRNO, SyscallError } from "../errno.ts";
import { type Fd, read, write } from "../fd.ts";
import {
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  HEADER_SIZE,
  type Reply,
  type Request,
  textOf,
} from "./message.ts";

const NLM_F_REQUEST = 1, NLM_F_ACK = 4;
const NLM_F_DUMP = 0x300;
/** The answer leaves out the request's content; attributes follow the error. */
const NLM_F_CAPPED = 0x100, NLM_F_ACK_TLVS = 0x200;
const NLMSG_ERROR = 2, NLMSG_DONE = 3;
const NLMSGERR_ATTR_MSG = 1;

/** Larger than any datagram the kernel sends to one who reads with this much. */
const BUFFER_SIZE = 1 << 16;

/** A request the kernel refused. */
export class NetlinkError extends SyscallError {
  /** What the kernel said of it, if anything. */
  readonly explanation: string;

  constructor(label: string, errno: number, explanation: string) {
    const plain = new SyscallError(label, errno);
    super(label, errno, "", explanation ? `${label}: ${plain.code}: ${explanation}` : undefined);
    this.explanation = explanation;
  }
}

/** Owns its descriptor. Nothing of it is asynchronous: the kernel answers before write(2) returns. */
export class NetlinkSocket implements Disposable {
  readonly #fd: Fd;
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  #sequence = 0;

  /** @param fd A `NETLINK_ROUTE` socket, best with `NETLINK_EXT_ACK` set. */
  constructor(fd: Fd) {
    this.#fd = fd;
  }

  /**
   * Sends requests in one go; all are tried even when one fails.
   *
   * @throws {NetlinkError} Of the first that failed.
   */
  request(...requests: Request[]): void {
    const first = this.tryRequest(...requests).find((error) => error !== undefined);
    if (first !== undefined) throw first;
  }

  /** As `request()`, answering what became of each. */
  tryRequest(...requests: Request[]): (NetlinkError | undefined)[] {
    if (requests.length === 0) return [];
    const base = this.#sequence + 1;
    this.#sequence += requests.length;
    const flags = NLM_F_REQUEST | NLM_F_ACK;
    this.#send(requests.map((one, i) => encodeMessage(one, flags | (one.flags ?? 0), base + i)));
    const errors: (NetlinkError | undefined)[] = requests.map(() => undefined);
    let left = requests.length;
    while (left > 0) {
      for (const reply of this.#receive()) {
        const index = reply.sequence - base;
        if (reply.type !== NLMSG_ERROR || index < 0 || index >= requests.length) continue;
        errors[index] = errorOf(reply, requests[index]!.label);
        left--;
      }
    }
    return errors;
  }

  /** Asks for one object. Undefined if there is none (ENODEV, ENOENT, ESRCH). */
  get(request: Request): Uint8Array | undefined {
    const sequence = ++this.#sequence;
    this.#send([encodeMessage(request, NLM_F_REQUEST | NLM_F_ACK, sequence)]);
    let found: Uint8Array | undefined;
    for (;;) {
      for (const reply of this.#receive()) {
        if (reply.sequence !== sequence) continue;
        if (reply.type !== NLMSG_ERROR) {
          found = reply.body.slice();
          continue;
        }
        const error = errorOf(reply, request.label);
        if (error === undefined) return found;
        if (["ENODEV", "ENOENT", "ESRCH"].includes(error.code)) return undefined;
        throw error;
      }
    }
  }

  /** Asks for all objects of a kind: what follows the header of each. */
  dump(request: Request): Uint8Array[] {
    const sequence = ++this.#sequence;
    this.#send([encodeMessage(request, NLM_F_REQUEST | NLM_F_DUMP, sequence)]);
    const found: Uint8Array[] = [];
    for (;;) {
      for (const reply of this.#receive()) {
        if (reply.sequence !== sequence) continue;
        if (reply.type === NLMSG_DONE) return found;
        if (reply.type === NLMSG_ERROR) {
          const error = errorOf(reply, request.label);
          if (error !== undefined) throw error;
          return found;
        }
        found.push(reply.body.slice());
      }
    }
  }

  #send(messages: Uint8Array<ArrayBuffer>[]): void {
    const bytes = new Uint8Array(messages.reduce((sum, message) => sum + message.length, 0));
    let at = 0;
    for (const message of messages) {
      bytes.set(message, at);
      at += message.length;
    }
    write(this.#fd.number, bytes);
  }

  *#receive(): Generator<Reply> {
    const length = read(this.#fd.number, this.#buffer);
    if (length <= 0) throw new SyscallError("recv", ERRNO.EIO, "netlink");
    yield* decodeMessages(this.#buffer.subarray(0, length));
  }

  [Symbol.dispose](): void {
    this.#fd.close();
  }
}

/** What an NLMSG_ERROR says: nothing with errno 0. */
function errorOf({ body, flags }: Reply, label: string): NetlinkError | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < 4 + HEADER_SIZE) return new NetlinkError(label, ERRNO.EIO, "a cut-off answer");
  const errno = -view.getInt32(0, true);
  if (errno === 0) return undefined;
  if ((flags & NLM_F_ACK_TLVS) === 0) return new NetlinkError(label, errno, "");
  const echoed = (flags & NLM_F_CAPPED) !== 0 ? HEADER_SIZE : view.getUint32(4, true);
  const attributes = decodeAttributes(body.subarray(4 + ((echoed + 3) & ~3)));
  return new NetlinkError(label, errno, textOf(attributes.get(NLMSGERR_ATTR_MSG)));
}
