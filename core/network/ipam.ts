/**
 * Who has which address: `networks/<id>/<address>` is a symbolic link to the container's id. Only one can make a link of
 * that name, so nobody has to wait for anybody; only what the dead have left is taken away one at a time.
 *
 * @module
 */
import { O_RDONLY } from "../../ffi/abi/constants.ts";
import { openIfThere } from "../../ffi/fd.ts";
import { isLocked } from "../../ffi/lock.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { removeIfThere } from "../host/remove_if_there.ts";
import { isThere } from "../host/stat.ts";
import {
  type AddressPool,
  isDefaultNetwork,
  type NetworkRecord,
  networksDirectory,
  noSuchNetwork,
} from "./record.ts";
import {
  contains,
  formatAddress,
  isHostAddress,
  lastOf,
  parseAddress,
  parseSubnet,
  type Subnet,
} from "./subnet.ts";

/** The byte of a container's `lock` that is held while it is started or runs (core/container/state.ts). */
const LOCK_RUN = 0;
/** The file whose lock is held while addresses of the dead are taken away. */
const RECLAIM_LOCK = ".reclaim.lock";
/** How often all addresses are looked at: one may become free behind the one who looks. */
const ATTEMPTS = 3;

/**
 * Takes an address of a pool for a container: the one wanted, or the lowest that is free.
 *
 * The caller holds the container's run lock, or its monitor does: addresses of containers whose lock nobody holds are
 * free. Claiming again what one has already is no error.
 *
 * @throws {DhowError} `conflict` if it is taken or none is left, in docker's words.
 */
export function claimAddress(
  paths: StorePaths,
  network: NetworkRecord,
  pool: AddressPool,
  containerId: string,
  wanted?: string,
): string {
  const directory = addressDirectory(paths, network);
  if (isDefaultNetwork(network.name)) Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    return claim({ paths, directory, containerId }, network, pool, wanted);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw noSuchNetwork(network.name); // removed meanwhile
    throw error;
  }
}

/** Where the addresses of a network are. Whoever removes the network first takes this away. */
export function addressDirectory(paths: StorePaths, network: NetworkRecord): string {
  return `${networksDirectory(paths)}/${network.id}`;
}

/** Whether any address in a directory is that of a container which is started or runs. */
export function hasLiveClaims(paths: StorePaths, directory: string): boolean {
  return links(directory).some((name) => {
    const owner = ownerOf(`${directory}/${name}`);
    return owner !== undefined && isAlive(paths, owner);
  });
}

function claim(
  place: Place,
  network: NetworkRecord,
  pool: AddressPool,
  wanted: string | undefined,
): string {
  if (wanted !== undefined) return claimWanted(place, network, pool, wanted);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const taken = new Set(links(place.directory));
    for (const address of freeAddresses(pool, taken)) {
      if (tryClaim(place, address)) return address;
    }
    // None left: what containers that have died without a word had may be taken.
    for (const address of freeAddresses(pool, new Set())) {
      if (taken.has(address) && reclaim(place, address)) return address;
    }
  }
  const version = pool.subnet.includes(":") ? "IPv6" : "IPv4";
  throw new DhowError(
    "conflict",
    `no available ${version} addresses on this network's address pools: ${network.name} (${network.id})`,
  );
}

/** Where and for whom. */
interface Place {
  paths: StorePaths;
  directory: string;
  containerId: string;
}

function claimWanted(
  place: Place,
  network: NetworkRecord,
  pool: AddressPool,
  wanted: string,
): string {
  const address = parseAddress(wanted);
  const subnet = parseSubnet(pool.subnet)!;
  if (address === undefined || !contains(subnet, address)) {
    throw new DhowError(
      "invalid_argument",
      `invalid config for network ${network.name}: invalid endpoint settings:\nno configured subnet or ip-range contain the IP address ${wanted}`,
    );
  }
  const text = formatAddress(address);
  const isFree = isHostAddress(subnet, address) && !reserved(pool).has(text);
  if (isFree && (tryClaim(place, text) || reclaim(place, text))) return text;
  throw new DhowError("conflict", "Address already in use");
}

/** The addresses that can be given out and that are not in `taken`, lowest first. */
function* freeAddresses(pool: AddressPool, taken: ReadonlySet<string>): Generator<string> {
  const subnet = parseSubnet(pool.subnet)!;
  const range: Subnet = parseSubnet(pool.ipRange ?? pool.subnet)!;
  const kept = reserved(pool);
  const end = lastOf(range);
  for (let value = range.base; value <= end; value++) {
    const address = { version: subnet.version, value };
    if (!isHostAddress(subnet, address)) continue;
    const text = formatAddress(address);
    if (!kept.has(text) && !taken.has(text)) yield text;
  }
}

function reserved({ gateway, auxAddresses }: AddressPool): Set<string> {
  return new Set([gateway, ...Object.values(auxAddresses ?? {})]);
}

function tryClaim({ directory, containerId }: Place, address: string): boolean {
  try {
    Deno.symlinkSync(containerId, `${directory}/${address}`);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

/** Takes away the addresses of containers that died without giving them back. */
export function releaseDeadAddresses(paths: StorePaths, network: NetworkRecord): void {
  const directory = addressDirectory(paths, network);
  if (!isThere(directory)) return;
  using _lock = lockReclaim(directory);
  for (const name of links(directory)) {
    const owner = ownerOf(`${directory}/${name}`);
    if (owner !== undefined && !isAlive(paths, owner)) removeIfThere(`${directory}/${name}`);
  }
}

function lockReclaim(directory: string): Deno.FsFile {
  const options = { write: true, create: true, mode: 0o600 };
  const lock = Deno.openSync(`${directory}/${RECLAIM_LOCK}`, options);
  lock.lockSync(true);
  return lock;
}

/** Takes an address that is taken, if its owner is dead or the one who asks. */
function reclaim(place: Place, address: string): boolean {
  const { paths, directory, containerId } = place;
  using _lock = lockReclaim(directory);
  const owner = ownerOf(`${directory}/${address}`);
  if (owner === containerId) return true;
  if (owner !== undefined) {
    if (isAlive(paths, owner)) return false;
    removeIfThere(`${directory}/${address}`);
  }
  return tryClaim(place, address); // somebody may have been faster
}

/** Whether a container, or a step of a build, is started or runs, or is just being cleaned up after. */
function isAlive(paths: StorePaths, id: string): boolean {
  using lock = openIfThere(`${paths.containers}/${id}/lock`, O_RDONLY) ??
    openIfThere(`${paths.tmp}/build-${id}/lock`, O_RDONLY);
  return lock !== undefined && isLocked(lock, LOCK_RUN);
}

function ownerOf(link: string): string | undefined {
  try {
    return Deno.readLinkSync(link);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Gives back all that a container has of a network's addresses. The caller holds its run lock, or its monitor does. */
export function releaseAddresses(
  paths: StorePaths,
  network: NetworkRecord,
  containerId: string,
): void {
  const directory = addressDirectory(paths, network);
  let names: string[];
  try {
    names = links(directory);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return; // the network is gone
    throw error;
  }
  for (const name of names) {
    if (ownerOf(`${directory}/${name}`) === containerId) removeIfThere(`${directory}/${name}`);
  }
}

/** The addresses in a directory. */
function links(directory: string): string[] {
  return [...Deno.readDirSync(directory)].filter(({ isSymlink }) => isSymlink)
    .map(({ name }) => name);
}
