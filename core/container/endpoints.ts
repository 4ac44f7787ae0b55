/**
 * What a container's directory says of its networks: what was asked for (`networks.json`), and where it is attached
 * (`endpoints.json`).
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { changeGeneration } from "../network/generation.ts";
import type { Endpoint, EndpointRequest } from "../network/record.ts";
import { containerDirectory, type ContainerRecord } from "./record.ts";

/** Whether a container has networks of its own: neither the host's, nor none, nor another container's. */
export function usesBridges({ hostConfig, config }: ContainerRecord): boolean {
  const mode = hostConfig.NetworkMode;
  return mode !== "host" && mode !== "none" && !mode.startsWith("container:") &&
    !config.NetworkDisabled;
}

/** The name of the network that `--network MODE` means. */
export function networkOfMode(mode: string): string {
  return mode === "" || mode === "default" ? "bridge" : mode;
}

/** The networks a container belongs to and what was asked of each, the one of `--network` first. */
export function endpointRequests(
  paths: StorePaths,
  record: ContainerRecord,
): Record<string, EndpointRequest> {
  const stored = readJson<Record<string, EndpointRequest>>(
    `${containerDirectory(paths, record.id)}/networks.json`,
  );
  return stored ?? { [networkOfMode(record.hostConfig.NetworkMode)]: {} };
}

/** Whether a container is linked to others. */
export function hasLinks(paths: StorePaths, record: ContainerRecord): boolean {
  return (record.hostConfig.Links?.length ?? 0) > 0 ||
    Object.values(endpointRequests(paths, record)).some(({ links }) => links?.length);
}

/** Writes what {@linkcode endpointRequests} reads. */
export function writeEndpointRequests(
  paths: StorePaths,
  id: string,
  requests: Record<string, EndpointRequest>,
): void {
  writeJson(`${containerDirectory(paths, id)}/networks.json`, requests);
}

/** Where a container is attached, or was when it ran; in the order of its interfaces. */
export function readEndpoints(paths: StorePaths, id: string): Endpoint[] {
  return readJson<Endpoint[]>(`${containerDirectory(paths, id)}/endpoints.json`) ?? [];
}

/** Writes what {@linkcode readEndpoints} reads. */
export function writeEndpoints(paths: StorePaths, id: string, endpoints: Endpoint[]): void {
  writeJson(`${containerDirectory(paths, id)}/endpoints.json`, endpoints);
  changeGeneration(paths);
}

function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(path)) as T;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function writeJson(path: string, value: unknown): void {
  const temporary = `${path}.${Deno.pid}.new`;
  Deno.writeTextFileSync(temporary, JSON.stringify(value), { mode: 0o600 });
  Deno.renameSync(temporary, path);
}
