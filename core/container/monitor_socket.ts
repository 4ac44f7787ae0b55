/**
 * Where a container's monitor takes requests.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";

/** The path of the socket: short, since a socket's path may have 107 bytes. */
export function monitorSocket(paths: StorePaths, id: string): string {
  return `${paths.runtime}/${id.slice(0, 32)}.sock`;
}
