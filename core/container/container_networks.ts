/**
 * A container's networks as `inspect` and `ps` show them: what was asked for, and where it is attached while it runs.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { type Endpoint, type EndpointRequest, readNetwork } from "../network/record.ts";
import type { EndpointSettings } from "../spec/docker_api.ts";
import { endpointRequests, readEndpoints, usesBridges } from "./endpoints.ts";
import { pseudoEndpointId } from "./network_users.ts";
import type { ContainerRecord } from "./record.ts";
import { isRunning, type State } from "./state.ts";

/** A container's endpoints, by the name of the network; none if it lives in another container's. */
export function containerNetworks(
  paths: StorePaths,
  record: ContainerRecord,
  state: State,
): Record<string, EndpointSettings> {
  const { NetworkMode } = record.hostConfig;
  if (NetworkMode.startsWith("container:")) return {};
  const requests = endpointRequests(paths, record);
  const wasAttached = usesBridges(record);
  const endpoints = wasAttached ? readEndpoints(paths, record.id) : [];
  const runs = isRunning(state.status);
  const all = Object.entries(requests).map(([name, request]): [string, EndpointSettings] => {
    if (!wasAttached) return [name, withoutAddresses(paths, record, { name, request, runs })];
    const endpoint = endpoints.find(({ network }) => network === name);
    return [endpoint?.network ?? name, settings(request, endpoint, runs)];
  });
  return Object.fromEntries(all.sort(([a], [b]) => a < b ? -1 : 1));
}

/** The host's network, or none. */
function withoutAddresses(
  paths: StorePaths,
  { id }: ContainerRecord,
  { name, request, runs }: { name: string; request: EndpointRequest; runs: boolean },
): EndpointSettings {
  const settled = settings(request, undefined, runs);
  if (!runs) return settled;
  return {
    ...settled,
    NetworkID: readNetwork(paths, name).id,
    EndpointID: pseudoEndpointId(id, name),
  };
}

/** Addresses are only those of a running container; names and the network's id stay. */
function settings(
  request: EndpointRequest,
  endpoint: Endpoint | undefined,
  runs: boolean,
): EndpointSettings {
  const attached = runs ? endpoint : undefined;
  const { ipv4, ipv6, linkLocalIps } = request;
  const addresses = {
    ...ipv4 && { IPv4Address: ipv4 },
    ...ipv6 && { IPv6Address: ipv6 },
    ...linkLocalIps && { LinkLocalIPs: linkLocalIps },
  };
  return {
    IPAMConfig: Object.keys(addresses).length > 0 ? addresses : null,
    Links: request.links ?? null,
    Aliases: request.aliases ?? null,
    MacAddress: attached?.mac ?? (endpoint === undefined ? request.mac ?? "" : ""),
    DriverOpts: request.driverOpts ?? null,
    GwPriority: request.gwPriority ?? 0,
    NetworkID: endpoint?.networkId ?? "",
    EndpointID: attached?.endpointId ?? "",
    Gateway: attached?.gateway4 ?? "",
    IPAddress: attached?.ipv4 ?? "",
    IPPrefixLen: attached?.prefix4 ?? 0,
    IPv6Gateway: attached?.gateway6 ?? "",
    GlobalIPv6Address: attached?.ipv6 ?? "",
    GlobalIPv6PrefixLen: attached?.prefix6 ?? 0,
    DNSNames: endpoint?.dnsNames.length ? endpoint.dnsNames : null,
  };
}
