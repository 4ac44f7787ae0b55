/**
 * The pull that `run` and `create` do for an image that is missing, or with `--pull always`.
 *
 * @module
 */
import type { Engine } from "../core/engine/engine.ts";
import { withInterrupt } from "./interrupt.ts";
import { showProgress } from "./output/progress.ts";
import type { Output } from "./output/stream.ts";

/** Fetches an image and tells so on `err`. */
export async function pullForRun(
  engine: Engine,
  image: string,
  options: { err: Output; quiet: boolean; platform: string },
): Promise<void> {
  const { err, quiet, platform } = options;
  await withInterrupt((signal) =>
    engine.images.pull(image, {
      signal,
      ...platform !== "" && { platform },
      ...!quiet && { onProgress: showProgress(err) },
    })
  );
}
