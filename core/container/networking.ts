/**
 * A container's networks: made ready before it starts, given back after it has ended, attached again when the router had
 * to be made anew.
 *
 * @module
 */
import { O_RDONLY } from "../../ffi/abi/constants.ts";
import { SyscallError } from "../../ffi/errno.ts";
import { type Fd, open } from "../../ffi/fd.ts";
import { findLink, removeLink } from "../../ffi/netlink/route.ts";
import type { NetlinkSocket } from "../../ffi/netlink/socket.ts";
import type { StorePaths } from "../host/paths.ts";
import { lazy } from "../lib/lazy.ts";
import type { RouterAccess } from "../network/bridge.ts";
import { attachEndpoint, CONTAINER_SYSCTLS, prepareNamespace } from "../network/endpoint.ts";
import { markDatagrams } from "../network/firewall.ts";
import { askedInterface } from "../network/endpoint_options.ts";
import { changeGeneration } from "../network/generation.ts";
import { claimAddress, releaseAddresses } from "../network/ipam.ts";
import { ipBytes } from "../network/ip_bytes.ts";
import { makeNamespace, openNetlinkIn } from "../network/namespace.ts";
import {
  assertAttachable,
  type Endpoint,
  type EndpointRequest,
  interfacePrefix,
  type NetworkRecord,
  readNetwork,
} from "../network/record.ts";
import { ensureRouter, type Router } from "../network/router.ts";
import type { RouterRecord } from "../network/router_record.ts";
import type { UserNamespace } from "../runtime/userns.ts";
import { DhowError } from "../errors.ts";
import { hostAddress } from "./host_address.ts";
import type { NetworkFacts } from "./network_files.ts";
import { containerDirectory, containerIds, type ContainerRecord, readRecord } from "./record.ts";
import { endpointRequests, readEndpoints, usesBridges, writeEndpoints } from "./endpoints.ts";
import { forgetPorts } from "./ports_record.ts";
import { isRunning, readState } from "./state.ts";

/** The networks of a container about to start. Disposing gives up what the container does not hold itself by then. */
export interface ConnectedNetworks extends Disposable {
  /** The container's network namespace, to be joined by init. */
  readonly namespace: Fd;
  /** To be kept open by the container's monitor. */
  readonly alive: Fd;
  readonly facts: NetworkFacts;
}

/**
 * Makes a container's network namespace and attaches it to its networks.
 *
 * @param userNamespace The one that is to own it: the shared one, or the container's own.
 * @throws {DhowError} `not_found` for a network that is gone, `conflict` for an address that is taken, `unsupported` if
 *   no uplink is installed. Nothing stays then.
 */
export async function connectNetworks(
  paths: StorePaths,
  record: ContainerRecord,
  namespace: UserNamespace,
  userNamespace: number = namespace.fd.number,
): Promise<ConnectedNetworks> {
  const stack = new DisposableStack();
  try {
    const requests = endpointRequests(paths, record);
    const networks = Object.keys(requests).map((name) => readNetwork(paths, name));
    networks.forEach(assertAttachable);
    const router = stack.use(await reachRouter(paths, namespace));
    const made = stack.use(makeNamespace(userNamespace, CONTAINER_SYSCTLS));
    const link = stack.use(openNetlinkIn(namespace.fd.number, router.netns.number));
    prepareNamespace(made.inside);
    const access = { namespace, router, link };
    const there = { netns: made.fd.number, inside: made.inside };
    const endpoints: Endpoint[] = [];
    try {
      const routed = defaultNetwork(networks, requests);
      for (const network of networks) {
        const wanted = requests[network.name] ?? {};
        const endpoint = makeEndpoint(paths, record, network, wanted, endpoints);
        endpoints.push(endpoint);
        await attachEndpoint(access, network, endpoint, there, network === routed);
      }
      writeEndpoints(paths, record.id, endpoints);
      if (publishesDatagrams(record)) await markDatagrams(namespace, made.fd.number);
      await ensureNames(paths, namespace, router, endpoints);
    } catch (error) {
      for (const network of networks) releaseAddresses(paths, network, record.id);
      throw error;
    }
    return {
      namespace: made.fd,
      alive: router.alive,
      facts: networkFacts(router.record, networks, endpoints),
      [Symbol.dispose]: () => stack[Symbol.dispose](),
    };
  } catch (error) {
    stack[Symbol.dispose]();
    throw error;
  }
}

