/**
 * Networks as they are stored: `networks/<name>.json`. The default ones exist without a file.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { namesIn } from "../host/names_in.ts";
import type { StorePaths } from "../host/paths.ts";
import { isThere, statIfThere } from "../host/stat.ts";
import { sha256Hex } from "../lib/sha256.ts";
import type { IPAMConfig } from "../spec/docker_api.ts";

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
  /** Nobody asked for it: the first subnet that was free. */
  isAutomatic?: boolean;
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
  /** What was asked for, as it was asked for: `inspect` shows it. */
  asked?: IPAMConfig[];
  ipamOptions?: Record<string, string>;
  /** `--ipam-driver`. @default "default" */
  ipamDriver?: string;
  /** `--scope`; says nothing. @default "local" */
  scope?: string;
  /** Only there to be copied. */
  configOnly?: boolean;
  /** The name of the network that it was copied from. */
  configFrom?: string;
}

/** What was asked of a network for a container: `networks.json` in the container's directory, by the network's name. */
export interface EndpointRequest {
  ipv4?: string;
  ipv6?: string;
  mac?: string;
  /** Further addresses, of the link-local networks. */
  linkLocalIps?: string[];
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
  /** What was asked for with `driver-opt`. */
  options?: Record<string, string>;
  mac: string;
  ipv4?: string;
  prefix4?: number;
  gateway4?: string;
  ipv6?: string;
  prefix6?: number;
  gateway6?: string;
  /** Further addresses, of the link-local networks. */
  linkLocal?: string[];
  aliases: string[];
  /** All names that others on the network find it by. */
  dnsNames: string[];
}

/** Refuses networks that no container can be in. @throws {DhowError} `conflict`, in docker's words; `unsupported`. */
export function assertAttachable({ name, configOnly, enableIPv6 }: NetworkRecord): void {
  if (configOnly) {
    throw new DhowError("conflict", "cannot create endpoint on configuration-only network");
  }
  if (enableIPv6 && !isThere("/proc/sys/net/ipv6")) {
    throw new DhowError(
      "unsupported",
      `network ${name} has IPv6 addresses, and this kernel has no IPv6: make the network anew without --ipv6`,
    );
  }
}

/** The name of a network's bridge in the router namespace. */
export function bridgeName(network: NetworkRecord): string {
  return network.options["com.docker.network.bridge.name"] ||
    (network.name === "bridge" ? "docker0" : `br-${network.id.slice(0, 12)}`);
}

/** Whether the containers of a network reach one another. */
export function allowsBetween(network: NetworkRecord): boolean {
  return !/^(0|f|false)$/i.test(network.options["com.docker.network.bridge.enable_icc"] ?? "");
}

/** The largest packet on a network. */
export function mtuOf(network: NetworkRecord): number {
  // As docker: 0 is as good as nothing.
  return Number(network.options["com.docker.network.driver.mtu"] ?? 0) || 65520;
}

/** What the names of its interfaces in containers begin with. */
export function interfacePrefix({ options }: NetworkRecord): string {
  return options["com.docker.network.container_iface_prefix"] || "eth";
}

/** Networks that are there without having been made, and their drivers. */
const DEFAULT_DRIVERS = { bridge: "bridge", host: "host", none: "null" } as const;

/** Beyond this many characters of a name its hash names the file. */
const MAX_FILE_NAME = 200;

/** What the default networks without addresses have in common with all others. */
const PLAIN = {
  internal: false,
  attachable: false,
  enableIPv4: true,
  enableIPv6: false,
  labels: {},
  options: {},
  pools: [],
} satisfies Partial<NetworkRecord>;

/** Where containers' networks are described; in it a directory of addresses for each. */
export function networksDirectory(paths: StorePaths): string {
  return `${paths.root}/networks`;
}

