/**
 * A UDP server for containers: a static executable that answers each datagram with the address it came from.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { ProgramBuilder } from "../../ffi/program/builder.ts";
import { makeExecutable } from "../../ffi/program/executable.ts";

/** Writes it. @param port Where it listens, at all IPv4 addresses. */
export function writeDatagramMirror(path: string, port: number): void {
  const p = new ProgramBuilder();
  const everywhere = new Uint8Array(16);
  everywhere.set([C.AF_INET, 0, port >> 8, port & 0xff]);
  const failed = p.label("failed");
  const fd = p.call("socket", [C.AF_INET, C.SOCK_DGRAM, 0], { orElse: failed });
  p.call("bind", [fd, p.bytes(everywhere), 16], { orElse: failed });
  const data = p.buffer(2048), peer = p.buffer(32), size = p.words([0]);
  const again = p.here("again");
  p.store("u64", size, 16);
  p.call("recvfrom", [fd, data, 2048, 0, peer, size]);
  p.call("sendto", [fd, peer, 16, 0, peer, 16]);
  p.jump(again);
  p.place(failed);
  p.return(1);
  Deno.writeFileSync(path, makeExecutable(p.build()).bytes, { mode: 0o755 });
}

/** A client of it. */
export interface MirrorClient extends Disposable {
  /** The port it sends from. */
  readonly port: number;
  /** Asks once, and again every 200 ms until somebody answers. @returns `ADDRESS:PORT` as the server saw it. */
  ask(host: string, port: number): Promise<string>;
}

/** Opens a client. */
export async function mirrorClient(): Promise<MirrorClient> {
  const { createSocket } = await import("node:dgram");
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, resolve));
  return {
    port: socket.address().port,
    async ask(host, port) {
      const answered = new Promise<Uint8Array>((resolve) => socket.once("message", resolve));
      const send = () => socket.send("hello", port, host);
      send();
      const timer = setInterval(send, 200);
      const late = setTimeout(() => socket.emit("message", new Uint8Array(16)), 5000);
      const bytes = await answered;
      clearInterval(timer);
      clearTimeout(late);
      return `${[...bytes.subarray(4, 8)].join(".")}:${bytes[2]! << 8 | bytes[3]!}`;
    },
    [Symbol.dispose]: () => void socket.close(),
  };
}