function publishesDatagrams({ hostConfig, config }: ContainerRecord): boolean {
  const { PortBindings, PublishAllPorts } = hostConfig;
  const ports = [
    ...Object.keys(PortBindings ?? {}),
    ...PublishAllPorts ? Object.keys(config.ExposedPorts ?? {}) : [],
  ];
  return ports.some((port) => port.endsWith("/udp"));
}

/** Starts the name server, where endpoints are on networks that have one. */
export async function ensureNames(
  paths: StorePaths,
  namespace: UserNamespace,
  router: Router,
  endpoints: readonly Endpoint[],
): Promise<void> {
  if (endpoints.every(({ network }) => network === "bridge")) return;
  const { ensureNameServer } = await lazy<typeof import("../network/name_server.ts")>(
    "../network/name_server.ts",
    import.meta.url,
  );
  await ensureNameServer(paths, namespace, router);
}

/** The network that has the default route: the one asked for, else the first that leads anywhere. */
export function defaultNetwork(
  networks: readonly NetworkRecord[],
  requests: Readonly<Record<string, EndpointRequest>>,
): NetworkRecord | undefined {
  const priority = ({ name }: NetworkRecord) => requests[name]?.gwPriority ?? 0;
  const rank = (network: NetworkRecord) => network.internal ? -Infinity : priority(network);
  return networks.toSorted((a, b) => rank(b) - rank(a) || (a.name < b.name ? -1 : 1))[0];
}

/**
 * Gives a container a place in a network: an address, a name for the interface.
 *
 * @param others Its places in other networks.
 */
export function makeEndpoint(
  paths: StorePaths,
  record: ContainerRecord,
  network: NetworkRecord,
  wanted: EndpointRequest,
  others: readonly Endpoint[],
): Endpoint {
  const endpoint: Endpoint = {
    network: network.name,
    networkId: network.id,
    endpointId: randomHex(32),
    interface: askedInterface(wanted.driverOpts) ?? freeInterface(network, others),
    ...wanted.driverOpts && { options: wanted.driverOpts },
    mac: wanted.mac ?? "",
    ...wanted.linkLocalIps && { linkLocal: wanted.linkLocalIps },
    aliases: wanted.aliases ?? [],
    dnsNames: network.name === "bridge" ? [] : dnsNames(record, wanted),
  };
  for (const pool of network.pools) {
    const isV6 = pool.subnet.includes(":");
    const asked = isV6 ? wanted.ipv6 : wanted.ipv4;
    const taken = isV6 ? endpoint.ipv6 : endpoint.ipv4;
    if (taken !== undefined || isV6 && !network.enableIPv6) continue;
    const address = claimAddress(paths, network, pool, record.id, asked);
    const prefix = Number(pool.subnet.slice(pool.subnet.indexOf("/") + 1));
    if (isV6) {
      Object.assign(endpoint, { ipv6: address, prefix6: prefix, gateway6: pool.gateway });
    } else {
      Object.assign(endpoint, { ipv4: address, prefix4: prefix, gateway4: pool.gateway });
    }
  }
  endpoint.mac ||= macOf(endpoint);
  return endpoint;
}

/** The first of `eth0`, `eth1`, ... that the container has not. */
function freeInterface(network: NetworkRecord, others: readonly Endpoint[]): string {
  const taken = new Set(others.map((endpoint) => endpoint.interface));
  const prefix = interfacePrefix(network);
  for (let number = 0;; number++) {
    const name = `${prefix}${number}`;
    if (!taken.has(name)) return name;
  }
}

/** The names others on a user-defined network find a container by. */
function dnsNames(record: ContainerRecord, wanted: EndpointRequest): string[] {
  const names = [record.name, ...wanted.aliases ?? [], record.id.slice(0, 12)];
  if (record.config.Hostname) names.push(record.config.Hostname);
  return [...new Set(names)];
}

function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}

/**
 * The MAC address that belongs to an IP address: who has an IP address after another has its MAC address too, so that
 * neighbours who remember it are right.
 */
