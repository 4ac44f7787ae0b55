/**
 * `docker network inspect`: docker's whole shape from a record and the containers that are attached.
 *
 * @module
 */
import type { EndpointResource, IPAM, NetworkInspect } from "../spec/docker_api.ts";
import type { Endpoint, NetworkRecord } from "./record.ts";

/** A running container in a network. */
export interface NetworkUser {
  containerId: string;
  containerName: string;
  endpointId: string;
  /** Where it is attached; undefined in networks without addresses. */
  endpoint?: Endpoint;
}

/** A network, whole; keys in docker's order. */
export function inspectNetwork(
  network: NetworkRecord,
  users: readonly NetworkUser[] = [],
): NetworkInspect {
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: network.scope ?? "local",
    Driver: network.driver,
    EnableIPv4: network.enableIPv4,
    EnableIPv6: network.enableIPv6,
    IPAM: ipam(network),
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: network.configFrom ?? "" },
    ConfigOnly: network.configOnly ?? false,
    Containers: containers(users),
    Options: sorted(network.options),
    Labels: sorted(network.labels),
  };
}

/** What was asked for comes as it was asked for, then what was chosen. */
function ipam({ asked = [], pools, ipamOptions }: NetworkRecord): IPAM {
  const isV6 = (subnet = "") => subnet.includes(":");
  const config = [
    ...asked.filter(({ Subnet }) => !isV6(Subnet)),
    ...asked.filter(({ Subnet }) => isV6(Subnet)),
  ].map(({ Subnet, IPRange, Gateway, AuxiliaryAddresses = {} }) => ({
    Subnet: Subnet!,
    ...IPRange && { IPRange },
    ...Gateway && { Gateway },
    ...Object.keys(AuxiliaryAddresses).length > 0 && {
      AuxiliaryAddresses: sorted(AuxiliaryAddresses),
    },
  }));
  const chosen = pools.filter(({ isAutomatic }) => isAutomatic)
    .map(({ subnet, gateway }) => ({ Subnet: subnet, Gateway: gateway }));
  const all = [...config, ...chosen];
  return {
    Driver: "default",
    Options: ipamOptions === undefined ? null : sorted(ipamOptions),
    Config: all.length > 0 ? all : null,
  };
}

function containers(users: readonly NetworkUser[]): Record<string, EndpointResource> {
  const byId = users.toSorted((a, b) => a.containerId < b.containerId ? -1 : 1);
  return Object.fromEntries(
    byId.map(({ containerId, containerName, endpointId, endpoint }) => [containerId, {
      Name: containerName,
      EndpointID: endpointId,
      MacAddress: endpoint?.mac ?? "",
      IPv4Address: withPrefix(endpoint?.ipv4, endpoint?.prefix4),
      IPv6Address: withPrefix(endpoint?.ipv6, endpoint?.prefix6),
    }]),
  );
}

function withPrefix(address: string | undefined, prefix: number | undefined): string {
  return address === undefined ? "" : `${address}/${prefix}`;
}

function sorted(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => a < b ? -1 : 1));
}
