/**
 * Removing anonymous volumes that no container uses, as `docker system prune --volumes` does.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { pruneFilter } from "../lib/prune_filter.ts";
import { tryExclusive } from "../store/layout.ts";
import type { VolumeRecord } from "../volume/volume.ts";
import { containerIds, readRecord } from "./record.ts";
import { removeTreesAnyhow } from "./remove.ts";
import { treeSize } from "./size.ts";

/**
 * Removes them; while somebody creates a container, none.
 *
 * @throws {DhowError} `invalid_argument` for unknown filters.
 */
export async function pruneVolumes(
  paths: StorePaths,
  filters: Record<string, string[]> = {},
): Promise<{ removed: string[]; reclaimedBytes: number }> {
  const taken = takeUnused(paths, pruneFilter(filters));
  const reclaimedBytes = taken.reduce((sum, { trash }) => sum + treeSize(trash), 0);
  await removeTreesAnyhow(paths, taken.map(({ trash }) => trash));
  return { removed: taken.map(({ name }) => name), reclaimedBytes };
}

/** Renames them away, so that from here on they do not exist. */
function takeUnused(
  paths: StorePaths,
  passes: ReturnType<typeof pruneFilter>,
): { name: string; trash: string }[] {
  // Whoever creates a container holds the lease from making its volumes until its record names them.
  using exclusive = tryExclusive(paths);
  if (exclusive === undefined) return [];
  const used = new Set<string>();
  for (const id of containerIds(paths)) {
    try {
      for (const { Name } of readRecord(paths, id).mounts) used.add(Name ?? "");
    } catch { /* removed meanwhile */ }
  }
  const taken: { name: string; trash: string }[] = [];
  for (const { Name, Anonymous, CreatedAt, Labels } of volumes(paths)) {
    if (!Anonymous || used.has(Name) || !passes(Date.parse(CreatedAt), Labels)) continue;
    const trash = `${paths.tmp}/removed-volume-${Name}`;
    Deno.renameSync(`${paths.volumes}/${Name}`, trash);
    taken.push({ name: Name, trash });
  }
  return taken;
}

function* volumes(paths: StorePaths): Generator<VolumeRecord> {
  let names: string[] = [];
  try {
    names = [...Deno.readDirSync(paths.volumes)].map(({ name }) => name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  for (const name of names) {
    try {
      yield JSON.parse(Deno.readTextFileSync(`${paths.volumes}/${name}/volume.json`));
    } catch { /* half made, or not ours */ }
  }
}
