/**
 * How the name server learns that containers have come and gone: a file whose content changes.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";

/** What changes whenever a container is attached or detached. */
export function generationFile(paths: StorePaths): string {
  return `${paths.runtime}/endpoints`;
}

/** Tells the name server that what it has read is out of date. */
export function changeGeneration(paths: StorePaths): void {
  try {
    Deno.writeTextFileSync(generationFile(paths), crypto.randomUUID(), { mode: 0o600 });
  } catch { /* without a runtime directory there is no name server */ }
}
