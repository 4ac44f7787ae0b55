/**
 * What is done to volumes: the commands in cli/commands/volume/.
 *
 * @module
 */
import { lazy } from "../../core/lib/lazy.ts";
import { type Entry, entry } from "./entry.ts";

/** What is done to volumes. */
export const volumeEntries: readonly Entry[] = [
  entry(
    "Create a volume",
    async () =>
      (await lazy<typeof import("../commands/volume/create.ts")>(
        "../commands/volume/create.ts",
        import.meta.url,
      )).createVolume,
    "volume create",
  ),
  entry(
    "Display detailed information on one or more volumes",
    async () =>
      (await lazy<typeof import("../commands/volume/inspect.ts")>(
        "../commands/volume/inspect.ts",
        import.meta.url,
      )).inspectVolume,
    "volume inspect",
  ),
  entry(
    "List volumes",
    async () =>
      (await lazy<typeof import("../commands/volume/ls.ts")>(
        "../commands/volume/ls.ts",
        import.meta.url,
      )).listVolumes,
    "volume ls",
    "volume list",
  ),
  entry(
    "Remove unused local volumes",
    async () =>
      (await lazy<typeof import("../commands/volume/prune.ts")>(
        "../commands/volume/prune.ts",
        import.meta.url,
      )).pruneVolumes,
    "volume prune",
  ),
  entry(
    "Remove one or more volumes",
    async () =>
      (await lazy<typeof import("../commands/volume/rm.ts")>(
        "../commands/volume/rm.ts",
        import.meta.url,
      )).removeVolume,
    "volume rm",
    "volume remove",
  ),
];
