/**
 * What is told of dhow itself and of all its objects: the commands in cli/commands/system/.
 *
 * @module
 */
import { lazy } from "../../core/lib/lazy.ts";
import { type Entry, entry } from "./entry.ts";

/** What is told of dhow itself and of all its objects. */
export const systemEntries: readonly Entry[] = [
  entry(
    "Say what this machine lacks for containers, and what mends it",
    async () =>
      (await lazy<typeof import("../commands/system/doctor.ts")>(
        "../commands/system/doctor.ts",
        import.meta.url,
      )).doctor,
    "doctor",
  ),
  entry(
    "Return low-level information on dhow objects",
    async () =>
      (await lazy<typeof import("../commands/system/inspect.ts")>(
        "../commands/system/inspect.ts",
        import.meta.url,
      )).inspect,
    "inspect",
  ),
  entry(
    "Show dhow disk usage",
    async () =>
      (await lazy<typeof import("../commands/system/df.ts")>(
        "../commands/system/df.ts",
        import.meta.url,
      )).diskUsage,
    "system df",
  ),
  entry(
    "Get real time events from the engine",
    async () =>
      (await lazy<typeof import("../commands/system/events.ts")>(
        "../commands/system/events.ts",
        import.meta.url,
      )).events,
    "system events",
    "events",
  ),
  entry(
    "Display system-wide information",
    async () =>
      (await lazy<typeof import("../commands/system/info.ts")>(
        "../commands/system/info.ts",
        import.meta.url,
      )).info,
    "system info",
    "info",
  ),
  entry(
    "Remove unused data",
    async () =>
      (await lazy<typeof import("../commands/system/prune.ts")>(
        "../commands/system/prune.ts",
        import.meta.url,
      )).pruneSystem,
    "system prune",
  ),
  entry(
    "Show the dhow version information",
    async () =>
      (await lazy<typeof import("../commands/system/version.ts")>(
        "../commands/system/version.ts",
        import.meta.url,
      )).version,
    "version",
  ),
];
