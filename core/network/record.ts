/**
 * Networks as they are stored: `networks/<name>.json`. The default ones exist without a file.
 *
 * @module
 */

/** An address pool of a network. */
export interface AddressPool {
  /** `172.18.0.0/16`. */
  subnet: string;
  /** The router's address in it. */
  gateway: string;
  /** Where addresses are given out from, if not from all of it. */
  ipRange?: string;
  /** Addresses that are not given out, by their names. */
  auxAddresses?: Record<string, string>;
}

/** A network. */
export interface NetworkRecord {
  name: string;
  /** 64 hexadecimal digits. */
  id: string;
  /** RFC 3339. */
  created: string;
  driver: "bridge" | "host" | "null";
  /** Without a way out. */
  internal: boolean;
  attachable: boolean;
  enableIPv4: boolean;
  enableIPv6: boolean;
  labels: Record<string, string>;
  options: Record<string, string>;
  /** IPv4 pools first. */
  pools: AddressPool[];
  ipamOptions?: Record<string, string>;
}

/** What was asked of a network for a container: `networks.json` in the container's directory, by the network's name. */
export interface EndpointRequest {
  ipv4?: string;
  ipv6?: string;
  mac?: string;
  aliases?: string[];
  links?: string[];
  driverOpts?: Record<string, string>;
  /** The network with the highest value has the default route. */
  gwPriority?: number;
}

/** A container's place in a network while it runs: one of `endpoints.json` in the container's directory. */
export interface Endpoint {
  /** The network's name. */
  network: string;
  networkId: string;
  endpointId: string;
  /** `eth0` in the container. */
  interface: string;
  mac: string;
  ipv4?: string;
  prefix4?: number;
  gateway4?: string;
  ipv6?: string;
  prefix6?: number;
  gateway6?: string;
  aliases: string[];
  /** All names that others on the network find it by. */
  dnsNames: string[];
}

/** The name of a network's bridge in the router namespace. */
export function bridgeName(network: NetworkRecord): string {
  return network.options["com.docker.network.bridge.name"] ??
    (network.name === "bridge" ? "docker0" : `br-${network.id.slice(0, 12)}`);
}

/** The largest packet on a network. */
export function mtuOf(network: NetworkRecord): number {
  return Number(network.options["com.docker.network.driver.mtu"] ?? 65520);
}
