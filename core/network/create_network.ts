/**
 * `docker network create`.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { formatTimestamp, nowNanoseconds } from "../lib/timestamp.ts";
import type { IPAMConfig, NetworkCreate } from "../spec/docker_api.ts";
import { explainDiskError } from "../store/disk_error.ts";
import { assertIpamConfig, choosePools } from "./ipam_config.ts";
import { assertBridgeOptions } from "./network_options.ts";
import {
  bridgeName,
  isDefaultNetwork,
  listNetworks,
  networkFile,
  type NetworkRecord,
  networksDirectory,
} from "./record.ts";
import { parseSubnet } from "./subnet.ts";

/**
 * Makes a network. It is there as a whole, or not at all; the bridge is made when the first container is attached to it.
 *
 * @throws {DhowError} `conflict` if its name or its addresses are taken; `invalid_argument`; in docker's words.
 */
export function createNetwork(
  paths: StorePaths,
  name: string,
  request: NetworkCreate = {},
): NetworkRecord {
  if (isDefaultNetwork(name) || name === "default") {
    throw invalid(`operation is not permitted on predefined ${name} network`);
  }
  if (name.trim() === "") throw invalid("invalid name: name is empty");
  assertIpamConfig(request.IPAM?.Config ?? [], request.EnableIPv6 ?? false);
  try {
    using _lock = lockNetworks(paths);
    const others = listNetworks(paths);
    if (others.some((other) => other.name === name)) {
      throw new DhowError("conflict", `network with name ${name} already exists`);
    }
    const record = makeRecord(paths, name, request, others);
    writeNetwork(paths, record);
    return record;
  } catch (error) {
    throw explainDiskError(`create a network in "${paths.root}"`, error);
  }
}

/** Held while networks are made and removed, so that no two get the same addresses. */
export function lockNetworks(paths: StorePaths): Disposable {
  Deno.mkdirSync(networksDirectory(paths), { recursive: true, mode: 0o700 });
  const lock = Deno.openSync(`${networksDirectory(paths)}/.lock`, {
    write: true,
    create: true,
    mode: 0o600,
  });
  lock.lockSync(true);
  return lock;
}

function makeRecord(
  paths: StorePaths,
  name: string,
  asked: NetworkCreate,
  others: readonly NetworkRecord[],
): NetworkRecord {
  const request = asked.ConfigFrom?.Network ? copyConfig(asked, others) : asked;
  const { EnableIPv4 = true, EnableIPv6 = false, ConfigOnly = false } = request;
  const { Options: options = {}, Labels: labels = {}, IPAM, Scope } = request;
  if (!ConfigOnly) assertKind(request);
  const record: NetworkRecord = {
    name,
    id: crypto.getRandomValues(new Uint8Array(32)).toHex(),
    created: formatTimestamp(nowNanoseconds()),
    driver: ConfigOnly ? "null" : "bridge",
    internal: request.Internal ?? false,
    attachable: request.Attachable ?? false,
    enableIPv4: EnableIPv4,
    enableIPv6: EnableIPv6,
    labels,
    options,
    pools: [],
    ipamOptions: IPAM?.Options ?? {},
    ...Scope && { scope: Scope },
    ...ConfigOnly && { configOnly: true },
    ...asked.ConfigFrom?.Network && { configFrom: asked.ConfigFrom.Network },
  };
  const configs = (IPAM?.Config ?? []).filter(({ Subnet }) => Subnet);
  if (configs.length > 0) record.asked = configs;
  if (ConfigOnly) return record;
  if (!EnableIPv4 && !EnableIPv6) throw invalid("IPv4 or IPv6 must be enabled");
  assertBridgeOptions(options);
  const taken = others.flatMap(({ pools }) => pools).map(({ subnet }) => parseSubnet(subnet)!);
  record.pools = choosePools(paths, request, taken);
  assertBridgeName(record, others);
  return record;
}

/** Refuses the kinds of network there are not. */
function assertKind({ Driver, Scope, Ingress, IPAM }: NetworkCreate): void {
  if (Scope === "swarm") {
    throw invalid("cannot create a swarm scoped network when swarm is not active");
  }
  if (Ingress) throw invalid("Ingress network can only be global scope network");
  if (Driver === "host" || Driver === "null") {
    throw invalid(`only one instance of "${Driver}" network is allowed`);
  }
  if (Driver === "overlay") {
    throw new DhowError("unavailable", "This node is not a swarm manager: there are no swarms");
  }
  if (Driver === "macvlan" || Driver === "ipvlan") {
    throw new DhowError("unsupported", "operation not supported");
  }
  if (Driver && Driver !== "bridge") {
    throw new DhowError("not_found", `plugin "${Driver}" not found`);
  }
  if (IPAM?.Driver === "null") throw invalid("ipv4 pool is empty");
  if (IPAM?.Driver && IPAM.Driver !== "default") {
    throw new DhowError("not_found", `plugin "${IPAM.Driver}" not found`);
  }
}

/** The request with what the network that it refers to says. */
function copyConfig(request: NetworkCreate, others: readonly NetworkRecord[]): NetworkCreate {
  const from = request.ConfigFrom!.Network;
  const config = others.find(({ name, configOnly }) => name === from && configOnly);
  if (config === undefined) {
    throw new DhowError("not_found", `configuration network "${from}" does not exist`);
  }
  const { IPAM, Options = {}, Labels = {} } = request;
  const own = [IPAM?.Config ?? [], Options, Labels, IPAM?.Options ?? {}];
  if (own.some((part) => Object.keys(part).length > 0) || request.ConfigOnly) {
    throw invalid(
      "user specified configurations are not supported if the network depends on a configuration network",
    );
  }
  return {
    ...request,
    EnableIPv6: config.enableIPv6,
    Options: config.options,
    Labels: config.labels,
    IPAM: {
      Driver: "default",
      Options: config.ipamOptions ?? {},
      Config: (config.asked ?? []) as IPAMConfig[],
    },
  };
}

function assertBridgeName(record: NetworkRecord, others: readonly NetworkRecord[]): void {
  const name = bridgeName(record);
  const other = others.find((one) => one.driver === "bridge" && bridgeName(one) === name);
  if (other === undefined) return;
  throw new DhowError(
    "conflict",
    `cannot create network ${record.id} (${name}): conflicts with network ${other.id} (${name}): networks have same bridge name`,
  );
}

function writeNetwork(paths: StorePaths, record: NetworkRecord): void {
  Deno.mkdirSync(`${networksDirectory(paths)}/${record.id}`, { mode: 0o700 });
  const temporary = `${networksDirectory(paths)}/${record.id}.new`;
  Deno.writeTextFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
  Deno.renameSync(temporary, networkFile(paths, record.name));
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}
