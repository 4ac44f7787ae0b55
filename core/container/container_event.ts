/**
 * Events of containers, in docker's shape.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { appendEvent, containerEvent, makeEvent } from "./events.ts";
import type { EventMessage } from "../spec/docker_api.ts";
import { networkIdOf } from "../network/record.ts";
import { readEndpoints, usesBridges } from "./endpoints.ts";
import type { ContainerRecord } from "./record.ts";

/** Writes one event of a container down. What cannot be written is not worth failing for. */
export function logContainerEvent(
  paths: StorePaths,
  record: ContainerRecord,
  action: string,
  attributes: Record<string, string> = {},
): void {
  try {
    appendEvent(paths.events, containerEvent(record, action, attributes));
  } catch { /* a full disk must not stop a container */ }
}

/** Writes down that a container has started, and is in its networks. */
export function logStart(paths: StorePaths, record: ContainerRecord): void {
  try {
    const connected = networkEvents(paths, record, "connect");
    appendEvent(paths.events, ...connected, containerEvent(record, "start"));
  } catch { /* a full disk must not stop a container */ }
}

/** Writes down that a container has ended, and has left its networks. */
export function logEnd(
  paths: StorePaths,
  record: ContainerRecord,
  attributes: Record<string, string>,
): void {
  try {
    const disconnected = networkEvents(paths, record, "disconnect");
    appendEvent(paths.events, ...disconnected, containerEvent(record, "die", attributes));
  } catch { /* a full disk must not stop a container */ }
}

function networkEvents(
  paths: StorePaths,
  record: ContainerRecord,
  action: "connect" | "disconnect",
): EventMessage[] {
  const event = (id: string, name: string, type: string) =>
    makeEvent("network", action, { id, attributes: { container: record.id, name, type } });
  if (usesBridges(record)) {
    return readEndpoints(paths, record.id)
      .map(({ networkId, network }) => event(networkId, network, "bridge"));
  }
  const { NetworkMode } = record.hostConfig;
  if (NetworkMode === "host") return [event(networkIdOf(paths, "host"), "host", "host")];
  return NetworkMode === "none" ? [event(networkIdOf(paths, "none"), "none", "null")] : [];
}
