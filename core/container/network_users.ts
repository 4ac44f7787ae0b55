/**
 * Which running containers are in which network.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { sha256Hex } from "../lib/sha256.ts";
import type { NetworkUser } from "../network/inspect_network.ts";
import type { NetworkRecord } from "../network/record.ts";
import { readEndpoints, usesBridges } from "./endpoints.ts";
import { containerDirectory, containerIds, type ContainerRecord, readRecord } from "./record.ts";
import { isRunning, readState } from "./state.ts";

/** Looks at all containers, once, and tells of each network who is in it. */
export function findNetworkUsers(paths: StorePaths): (network: NetworkRecord) => NetworkUser[] {
  const byNetwork = Map.groupBy(
    containerIds(paths).flatMap((id) => networksOf(paths, id)),
    ({ key }) => key,
  );
  return ({ id, name, driver }) =>
    (byNetwork.get(driver === "bridge" ? id : name) ?? []).map(({ user }) => user);
}

/** The id of an attachment that needs none: to the host's network, or to none. */
export function pseudoEndpointId(containerId: string, network: string): string {
  return sha256Hex(new TextEncoder().encode(`${containerId}/${network}`));
}

/** By the network's id; those without addresses by their name. */
function networksOf(paths: StorePaths, id: string): { key: string; user: NetworkUser }[] {
  const record = tryRead(paths, id);
  if (record === undefined || !isRunning(readState(containerDirectory(paths, id)).status)) {
    return [];
  }
  const who = { containerId: id, containerName: record.name };
  if (usesBridges(record)) {
    return readEndpoints(paths, id).map((endpoint) => ({
      key: endpoint.networkId,
      user: { ...who, endpointId: endpoint.endpointId, endpoint },
    }));
  }
  const { NetworkMode } = record.hostConfig;
  if (NetworkMode !== "host" && NetworkMode !== "none") return [];
  const endpointId = pseudoEndpointId(id, NetworkMode);
  return [{ key: NetworkMode, user: { ...who, endpointId } }];
}

function tryRead(paths: StorePaths, id: string): ContainerRecord | undefined {
  try {
    return readRecord(paths, id);
  } catch {
    return undefined; // removed meanwhile
  }
}
