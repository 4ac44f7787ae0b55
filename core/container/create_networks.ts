/**
 * The networks of a container that is being created.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { lazy } from "../lib/lazy.ts";
import type { EndpointRequest } from "../network/record.ts";
import type { ContainerCreate, HostConfig } from "../spec/docker_api.ts";
import { findContainer } from "./record.ts";

/** What is asked of its networks; undefined where only the default is to be had. */
export async function planNetworks(
  paths: StorePaths,
  { hostConfig, networkingConfig }: ContainerCreate,
): Promise<Record<string, EndpointRequest> | undefined> {
  const { NetworkMode } = hostConfig;
  const configs = networkingConfig?.EndpointsConfig ?? {};
  const isPlain = /^(|default|bridge|host|none|container:.*)$/.test(NetworkMode);
  if (isPlain && Object.keys(configs).length === 0) return undefined;
  const { planEndpoints } = await lazy<typeof import("./endpoint_config.ts")>(
    "./endpoint_config.ts",
    import.meta.url,
  );
  return planEndpoints(paths, NetworkMode, configs);
}

/** Refuses links that cannot be. @throws {DhowError} `invalid_argument`, in docker's words. */
export function assertLinks(paths: StorePaths, { Links, NetworkMode }: HostConfig): void {
  const kind = NetworkMode.startsWith("container:") ? "container" : NetworkMode;
  if (Links?.length && (kind === "host" || kind === "container")) {
    throw new DhowError(
      "invalid_argument",
      `conflicting options: ${kind} type ${
        kind === "host" ? "networking" : "network"
      } can't be used with links. This would result in undefined behavior`,
    );
  }
  for (const link of Links ?? []) {
    const name = link.split(":")[0]!;
    try {
      findContainer(paths, name);
    } catch (error) {
      if (!(error instanceof DhowError)) throw error;
      throw new DhowError(
        "invalid_argument",
        `could not get container for ${name}: ${error.message}`,
      );
    }
  }
}
