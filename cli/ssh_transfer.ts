/**
 * `pull` and `push` with an address `ssh://...` in the place of a name.
 *
 * @module
 */
import type { Engine } from "../core/engine/engine.ts";
import { withInterrupt } from "./interrupt.ts";
import { showProgress } from "./output/progress.ts";
import type { Output } from "./output/stream.ts";

/** What both commands say of where the other dhow is. */
export const remoteDhowFlag = {
  type: "string",
  hint: "path",
  help:
    "Where dhow is on the other machine, for ssh:// (default: $DHOW_REMOTE, or dhow on its PATH)",
} as const;

/** Whether it is such an address. */
export function isSsh(name: string): boolean {
  return name.startsWith("ssh://");
}

/** Does it, and prints the names of what has arrived. */
export async function transferOverSsh(
  engine: Engine,
  verb: "pull" | "push",
  address: string,
  options: { platform: string; quiet: boolean; remoteDhow: string; out: Output },
): Promise<void> {
  const { platform, quiet, remoteDhow, out } = options;
  const images = await withInterrupt((signal) =>
    engine.images.transfer(verb, address, {
      signal,
      ...platform !== "" && { platform },
      ...remoteDhow !== "" && { remoteDhow },
      ...!quiet && { onProgress: showProgress(out) },
    })
  );
  for (const { id, references } of images) {
    for (const name of references.length > 0 ? references : [id]) out.line(name);
  }
}
