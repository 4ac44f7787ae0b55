/**
 * Published ports: sockets that listen on the host, and the process that serves them for a container.
 *
 * @module
 */
import { O_RDONLY, O_RDWR } from "../../ffi/abi/constants.ts";
import { SyscallError } from "../../ffi/errno.ts";
import { type Fd, open } from "../../ffi/fd.ts";
import { boundPort, listenInet } from "../../ffi/inet_socket.ts";
import { spawnOrphan } from "../../ffi/program/spawn.ts";
import { DhowError } from "../errors.ts";
import { ipBytes } from "./ip_bytes.ts";
import type { ProxyTarget } from "./proxy_context.ts";
import { buildProxy, PROXY_NAME } from "./proxy_program.ts";

/** A port of the container that is to be published. */
export interface PortRequest {
  port: number;
  protocol: "tcp" | "udp";
  /** An address of the host; empty for all it has. */
  hostIp: string;
  /** The host's ports to choose from; 0 and 0 for any. */
  first: number;
  last: number;
}

/** A port that is published. */
export interface PublishedPort {
  port: number;
  protocol: "tcp" | "udp";
  hostIp: string;
  hostPort: number;
}

/** A socket that serves a port: of all the host's addresses, of both versions, where the host has IPv6. */
interface OpenedSocket {
  port: number;
  protocol: PortRequest["protocol"];
  version: 4 | 6;
  socket: Fd;
}

/** Sockets that listen, and where. Disposing closes them here; a proxy keeps its own. */
export interface OpenedPorts extends Disposable {
  readonly ports: readonly PublishedPort[];
  readonly sockets: readonly OpenedSocket[];
}

/** Attempts to find a port that is free at all of the host's addresses. */
const ATTEMPTS = 64;

/**
 * Opens what is to be published on the host.
 *
 * @throws {DhowError} `conflict` or `unavailable` if the host does not let us have a port, in docker's words; nothing is
 *   open then.
 */
export function openPorts(requests: readonly PortRequest[]): OpenedPorts {
  const ports: PublishedPort[] = [], sockets: OpenedSocket[] = [];
  const close = () => sockets.forEach(({ socket }) => socket.close());
  try {
    for (const request of requests) {
      const opened = openOne(request);
      const { port, protocol } = request;
      const { hostIps, hostPort, version, socket } = opened;
      sockets.push({ port, protocol, version, socket });
      for (const hostIp of hostIps) ports.push({ port, protocol, hostIp, hostPort });
    }
    return { ports, sockets, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

interface Opened {
  socket: Fd;
  version: 4 | 6;
  hostIps: string[];
  hostPort: number;
}

function openOne(request: PortRequest): Opened {
  const { protocol, hostIp, first, last } = request;
  const candidates = first === 0
    ? new Array<number>(ATTEMPTS).fill(0)
    : Array.from({ length: last - first + 1 }, (_, i) => first + i);
  let failure: unknown;
  for (const candidate of candidates) {
    try {
      const opened = hostIp === ""
        ? listenEverywhere(protocol, candidate)
        : listenAt(protocol, hostIp, candidate);
      return { ...opened, hostPort: candidate || boundPort(opened.socket) };
    } catch (error) {
      failure = error;
      if (!(error instanceof DhowError) || error.code !== "conflict") throw error;
    }
  }
  throw failure;
}

/** One socket for IPv4 and IPv6, or for IPv4 where the host has no IPv6. */
function listenEverywhere(
  protocol: PortRequest["protocol"],
  port: number,
): Omit<Opened, "hostPort"> {
  try {
    const socket = listenInet(protocol, { address: ipBytes("::"), port, isDual: true });
    return { socket, version: 6, hostIps: ["0.0.0.0", "::"] };
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    const isMissing = error.code === "EAFNOSUPPORT" || error.code === "EADDRNOTAVAIL";
    if (!isMissing) throw bindError(error, formatHost("0.0.0.0", port), port);
    return listenAt(protocol, "0.0.0.0", port);
  }
}

function listenAt(
  protocol: PortRequest["protocol"],
  address: string,
  port: number,
): Omit<Opened, "hostPort"> {
  try {
    const socket = listenInet(protocol, { address: ipBytes(address), port });
    return { socket, version: address.includes(":") ? 6 : 4, hostIps: [address] };
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw bindError(error, formatHost(address, port), port);
  }
}

function bindError(error: SyscallError, host: string, port: number): DhowError {
  const failed = `failed to bind host port for ${host}: `;
  const options = { cause: error };
  switch (error.code) {
    case "EADDRINUSE":
      return new DhowError("conflict", `${failed}address already in use`, options);
    case "EACCES":
      return new DhowError(
        "unavailable",
        `${failed}permission denied: ordinary users get ports from ${firstPort()} on; take another one, or allow it: sysctl net.ipv4.ip_unprivileged_port_start=${port}`,
        options,
      );
    case "EADDRNOTAVAIL":
      return new DhowError(
        "invalid_argument",
        `${failed}cannot assign requested address`,
        options,
      );
    case "EMFILE":
    case "ENFILE":
      return new DhowError(
        "unavailable",
        `${failed}too many open files: publish fewer ports, or raise the limit (ulimit -n)`,
        options,
      );
    default:
      return new DhowError("unavailable", `${failed}${error.message}`, options);
  }
}

function firstPort(): string {
  try {
    return Deno.readTextFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start").trim();
  } catch {
    return "1024";
  }
}

/** `0.0.0.0:80`, `[::]:80`. */
export function formatHost(address: string, port: number | string): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** The container that a proxy serves. */
export interface ServedContainer {
  /** Its init. */
  pid: number;
  ipv4?: ProxyTarget;
  ipv6?: ProxyTarget;
}

/**
 * Starts the process that serves a container's ports. It ends with the container's init.
 *
 * @returns Its pid.
 * @throws {DhowError} `unavailable` if it cannot be started.
 */
export function startProxy({ sockets }: OpenedPorts, container: ServedContainer): number {
  using userns = open(`/proc/${container.pid}/ns/user`, O_RDONLY);
  using netns = open(`/proc/${container.pid}/ns/net`, O_RDONLY);
  using devNull = open("/dev/null", O_RDWR);
  const program = buildProxy({
    ...container,
    listeners: sockets.map(({ socket, ...listener }) => ({ fd: socket.number, ...listener })),
    userns: userns.number,
    netns: netns.number,
    devNull: devNull.number,
  });
  const kept = [...sockets.map(({ socket }) => socket), userns, netns, devNull];
  const { pid } = spawnOrphan(program, PROXY_NAME, kept.map(({ number }) => number));
  if (pid > 0) return pid;
  throw new DhowError("unavailable", `Cannot start the port proxy (errno ${-pid})`);
}