/** The file that describes a network: a name may have any characters. */
export function networkFile(paths: StorePaths, name: string): string {
  const encoded = encodeURIComponent(name.toWellFormed());
  const short = encoded.length <= MAX_FILE_NAME
    ? encoded
    : `%${sha256Hex(new TextEncoder().encode(name))}`;
  return `${networksDirectory(paths)}/${short}.json`;
}

/** Whether that is the name of a network that is always there. */
export function isDefaultNetwork(name: string): boolean {
  return Object.hasOwn(DEFAULT_DRIVERS, name);
}

/** The id of a network that is always there. */
export function networkIdOf(paths: StorePaths, name: keyof typeof DEFAULT_DRIVERS): string {
  return sha256Hex(new TextEncoder().encode(`${paths.root}/${name}`));
}

/** A network that is always there. */
function defaultNetwork(paths: StorePaths, name: keyof typeof DEFAULT_DRIVERS): NetworkRecord {
  const record = {
    ...PLAIN,
    name,
    id: networkIdOf(paths, name),
    created: storeCreated(paths),
    driver: DEFAULT_DRIVERS[name],
  };
  if (name !== "bridge") return record;
  return {
    ...record,
    options: {
      "com.docker.network.bridge.default_bridge": "true",
      "com.docker.network.bridge.enable_icc": "true",
      "com.docker.network.bridge.enable_ip_masquerade": "true",
      "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
      "com.docker.network.bridge.name": "docker0",
      "com.docker.network.driver.mtu": "65520",
    },
    pools: [{ subnet: "172.17.0.0/16", gateway: "172.17.0.1", isAutomatic: true }],
  };
}

/** When the store was made. */
function storeCreated(paths: StorePaths): string {
  const made = statIfThere(`${paths.root}/oci-layout`)?.mtime;
  return made ? made.toISOString() : "0001-01-01T00:00:00Z";
}

/**
 * The network that a name, an id or the unique beginning of an id means.
 *
 * @throws {DhowError} `not_found`; `invalid_argument` if several ids begin like that. Both in docker's words.
 */
export function readNetwork(paths: StorePaths, nameOrId: string): NetworkRecord {
  if (isDefaultNetwork(nameOrId)) {
    return defaultNetwork(paths, nameOrId as keyof typeof DEFAULT_DRIVERS);
  }
  const named = nameOrId === "" ? undefined : tryReadNetwork(networkFile(paths, nameOrId));
  if (named?.name === nameOrId) return named;
  const found = /^[0-9a-f]{1,64}$/.test(nameOrId)
    ? listNetworks(paths).filter(({ id }) => id.startsWith(nameOrId))
    : [];
  if (found.length > 1) {
    throw new DhowError(
      "invalid_argument",
      `network ${nameOrId} is ambiguous (${found.length} matches found based on ID prefix)`,
    );
  }
  if (found[0] === undefined) throw noSuchNetwork(nameOrId);
  return found[0];
}

/** Docker's answer for a network that is not there. Docker clients match on this wording. */
export function noSuchNetwork(nameOrId: string): DhowError {
  return new DhowError("not_found", `network ${nameOrId} not found`);
}

function tryReadNetwork(file: string): NetworkRecord | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(file)) as NetworkRecord;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new DhowError("internal", `Cannot read the network record "${file}": ${error}`, {
      cause: error,
    });
  }
}

/** All networks, by name. */
export function listNetworks(paths: StorePaths): NetworkRecord[] {
  const defaults = Object.keys(DEFAULT_DRIVERS) as (keyof typeof DEFAULT_DRIVERS)[];
  return [...defaults.map((name) => defaultNetwork(paths, name)), ...ownNetworks(paths)]
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

/** The networks that have been made, in no order. */
export function ownNetworks(paths: StorePaths): NetworkRecord[] {
  const directory = networksDirectory(paths);
  return namesIn(directory).filter((name) => name.endsWith(".json"))
    .map((name) => tryReadNetwork(`${directory}/${name}`))
    .filter((network) => network !== undefined); // removed meanwhile
}
