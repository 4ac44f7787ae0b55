/**
 * What is done to images: the commands in cli/commands/image/.
 *
 * @module
 */
import { lazy } from "../../core/lib/lazy.ts";
import { type Entry, entry } from "./entry.ts";

/** What is done to images. */
export const imageEntries: readonly Entry[] = [
  entry(
    "Show the history of an image",
    async () =>
      (await lazy<typeof import("../commands/image/history.ts")>(
        "../commands/image/history.ts",
        import.meta.url,
      )).imageHistory,
    "image history",
    "history",
  ),
  entry(
    "Import the contents from a tarball to create a filesystem image",
    async () =>
      (await lazy<typeof import("../commands/image/import.ts")>(
        "../commands/image/import.ts",
        import.meta.url,
      )).importImage,
    "image import",
    "import",
  ),
  entry(
    "Display detailed information on one or more images",
    async () =>
      (await lazy<typeof import("../commands/image/inspect.ts")>(
        "../commands/image/inspect.ts",
        import.meta.url,
      )).inspectImage,
    "image inspect",
  ),
  entry(
    "Load an image from a tar archive or STDIN",
    async () =>
      (await lazy<typeof import("../commands/image/load.ts")>(
        "../commands/image/load.ts",
        import.meta.url,
      )).loadImage,
    "image load",
    "load",
  ),
  entry(
    "List images",
    async () =>
      (await lazy<typeof import("../commands/image/ls.ts")>(
        "../commands/image/ls.ts",
        import.meta.url,
      )).listImages,
    "image ls",
    "image list",
    "images",
  ),
  entry(
    "Remove unused images",
    async () =>
      (await lazy<typeof import("../commands/image/prune.ts")>(
        "../commands/image/prune.ts",
        import.meta.url,
      )).pruneImages,
    "image prune",
  ),
  entry(
    "Download an image from a registry",
    async () =>
      (await lazy<typeof import("../commands/image/pull.ts")>(
        "../commands/image/pull.ts",
        import.meta.url,
      )).pullImage,
    "image pull",
    "pull",
  ),
  entry(
    "Upload an image to a registry",
    async () =>
      (await lazy<typeof import("../commands/image/push.ts")>(
        "../commands/image/push.ts",
        import.meta.url,
      )).pushImage,
    "image push",
    "push",
  ),
  entry(
    "Remove one or more images",
    async () =>
      (await lazy<typeof import("../commands/image/rm.ts")>(
        "../commands/image/rm.ts",
        import.meta.url,
      )).removeImage,
    "image rm",
    "image remove",
    "rmi",
  ),
  entry(
    "Save one or more images to a tar archive (streamed to STDOUT by default)",
    async () =>
      (await lazy<typeof import("../commands/image/save.ts")>(
        "../commands/image/save.ts",
        import.meta.url,
      )).saveImages,
    "image save",
    "save",
  ),
  entry(
    "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    async () =>
      (await lazy<typeof import("../commands/image/tag.ts")>(
        "../commands/image/tag.ts",
        import.meta.url,
      )).tagImage,
    "image tag",
    "tag",
  ),
];
