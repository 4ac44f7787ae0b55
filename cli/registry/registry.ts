/**
 * What is asked of registries themselves: the commands in cli/commands/registry/.
 *
 * @module
 */
import { lazy } from "../../core/lib/lazy.ts";
import { type Entry, entry } from "./entry.ts";

/** What is asked of registries themselves. */
export const registryEntries: readonly Entry[] = [
  entry(
    "Authenticate to a registry",
    async () =>
      (await lazy<typeof import("../commands/registry/login.ts")>(
        "../commands/registry/login.ts",
        import.meta.url,
      )).login,
    "login",
  ),
  entry(
    "Log out from a registry",
    async () =>
      (await lazy<typeof import("../commands/registry/logout.ts")>(
        "../commands/registry/logout.ts",
        import.meta.url,
      )).logout,
    "logout",
  ),
  entry(
    "Search Docker Hub for images",
    async () =>
      (await lazy<typeof import("../commands/registry/search.ts")>(
        "../commands/registry/search.ts",
        import.meta.url,
      )).search,
    "search",
  ),
];
