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

/** A published port with its socket. */
export interface OpenedPort extends PublishedPort {
  socket: Fd;
}

/** Sockets that listen, and where. Disposing closes them here; a proxy keeps its own. */
export interface OpenedPorts extends Disposable {
  readonly ports: readonly OpenedPort[];
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
  const stack = new DisposableStack();
  try {
    const ports = requests.flatMap((request) => openOne(request, stack));
    return { ports, [Symbol.dispose]: () => stack[Symbol.dispose]() };
  } catch (error) {
    stack[Symbol.dispose]();
    throw error;
  }
}

function openOne(request: PortRequest, stack: DisposableStack): OpenedPort[] {
  const { port, protocol, hostIp, first, last } = request;
  const addresses = hostIp === "" ? ["0.0.0.0", "::"] : [hostIp];
  const candidates = first === 0
    ? new Array<number>(ATTEMPTS).fill(0)
    : Array.from({ length: last - first + 1 }, (_, i) => first + i);
  let failure: unknown;
  for (const candidate of candidates) {
    const opened: OpenedPort[] = [];
    try {
      let hostPort = candidate;
      for (const address of addresses) {
        const socket = listenAt(protocol, address, hostPort, hostIp === "");
        if (socket === undefined) continue;
        hostPort ||= boundPort(socket);
        opened.push({ port, protocol, hostIp: address, hostPort, socket });
      }
      for (const { socket } of opened) stack.use(socket);
      return opened;
    } catch (error) {
      for (const { socket } of opened) socket.close();
      failure = error;
      if (!(error instanceof DhowError) || error.code !== "conflict") throw error;
    }
  }
  throw failure;
}

/** Undefined where the host has no IPv6 and nobody asked for it. */
function listenAt(
  protocol: PortRequest["protocol"],
  address: string,
  port: number,
  isOptional: boolean,
): Fd | undefined {
  try {
    return listenInet(protocol, { address: ipBytes(address), port });
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    const isMissing = error.code === "EAFNOSUPPORT" || error.code === "EADDRNOTAVAIL";
    if (isMissing && isOptional && address === "::") return undefined;
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
export function startProxy(ports: readonly OpenedPort[], container: ServedContainer): number {
  using userns = open(`/proc/${container.pid}/ns/user`, O_RDONLY);
  using netns = open(`/proc/${container.pid}/ns/net`, O_RDONLY);
  using devNull = open("/dev/null", O_RDWR);
  const program = buildProxy({
    ...container,
    listeners: ports.map(({ socket, protocol, hostIp, port }) => ({
      fd: socket.number,
      protocol,
      version: hostIp.includes(":") ? 6 : 4,
      port,
    })),
    userns: userns.number,
    netns: netns.number,
    devNull: devNull.number,
  });
  const kept = [...ports.map(({ socket }) => socket), userns, netns, devNull];
  const { pid } = spawnOrphan(program, PROXY_NAME, kept.map(({ number }) => number));
  if (pid > 0) return pid;
  throw new DhowError("unavailable", `Cannot start the port proxy (errno ${-pid})`);
}
