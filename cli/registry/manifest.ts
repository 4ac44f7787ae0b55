/**
 * What is told of manifests: the commands in cli/commands/manifest/.
 *
 * @module
 */
import { lazy } from "../../core/lib/lazy.ts";
import { type Entry, entry } from "./entry.ts";

/** What is told of manifests. */
export const manifestEntries: readonly Entry[] = [
  entry(
    "Display an image manifest, or manifest list",
    async () =>
      (await lazy<typeof import("../commands/manifest/inspect.ts")>(
        "../commands/manifest/inspect.ts",
        import.meta.url,
      )).inspectManifest,
    "manifest inspect",
  ),
];
