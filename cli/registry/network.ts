/**
 * What is done to networks: the commands in cli/commands/network/.
 *
 * @module
 */
import { lazy } from "../../core/lib/lazy.ts";
import { type Entry, entry } from "./entry.ts";

/** What is done to networks. */
export const networkEntries: readonly Entry[] = [
  entry(
    "Connect a container to a network",
    async () =>
      (await lazy<typeof import("../commands/network/connect.ts")>(
        "../commands/network/connect.ts",
        import.meta.url,
      )).connectNetwork,
    "network connect",
  ),
  entry(
    "Create a network",
    async () =>
      (await lazy<typeof import("../commands/network/create.ts")>(
        "../commands/network/create.ts",
        import.meta.url,
      )).createNetwork,
    "network create",
  ),
  entry(
    "Disconnect a container from a network",
    async () =>
      (await lazy<typeof import("../commands/network/disconnect.ts")>(
        "../commands/network/disconnect.ts",
        import.meta.url,
      )).disconnectNetwork,
    "network disconnect",
  ),
  entry(
    "Display detailed information on one or more networks",
    async () =>
      (await lazy<typeof import("../commands/network/inspect.ts")>(
        "../commands/network/inspect.ts",
        import.meta.url,
      )).inspectNetwork,
    "network inspect",
  ),
  entry(
    "List networks",
    async () =>
      (await lazy<typeof import("../commands/network/ls.ts")>(
        "../commands/network/ls.ts",
        import.meta.url,
      )).listNetworks,
    "network ls",
    "network list",
  ),
  entry(
    "Remove all unused networks",
    async () =>
      (await lazy<typeof import("../commands/network/prune.ts")>(
        "../commands/network/prune.ts",
        import.meta.url,
      )).pruneNetworks,
    "network prune",
  ),
  entry(
    "Remove one or more networks",
    async () =>
      (await lazy<typeof import("../commands/network/rm.ts")>(
        "../commands/network/rm.ts",
        import.meta.url,
      )).removeNetwork,
    "network rm",
    "network remove",
  ),
];
