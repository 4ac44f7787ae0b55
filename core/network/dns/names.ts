/**
 * The names of containers on user-defined networks, as the store has them.
 *
 * @module
 */
import type { StorePaths } from "../../host/paths.ts";
import { type Endpoint, networksDirectory, ownNetworks } from "../record.ts";
import { generationFile } from "../generation.ts";
import { ipBytes } from "../ip_bytes.ts";
import { canonicalAddress } from "../subnet.ts";

/** The containers of one network. */
interface NetworkNames {
  name: string;
  isInternal: boolean;
  /** Endpoints by each of their names, in lower case. */
  byName: Map<string, Endpoint[]>;
  /** Names of the containers by their addresses. */
  byAddress: Map<string, string>;
}

/** Where somebody who asks is. */
export interface Asker {
  networks: NetworkNames[];
  /** Whether none of its networks leads anywhere. */
  isConfined: boolean;
  /** Who is asked what is no container's name, if not the host's resolvers: `--dns`. */
  resolvers?: readonly Uint8Array[];
}

/** All names, read anew when something has changed. */
export class NameTable {
  readonly #paths: StorePaths;
  #generation: string | undefined;
  #askers = new Map<string, Asker>();
  #turn = 0;

  constructor(paths: StorePaths) {
    this.#paths = paths;
  }

  /** Who has that address; undefined if no container has. */
  asker(address: string): Asker | undefined {
    this.#refresh();
    return this.#askers.get(address);
  }

  /** The number of containers on user-defined networks. */
  get size(): number {
    this.#refresh();
    return this.#askers.size;
  }

  /**
   * The addresses of a name; an empty list if it has none of that version, undefined if nobody has the name. Several are
   * given in turns.
   */
  find({ networks }: Asker, name: string, version: 4 | 6): string[] | undefined {
    const found = networks.flatMap((network) => {
      const suffix = `.${network.name.toLowerCase()}`;
      const bare = name.endsWith(suffix) ? name.slice(0, -suffix.length) : undefined;
      return network.byName.get(name) ??
        (bare === undefined ? undefined : network.byName.get(bare)) ?? [];
    });
    if (found.length === 0) return undefined;
    const addresses = found.map(({ ipv4, ipv6 }) => version === 4 ? ipv4 : ipv6)
      .filter((address) => address !== undefined);
    if (addresses.length < 2) return addresses;
    const first = this.#turn++ % addresses.length;
    return [...addresses.slice(first), ...addresses.slice(0, first)];
  }

  /** The name of the container that has an address: `web.net`. */
  nameOf({ networks }: Asker, address: string): string | undefined {
    const canonical = canonicalAddress(address);
    for (const { byAddress } of networks) {
      const name = byAddress.get(canonical ?? "");
      if (name !== undefined) return name;
    }
    return undefined;
  }

  #refresh(): void {
    let generation = "";
    try {
      generation = Deno.readTextFileSync(generationFile(this.#paths));
    } catch { /* nothing has changed yet */ }
    if (generation === this.#generation) return;
    this.#generation = generation;
    this.#askers = this.#read();
  }

  #read(): Map<string, Asker> {
    const endpointsOf = new Map<string, Endpoint[]>();
    const networks = new Map<string, NetworkNames>();
    for (const { id, name, internal } of ownNetworks(this.#paths)) {
      const names: NetworkNames = {
        name,
        isInternal: internal,
        byName: new Map(),
        byAddress: new Map(),
      };
      networks.set(id, names);
      for (const container of this.#containersOf(id)) {
        if (!endpointsOf.has(container)) {
          endpointsOf.set(container, readEndpointsOf(this.#paths, container));
        }
        const endpoint = endpointsOf.get(container)!.find(({ networkId }) => networkId === id);
        if (endpoint !== undefined) addEndpoint(names, endpoint);
      }
    }
    const askers = new Map<string, Asker>();
    for (const [container, endpoints] of endpointsOf) {
      const own = endpoints.map(({ networkId }) => networks.get(networkId));
      const known = own.filter((network) => network !== undefined);
      const isConfined = own.every((network) => network?.isInternal === true);
      const resolvers = resolversOf(this.#paths, container);
      const asker = { networks: known, isConfined, ...resolvers.length > 0 && { resolvers } };
      for (const { ipv4, ipv6 } of endpoints) {
        for (const address of [ipv4, ipv6]) {
          if (address !== undefined) askers.set(address, asker);
        }
      }
    }
    return askers;
  }

  /** The containers that hold addresses of a network: they run, or are about to. */
  #containersOf(id: string): Set<string> {
    const directory = `${networksDirectory(this.#paths)}/${id}`;
    const containers = new Set<string>();
    try {
      for (const { name } of Deno.readDirSync(directory)) {
        if (name.startsWith(".")) continue;
        const holder = Deno.readLinkSync(`${directory}/${name}`);
        if (/^[0-9a-f]{64}$/.test(holder)) containers.add(holder);
      }
    } catch { /* nobody was ever in it, or it is being removed */ }
    return containers;
  }
}

function readEndpointsOf(paths: StorePaths, id: string): Endpoint[] {
  try {
    return JSON.parse(Deno.readTextFileSync(`${paths.containers}/${id}/endpoints.json`));
  } catch {
    return [];
  }
}

function resolversOf(paths: StorePaths, id: string): Uint8Array[] {
  try {
    const record = JSON.parse(Deno.readTextFileSync(`${paths.containers}/${id}/container.json`));
    return (record.hostConfig.Dns ?? []).map(ipBytes);
  } catch {
    return [];
  }
}

function addEndpoint({ name, byName, byAddress }: NetworkNames, endpoint: Endpoint): void {
  for (const one of new Set(endpoint.dnsNames.map((text) => text.toLowerCase()))) {
    byName.set(one, [...byName.get(one) ?? [], endpoint]);
  }
  for (const address of [endpoint.ipv4, endpoint.ipv6]) {
    if (address !== undefined && endpoint.dnsNames.length > 0) {
      byAddress.set(canonicalAddress(address) ?? address, `${endpoint.dnsNames[0]}.${name}`);
    }
  }
}