function macOf({ ipv4, ipv6 }: Endpoint): string {
  const address = ipv4 ?? ipv6;
  const bytes = address === undefined
    ? crypto.getRandomValues(new Uint8Array(4))
    : ipBytes(address).subarray(-4);
  return [0x02, 0x42, ...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** What the files of a container in these networks say. */
export function networkFacts(
  router: RouterRecord,
  networks: readonly NetworkRecord[],
  endpoints: readonly Endpoint[],
): NetworkFacts {
  const { gateway, hostLoopback, nameServer } = router;
  const leadsOut = networks.some(({ internal }) => !internal);
  const addresses = endpoints.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])
    .filter((address) => address !== undefined);
  const named = endpoints.find(({ network }) => network !== "bridge");
  return {
    addresses,
    ...leadsOut && { hostGateway: hostLoopback ? gateway : hostAddress() ?? gateway },
    ...nameServer !== undefined && { nameServer },
    ...named?.gateway4 !== undefined && { namesAt: named.gateway4 },
  };
}

/** The router, with the endpoints of all running containers in it. */
export async function reachRouter(paths: StorePaths, namespace: UserNamespace): Promise<Router> {
  const router = await ensureRouter(paths, namespace);
  if (!router.isNew) return router;
  try {
    await attachAgain(paths, namespace, router);
    return router;
  } catch (error) {
    router[Symbol.dispose]();
    throw error;
  }
}

/** Attaches the running containers to a router that knows nothing of them. */
async function attachAgain(
  paths: StorePaths,
  namespace: UserNamespace,
  router: Router,
): Promise<void> {
  using link = openNetlinkIn(namespace.fd.number, router.netns.number);
  for (const id of containerIds(paths)) {
    const endpoints = readEndpoints(paths, id);
    if (endpoints.length === 0) continue;
    const state = readState(containerDirectory(paths, id));
    if (!isRunning(state.status)) continue;
    try {
      await attachContainer(paths, id, state.pid, endpoints, { namespace, router, link });
    } catch (error) {
      if (!isThere(state.pid)) continue; // it has ended meanwhile
      throw error;
    }
  }
}

function isThere(pid: number): boolean {
  try {
    Deno.statSync(`/proc/${pid}/ns/net`);
    return true;
  } catch {
    return false;
  }
}

async function attachContainer(
  paths: StorePaths,
  id: string,
  pid: number,
  endpoints: readonly Endpoint[],
  access: RouterAccess,
): Promise<void> {
  using there = openNamespaceOf(pid);
  if (!isWithin(access.namespace, there.netns)) return;
  const networks = endpoints.map(({ network }) => readNetwork(paths, network));
  const requests = endpointRequests(paths, readRecord(paths, id));
  const routed = defaultNetwork(networks, requests);
  for (const [i, endpoint] of endpoints.entries()) {
    if (findLink(there.inside, endpoint.interface) !== undefined) {
      there.inside.request(removeLink(endpoint.interface));
    }
    const network = networks[i]!;
    await attachEndpoint(access, network, endpoint, there, network === routed);
  }
}

/**
 * Whether a network namespace belongs to the user namespace that is held now. Containers of a holder that was killed keep
 * theirs, and its router as long as they run.
 */
export function isWithin(namespace: UserNamespace, netns: number): boolean {
  try {
    openNetlinkIn(namespace.fd.number, netns)[Symbol.dispose]();
    return true;
  } catch (error) {
    if (error instanceof SyscallError && error.code === "EPERM") return false;
    throw error;
  }
}

/** A running container's network namespace, and a netlink socket in it. */
export interface OpenedNamespace extends Disposable {
  netns: number;
  inside: NetlinkSocket;
}

/** Opens the network namespace of a process. */
export function openNamespaceOf(pid: number): OpenedNamespace {
  const stack = new DisposableStack();
  try {
    const user = stack.use(open(`/proc/${pid}/ns/user`, O_RDONLY));
    const netns = stack.use(open(`/proc/${pid}/ns/net`, O_RDONLY));
    const inside = stack.use(openNetlinkIn(user.number, netns.number));
    return { netns: netns.number, inside, [Symbol.dispose]: () => stack[Symbol.dispose]() };
  } catch (error) {
    stack[Symbol.dispose]();
    throw error;
  }
}

/** Gives back the addresses of a container that has ended. */
export function releaseNetworks(paths: StorePaths, record: ContainerRecord): void {
  if (!usesBridges(record)) return;
  forgetPorts(paths, record.id);
  for (const { network } of readEndpoints(paths, record.id)) {
    try {
      releaseAddresses(paths, readNetwork(paths, network), record.id);
    } catch (error) {
      if (!(error instanceof DhowError) || error.code !== "not_found") throw error;
    }
  }
  changeGeneration(paths);
}
