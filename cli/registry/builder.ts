/**
 * What builds images: the commands in cli/commands/builder/, and `build`.
 *
 * @module
 */
import { lazy } from "../../core/lib/lazy.ts";
import { type Entry, entry } from "./entry.ts";

/** What builds images. */
export const builderEntries: readonly Entry[] = [
  entry(
    "Build an image from a Dockerfile",
    async () =>
      (await lazy<typeof import("../commands/image/build.ts")>(
        "../commands/image/build.ts",
        import.meta.url,
      )).buildImage,
    "image build",
    "build",
    "builder build",
    "buildx build",
  ),
  entry(
    "Disk usage",
    async () =>
      (await lazy<typeof import("../commands/builder/du.ts")>(
        "../commands/builder/du.ts",
        import.meta.url,
      )).builderUsage,
    "builder du",
    "buildx du",
  ),
  entry(
    "Remove build cache",
    async () =>
      (await lazy<typeof import("../commands/builder/prune.ts")>(
        "../commands/builder/prune.ts",
        import.meta.url,
      )).pruneBuilder,
    "builder prune",
    "buildx prune",
  ),
];
