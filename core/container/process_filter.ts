/**
 * The seccomp filter of a process in a container: of its first, of an exec's, of a build step's.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { cachedFilter } from "../runtime/seccomp.ts";
import { loadSingleId } from "./start_extras.ts";

/** What decides on it. */
export interface FilterOptions {
  /** Nothing is refused. */
  isUnconfined: boolean;
  /** A profile of the user's, as JSON. @default docker's */
  seccomp?: string | undefined;
  capabilities: readonly string[];
  /** As `cachedFilter()` takes it. */
  singleId: "answers" | "asks" | false;
}

/** Makes it, or takes it from the cache; empty where there is to be none. With one id there always is one. */
export async function processFilter(
  paths: StorePaths,
  { isUnconfined, seccomp, capabilities, singleId }: FilterOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!isUnconfined) {
    return await cachedFilter(`${paths.cache}/seccomp`, seccomp, { capabilities, singleId });
  }
  return singleId
    ? await (await loadSingleId()).openFilter(paths.cache, singleId)
    : new Uint8Array();
}
