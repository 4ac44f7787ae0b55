/**
 * Connecting a container to a network and disconnecting it, whether it runs or not.
 *
 * @module
 */
import type { Request } from "../../ffi/netlink/message.ts";
import { findLink, removeLink } from "../../ffi/netlink/route.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { sleep } from "../host/sleep.ts";
import { attachEndpoint, routeBy } from "../network/endpoint.ts";
import { releaseAddresses } from "../network/ipam.ts";
import { openNetlinkIn } from "../network/namespace.ts";
import {
  assertAttachable,
  type Endpoint,
  type EndpointRequest,
  type NetworkRecord,
  readNetwork,
} from "../network/record.ts";
import { readRouter } from "../network/router_record.ts";
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
  ensureNames,
  isWithin,
  makeEndpoint,
  networkFacts,
  type OpenedNamespace,
  openNamespaceOf,
  reachRouter,
} from "./networking.ts";
import { changeHosts, changeResolvConf } from "./network_files.ts";
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
  using _lock = await lockEndpoints(paths, id);
  const record = readRecord(paths, id);
  const network = readNetwork(paths, networkName);
  assertConnectable(record, network);
  const requests = endpointRequests(paths, record);
  const state = readState(containerDirectory(paths, id));
  if (requests[network.name] !== undefined) {
    if (!isRunning(state.status)) return; // as docker: what was asked for before stays
    throw new DhowError(
      "conflict",
      `endpoint with name ${record.name} already exists in network ${network.name}`,
    );
  }
  const all = { ...requests, [network.name]: request };
  if (isRunning(state.status)) await attach(paths, record, state.pid, network, all);
  writeEndpointRequests(paths, id, all);
}

/** Held while a container's networks are changed. */
async function lockEndpoints(paths: StorePaths, id: string): Promise<Disposable> {
  const directory = await Deno.open(containerDirectory(paths, id));
  while (!directory.tryLockSync(true)) await sleep(2);
  return directory;
}

function assertConnectable(record: ContainerRecord, network: NetworkRecord): void {
  const conflict = (message: string) => new DhowError("conflict", message);
  const mode = record.hostConfig.NetworkMode;
  if (mode === "host" || mode.startsWith("container:")) {
    throw conflict(
      "container sharing network namespace with another container or host cannot be connected to any other network",
    );
  }
  if (network.driver === "host") {
    throw conflict(
      "cannot connect container to host network - container must be created in host network mode",
    );
  }
  assertAttachable(network);
  if (!usesBridges(record) || network.driver === "null") {
    throw conflict(
      "container cannot be connected to multiple networks with one of the networks in private (none) mode",
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
  if (!isWithin(namespace, there.netns)) {
    throw new DhowError(
      "conflict",
      `Cannot connect container "${record.name}" to network "${network.name}": the process that held its namespaces was killed; restart the container`,
    );
  }
  const endpoints = readEndpoints(paths, record.id);
  try {
    const endpoint = makeEndpoint(paths, record, network, requests[network.name] ?? {}, endpoints);
    const networks = [...endpoints.map((other) => readNetwork(paths, other.network)), network];
    const isDefault = defaultNetwork(networks, requests) === network;
    await attachEndpoint({ namespace, router, link }, network, endpoint, there, isDefault);
    writeEndpoints(paths, record.id, [...endpoints, endpoint]);
    await ensureNames(paths, namespace, router, [endpoint]);
    const directory = containerDirectory(paths, record.id);
    changeHosts(directory, record, { add: addressesOf([endpoint]) });
    const now = networkFacts(router.record, networks, [...endpoints, endpoint]);
    changeResolvConf(directory, record, networkFacts(router.record, networks, endpoints), now);
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

/**
 * Disconnects container `id` from a network.
 *
 * @param options `force`: the network need not be there any more.
 * @throws {DhowError} `conflict` if it is not connected, in docker's words.
 */
export async function disconnectContainer(
  paths: StorePaths,
  id: string,
  networkName: string,
  options: { force?: boolean } = {},
): Promise<void> {
  using _lock = await lockEndpoints(paths, id);
  const record = readRecord(paths, id);
  const network = tryReadNetwork(paths, networkName, options.force ?? false);
  const name = network?.name ?? networkName;
  if (name === "host" && record.hostConfig.NetworkMode === "host") {
    throw new DhowError(
      "conflict",
      "cannot disconnect container from host network - container was created in host network mode",
    );
  }
  const requests = endpointRequests(paths, record);
  const state = readState(containerDirectory(paths, id));
  const runs = isRunning(state.status) && network !== undefined;
  if (!usesBridges(record) || requests[name] === undefined) {
    throw new DhowError(
      "conflict",
      `container ${id} is not connected to ${runs ? "" : "the "}network ${name}`,
    );
  }
  const { [name]: _gone, ...left } = requests;
  if (runs) detach(paths, record, state.pid, network, left);
  writeEndpointRequests(paths, id, left);
}

function tryReadNetwork(
  paths: StorePaths,
  name: string,
  force: boolean,
): NetworkRecord | undefined {
  try {
    return readNetwork(paths, name);
  } catch (error) {
    if (force && error instanceof DhowError && error.code === "not_found") return undefined;
    throw error;
  }
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
  const router = readRouter(paths);
  using there = openNamespaceOf(pid);
  const requests: Request[] = gone.map((endpoint) => removeLink(endpoint.interface));
  there.inside.tryRequest(...requests);
  releaseAddresses(paths, network, record.id);
  writeEndpoints(paths, record.id, staying);
  const directory = containerDirectory(paths, record.id);
  changeHosts(directory, record, { remove: addressesOf(gone) });
  if (router !== undefined) {
    const facts = (places: readonly Endpoint[]) => networkFacts(router, [], places);
    changeResolvConf(directory, record, facts(endpoints), facts(staying));
  }
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
