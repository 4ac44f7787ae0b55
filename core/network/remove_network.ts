/**
 * `docker network rm` and `prune`.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { pruneFilter } from "../lib/prune_filter.ts";
import { sleep } from "../host/sleep.ts";
import { isThere } from "../host/stat.ts";
import { explainDiskError } from "../store/disk_error.ts";
import { lockNetworks } from "./create_network.ts";
import type { NetworkUser } from "./inspect_network.ts";
import { addressDirectory, hasLiveClaims, releaseDeadAddresses } from "./ipam.ts";
import {
  isDefaultNetwork,
  listNetworks,
  networkFile,
  type NetworkRecord,
  networksDirectory,
  ownNetworks,
  readNetwork,
} from "./record.ts";

/** How often to look whether a container that holds an address has ended or runs; 10 ms apart. */
const ATTEMPTS = 200;

/** Who is attached to a network, now. */
export type FindUsers = (network: NetworkRecord) => readonly NetworkUser[];

/**
 * Removes a network.
 *
 * @returns What it was.
 * @throws {DhowError} `not_found`; `conflict` if containers are attached, or for the networks that are always there.
 */
export async function removeNetwork(
  paths: StorePaths,
  nameOrId: string,
  usersOf: FindUsers,
): Promise<NetworkRecord> {
  const known = readNetwork(paths, nameOrId);
  if (isDefaultNetwork(known.name)) {
    throw new DhowError(
      "conflict",
      `${known.name} is a pre-defined network and cannot be removed`,
    );
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const network = tryRemove(paths, known.id, usersOf);
    if (network !== undefined) return network;
    await sleep(10); // somebody is still dealing with the end of a container
  }
  throw new DhowError(
    "conflict",
    `error while removing network: a container is being started on network ${known.name}`,
  );
}

/** @returns undefined if a container holds an address that is not running: it is just being started, or has just ended. */
function tryRemove(paths: StorePaths, id: string, usersOf: FindUsers): NetworkRecord | undefined {
  using _lock = lockNetworks(paths);
  const network = readNetwork(paths, id); // somebody may have been faster
  const users = usersOf(network);
  if (users.length > 0) throw hasEndpoints(network, users);
  const { name, configOnly } = network;
  if (configOnly && ownNetworks(paths).some(({ configFrom }) => configFrom === name)) {
    throw new DhowError(
      "conflict",
      `error while removing network: configuration network "${name}" is in use`,
    );
  }
  return deleteNetwork(paths, network) ? network : undefined;
}

/**
 * Takes the addresses away first: who is about to start a container on the network then finds none, and who has just
 * got one keeps the network.
 *
 * @returns Whether nobody has an address.
 */
function deleteNetwork(paths: StorePaths, network: NetworkRecord): boolean {
  const addresses = addressDirectory(paths, network);
  const removed = `${addresses}.removed`;
  try {
    if (isThere(addresses) && hasLiveClaims(paths, addresses)) return false;
    renameIfThere(addresses, removed);
    if (isThere(removed) && hasLiveClaims(paths, removed)) {
      Deno.renameSync(removed, addresses);
      return false;
    }
    Deno.removeSync(networkFile(paths, network.name));
    if (isThere(removed)) Deno.removeSync(removed, { recursive: true });
    return true;
  } catch (error) {
    throw explainDiskError(`remove network "${network.name}"`, error);
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // an earlier removal was cut short
  }
}

function hasEndpoints({ name }: NetworkRecord, users: readonly NetworkUser[]): DhowError {
  const list = users.map(({ containerName, endpointId }) =>
    `name:"${containerName}" id:"${endpointId.slice(0, 12)}"`
  );
  return new DhowError(
    "conflict",
    `error while removing network: network ${name} has active endpoints (${list.join(", ")})`,
  );
}

/**
 * Removes the networks that nobody is attached to and that pass the filters; those that are only there to be copied stay.
 *
 * @param filters `until`, `label`, `label!`.
 * @throws {DhowError} `invalid_argument`, in docker's words.
 */
export async function pruneNetworks(
  paths: StorePaths,
  usersOf: FindUsers,
  filters: Record<string, string[]> = {},
): Promise<NetworkRecord[]> {
  const passes = pruneFilter(filters);
  const removed: NetworkRecord[] = [];
  for (const network of ownNetworks(paths)) {
    if (network.configOnly || !passes(Date.parse(network.created), network.labels)) continue;
    try {
      removed.push(await removeNetwork(paths, network.id, usersOf));
    } catch (error) {
      // It is in use, or somebody else was faster.
      if (error instanceof DhowError && ["conflict", "not_found"].includes(error.code)) continue;
      throw error;
    }
  }
  sweepNetworks(paths);
  return removed.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Removes what the killed have left: files that belong to no network, and addresses that belong to no container. */
function sweepNetworks(paths: StorePaths): void {
  using _lock = lockNetworks(paths);
  const networks = listNetworks(paths);
  const ids = new Set(networks.map(({ id }) => id));
  for (const network of networks) releaseDeadAddresses(paths, network);
  const directory = networksDirectory(paths);
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    const isLeft = isDirectory ? !ids.has(name) : name.endsWith(".new");
    if (isLeft) Deno.removeSync(`${directory}/${name}`, { recursive: true });
  }
}
