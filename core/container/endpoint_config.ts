/**
 * What may be asked of a network for a container: docker's checks, and what is kept of it.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { endpointOptionErrors } from "../network/endpoint_options.ts";
import { type EndpointRequest, type NetworkRecord, readNetwork } from "../network/record.ts";
import { contains, parseAddress, parseSubnet } from "../network/subnet.ts";
import type { EndpointConfig } from "../spec/docker_api.ts";
import { networkOfMode } from "./endpoints.ts";

const USER_DEFINED = "user specified IP address is supported on user defined networks only";
const USER_SUBNET =
  "user specified IP address is supported only when connecting to networks with user configured subnets";

/**
 * Refuses what cannot be had of a network.
 *
 * @param network As it is; undefined if it is not there, which only a start minds.
 * @param during The network's name, where a container is created; else somebody connects it.
 * @throws {DhowError} `invalid_argument`, in docker's words.
 */
export function assertEndpointConfig(
  network: NetworkRecord | undefined,
  config: EndpointConfig,
  during?: string,
): void {
  const errors = [
    ...aliasErrors(network, config),
    ...addressErrors(network, config, during ?? network?.name ?? ""),
    ...endpointOptionErrors(config.DriverOpts ?? {}),
  ];
  if (errors.length === 0) return;
  const where = during === undefined ? "" : `invalid config for network ${during}: `;
  const list = errors.length === 1 ? errors[0] : errors.map((error) => `* ${error}`).join("\n");
  throw new DhowError("invalid_argument", `${where}invalid endpoint settings:\n${list}`);
}

function aliasErrors(network: NetworkRecord | undefined, { Aliases }: EndpointConfig): string[] {
  return network?.name === "bridge" && (Aliases?.length ?? 0) > 0
    ? ["network-scoped alias is supported only for containers in user defined networks"]
    : [];
}

function addressErrors(
  network: NetworkRecord | undefined,
  { IPAMConfig }: EndpointConfig,
  name: string,
): string[] {
  const { IPv4Address = "", IPv6Address = "", LinkLocalIPs = [] } = IPAMConfig ?? {};
  const errors: string[] = [];
  const wanted = [[4, IPv4Address], [6, IPv6Address]] as const;
  const isOwn = !["bridge", "host", "none", "default"].includes(name) &&
    !name.startsWith("container:");
  if (!isOwn && wanted.some(([, text]) => text !== "")) errors.push(USER_DEFINED);
  for (const [version, text] of wanted) {
    if (text !== "" && parseAddress(text)?.version !== version) {
      errors.push(`invalid IPv${version} address: ${text}`);
    }
  }
  for (const text of LinkLocalIPs) {
    if (parseAddress(text) === undefined) errors.push(`invalid link-local IP address: ${text}`);
  }
  // Of the default bridge docker says no more than that.
  if (network !== undefined && name !== "bridge") {
    for (const [version, text] of wanted) errors.push(...rangeErrors(network, version, text));
  }
  return errors;
}

function rangeErrors(network: NetworkRecord, version: 4 | 6, text: string): string[] {
  if (text === "") return [];
  const pools = network.pools.filter(({ subnet }) => subnet.includes(":") === (version === 6));
  if (pools.every(({ isAutomatic }) => isAutomatic)) return [USER_SUBNET];
  const address = parseAddress(text);
  const isIn = address !== undefined &&
    pools.some(({ subnet }) => contains(parseSubnet(subnet)!, address));
  return isIn ? [] : [`no configured subnet or ip-range contain the IP address ${text}`];
}

/**
 * What `networks.json` of a container to be created says: what is asked of each network, by the network's name.
 *
 * @param mode `--network`, the first of them.
 * @throws {DhowError} `invalid_argument`, in docker's words. Networks that are not there are minded by the start.
 */
export function planEndpoints(
  paths: StorePaths,
  mode: string,
  configs: Readonly<Record<string, EndpointConfig>> = {},
): Record<string, EndpointRequest> {
  const requests: Record<string, EndpointRequest> = {};
  const first = networkOfMode(mode);
  for (const target of new Set([first, ...Object.keys(configs).map(networkOfMode)])) {
    const config = configs[target] ?? (target === "bridge" ? configs.default : undefined) ?? {};
    const network = target.startsWith("container:") ? undefined : tryReadNetwork(paths, target);
    assertEndpointConfig(network, config, network?.name ?? target);
    requests[network?.name ?? target] = toEndpointRequest(config);
  }
  return requests;
}

function tryReadNetwork(paths: StorePaths, name: string): NetworkRecord | undefined {
  try {
    return readNetwork(paths, name);
  } catch (error) {
    if (error instanceof DhowError && error.code === "not_found") return undefined;
    throw error;
  }
}

/** What is kept of it, in `networks.json`. */
export function toEndpointRequest(config: EndpointConfig): EndpointRequest {
  const { IPAMConfig, MacAddress, Aliases, Links, DriverOpts, GwPriority } = config;
  const { IPv4Address, IPv6Address, LinkLocalIPs } = IPAMConfig ?? {};
  return {
    ...IPv4Address && { ipv4: IPv4Address },
    ...IPv6Address && { ipv6: IPv6Address },
    ...LinkLocalIPs?.length && { linkLocalIps: LinkLocalIPs },
    ...MacAddress && { mac: MacAddress.toLowerCase().replaceAll("-", ":") },
    ...Aliases && { aliases: Aliases },
    ...Links?.length && { links: Links },
    ...DriverOpts && { driverOpts: DriverOpts },
    ...GwPriority && { gwPriority: GwPriority },
  };
}
