/**
 * Pulling an image for a build.
 *
 * @module
 */
import { pullImage } from "../image/pull.ts";
import { lazy } from "../lib/lazy.ts";
import { formatPlatform, hostPlatform } from "../lib/platform.ts";
import { parseReference } from "../lib/reference.ts";
import { openRepository } from "../registry/client.ts";
import type { Platform } from "../spec/image.ts";
import type { TransferProgress } from "../spec/progress.ts";
import type { BuildSession } from "./session.ts";

/** Pulls an image and names it. @param id The step that it is told as. */
export async function pullBase(
  session: BuildSession,
  name: string,
  platform: Platform,
  id: string,
): Promise<void> {
  const { paths, mapping, signal, emit } = session;
  const reference = parseReference(name);
  using repository = openRepository(reference);
  const isHost = formatPlatform(platform) === formatPlatform(hostPlatform());
  await pullImage(paths, repository, reference, {
    platform: isHost ? undefined : platform,
    signal,
    mapping,
    onProgress: (event: TransferProgress) => {
      if (event.kind !== "layer") return;
      emit({
        kind: "status",
        id,
        part: event.id,
        ...event.currentBytes !== undefined && { currentBytes: event.currentBytes },
        ...event.totalBytes !== undefined && { totalBytes: event.totalBytes },
        isDone: event.status === "Pull complete" || event.status === "Already exists",
        timeMs: Date.now(),
      });
    },
    openHelper: async (signal) => {
      const { openLayerHelper } = await lazy<typeof import("../image/layer_helper.ts")>(
        "../image/layer_helper.ts",
        import.meta.url,
      );
      return await openLayerHelper(paths, signal);
    },
  });
}
