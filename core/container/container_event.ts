/**
 * Events of containers, in docker's shape.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { appendEvent, containerEvent } from "./events.ts";
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
