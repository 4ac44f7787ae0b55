/**
 * Mending what networks stand on, where a process of it has died. Asked by commands that look at containers, so it costs
 * next to nothing when all is well.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { isThere } from "../host/stat.ts";
import { lazy } from "../lib/lazy.ts";
import { forgetNameServer, isNameServerDead } from "../network/name_server_record.ts";
import { forgetRouter, isRouterDead } from "../network/router_record.ts";
import { readEndpoints } from "./endpoints.ts";
import { portsDirectory } from "./ports_record.ts";
import { containerDirectory, containerIds } from "./record.ts";
import { isRunning, readState } from "./state.ts";

/**
 * Makes the router again if it has died while containers use it, and what serves published ports. What fails is left for
 * the next command.
 */
export async function mendNetworks(paths: StorePaths): Promise<void> {
  await mendRouter(paths);
  if (isNameServerDead(paths)) await mendNames(paths);
  if (!isThere(portsDirectory(paths))) return;
  const { mendPorts } = await lazy<typeof import("./ports.ts")>("./ports.ts", import.meta.url);
  mendPorts(paths);
}

/** Starts the name server again if containers use it. */
async function mendNames(paths: StorePaths): Promise<void> {
  const named = containerIds(paths).filter((id) =>
    readEndpoints(paths, id).some(({ network }) => network !== "bridge") &&
    isRunning(readState(containerDirectory(paths, id)).status)
  );
  if (named.length === 0) return forgetNameServer(paths);
  const { ensureNames, reachRouter } = await lazy<typeof import("./networking.ts")>(
    "./networking.ts",
    import.meta.url,
  );
  const { ensureUserNamespace } = await lazy<typeof import("../runtime/userns.ts")>(
    "../runtime/userns.ts",
    import.meta.url,
  );
  try {
    using namespace = await ensureUserNamespace(paths);
    using router = await reachRouter(paths, namespace);
    await ensureNames(paths, namespace, router, readEndpoints(paths, named[0]!));
  } catch { /* the next command tries again */ }
}

async function mendRouter(paths: StorePaths): Promise<void> {
  if (!isRouterDead(paths)) return;
  const isMissed = containerIds(paths).some((id) =>
    readEndpoints(paths, id).length > 0 &&
    isRunning(readState(containerDirectory(paths, id)).status)
  );
  if (!isMissed) return forgetRouter(paths);
  const { reachRouter } = await lazy<typeof import("./networking.ts")>(
    "./networking.ts",
    import.meta.url,
  );
  const { ensureUserNamespace } = await lazy<typeof import("../runtime/userns.ts")>(
    "../runtime/userns.ts",
    import.meta.url,
  );
  try {
    using namespace = await ensureUserNamespace(paths);
    using _router = await reachRouter(paths, namespace);
  } catch { /* who needs the network is told why there is none when it is used */ }
}
