/**
 * Connecting a container to a network and disconnecting it, whether it runs or not.
 *
 * @module
 */
import type { Request } from "../../ffi/netlink/message.ts";
import { findLink, removeLink } from "../../ffi/netlink/route.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { attachEndpoint, routeBy } from "../network/endpoint.ts";
import { releaseAddresses } from "../network/ipam.ts";
import { openNetlinkIn } from "../network/namespace.ts";
import type { Endpoint, EndpointRequest, NetworkRecord } from "../network/record.ts";
import { readNetwork } from "../network/record.ts";
import { ensureUserNamespace } from "../runtime/userns.ts";
import {
  endpointRequests,
  readEndpoints,
  usesBridges,
  writeEndpointRequests,
  writeEndpoints,
} from "./endpoints.ts";
import {
  defaultNetwork,
  makeEndpoint,
  type OpenedNamespace,
  openNamespaceOf,
  reachRouter,
} from "./networking.ts";
import { changeHosts } from "./network_files.ts";
import { containerDirectory, type ContainerRecord, readRecord } from "./record.ts";
import { isRunning, readState } from "./state.ts";

/**
 * Connects container `id` to a network; a running one at once.
 *
 * @throws {DhowError} `conflict` if it is connected already, or has no networks of its own; in docker's words.
 */
export async function connectContainer(
  paths: StorePaths,
  id: string,
  networkName: string,
  request: EndpointRequest = {},
): Promise<void> {
  const record = readRecord(paths, id);
  const network = readNetwork(paths, networkName);
  assertConnectable(record, network);
  const requests = endpointRequests(paths, record);
  if (requests[network.name] !== undefined) {
    throw new DhowError(
      "conflict",
      `endpoint with name ${record.name} already exists in network ${network.name}`,
    );
  }
  const state = readState(containerDirectory(paths, id));
  const all = { ...requests, [network.name]: request };
  if (isRunning(state.status)) await attach(paths, record, state.pid, network, all);
  writeEndpointRequests(paths, id, all);
}

function assertConnectable(record: ContainerRecord, network: NetworkRecord): void {
  if (!usesBridges(record)) {
    const mode = record.hostConfig.NetworkMode;
    throw new DhowError(
      "conflict",
      mode === "host"
        ? "cannot connect container to host network: container must be created in host network mode"
        : mode === "none"
        ? "container cannot be connected to multiple networks with one of the networks in private (none) mode"
        : "container sharing network namespace with another container or host cannot be connected to any other network",
    );
  }
  if (network.driver !== "bridge") {
    throw new DhowError(
      "conflict",
      network.driver === "host"
        ? "cannot connect container to host network - container must be created in host network mode"
        : "container cannot be connected to multiple networks with one of the networks in private (none) mode",
    );
  }
}

async function attach(
  paths: StorePaths,
  record: ContainerRecord,
  pid: number,
  network: NetworkRecord,
  requests: Record<string, EndpointRequest>,
): Promise<void> {
  using namespace = await ensureUserNamespace(paths);
  using router = await reachRouter(paths, namespace);
  using link = openNetlinkIn(namespace.fd.number, router.netns.number);
  using there = openNamespaceOf(pid);
  const endpoints = readEndpoints(paths, record.id);
  const number = nextNumber(endpoints);
  try {
    const endpoint = makeEndpoint(paths, record, network, requests[network.name] ?? {}, number);
    const networks = [...endpoints.map((other) => readNetwork(paths, other.network)), network];
    const isDefault = defaultNetwork(networks, requests) === network;
    await attachEndpoint({ namespace, router, link }, network, endpoint, there, isDefault);
    writeEndpoints(paths, record.id, [...endpoints, endpoint]);
    changeHosts(containerDirectory(paths, record.id), record, { add: addressesOf([endpoint]) });
  } catch (error) {
    releaseAddresses(paths, network, record.id);
    throw error;
  }
}

function addressesOf(endpoints: readonly Endpoint[]): string[] {
  return endpoints.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).filter((address) =>
    address !== undefined
  );
}

/** The lowest number no interface of the container has. */
function nextNumber(endpoints: readonly Endpoint[]): number {
  const taken = new Set(endpoints.map((endpoint) => endpoint.interface));
  for (let number = 0;; number++) if (!taken.has(`eth${number}`)) return number;
}

/**
 * Disconnects container `id` from a network.
 *
 * @throws {DhowError} `conflict` if it is not connected, in docker's words.
 */
export function disconnectContainer(paths: StorePaths, id: string, networkName: string): void {
  const record = readRecord(paths, id);
  const network = readNetwork(paths, networkName);
  const requests = endpointRequests(paths, record);
  if (!usesBridges(record) || requests[network.name] === undefined) {
    throw new DhowError(
      "conflict",
      `container ${id} is not connected to network ${network.name}`,
    );
  }
  const { [network.name]: _gone, ...left } = requests;
  const state = readState(containerDirectory(paths, id));
  if (isRunning(state.status)) detach(paths, record, state.pid, network, left);
  writeEndpointRequests(paths, id, left);
}

function detach(
  paths: StorePaths,
  record: ContainerRecord,
  pid: number,
  network: NetworkRecord,
  left: Record<string, EndpointRequest>,
): void {
  const endpoints = readEndpoints(paths, record.id);
  const gone = endpoints.filter((endpoint) => endpoint.network === network.name);
  const staying = endpoints.filter((endpoint) => endpoint.network !== network.name);
  using there = openNamespaceOf(pid);
  const requests: Request[] = gone.map((endpoint) => removeLink(endpoint.interface));
  there.inside.tryRequest(...requests);
  releaseAddresses(paths, network, record.id);
  writeEndpoints(paths, record.id, staying);
  changeHosts(containerDirectory(paths, record.id), record, { remove: addressesOf(gone) });
  routeAnew(paths, there, staying, left);
}

/** Gives a container that lost an interface the default route by another. */
function routeAnew(
  paths: StorePaths,
  there: OpenedNamespace,
  endpoints: readonly Endpoint[],
  requests: Record<string, EndpointRequest>,
): void {
  const networks = endpoints.map(({ network }) => readNetwork(paths, network));
  const routed = defaultNetwork(networks, requests);
  const endpoint = endpoints.find(({ network }) => network === routed?.name);
  if (routed === undefined || endpoint === undefined) return;
  if (findLink(there.inside, endpoint.interface) !== undefined) {
    routeBy(there.inside, routed, endpoint);
  }
}
