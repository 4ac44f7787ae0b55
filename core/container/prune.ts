/**
 * `docker container prune`: removes what is stopped.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { pruneFilter } from "../lib/prune_filter.ts";
import { containerDirectory, containerIds, type ContainerRecord, readRecord } from "./record.ts";
import { removeContainer } from "./remove.ts";
import { ownSize } from "./size.ts";
import { removeStaleNames } from "./reserve_name.ts";
import { readState } from "./state.ts";

/** What was removed. */
export interface ContainersPruned {
  /** Ids. */
  removed: string[];
  reclaimedBytes: number;
}

/**
 * Removes every container that is created or exited and passes the filters, and what removals that were killed have left.
 *
 * @param filters `until`, `label`, `label!`.
 * @throws {DhowError} `invalid_argument` in docker's words.
 */
export async function pruneContainers(
  paths: StorePaths,
  filters: Record<string, string[]> = {},
): Promise<ContainersPruned> {
  const passes = pruneFilter(filters);
  const pruned: ContainersPruned = { removed: [], reclaimedBytes: 0 };
  for (const id of containerIds(paths)) {
    const record = tryRead(paths, id);
    if (record === undefined) continue;
    const { status } = readState(containerDirectory(paths, id));
    if (status !== "created" && status !== "exited") continue;
    const createdMs = Number(BigInt(record.createdNs) / 1_000_000n);
    if (!passes(createdMs, record.config.Labels)) continue;
    const sizeBytes = ownSize(paths, id);
    try {
      await removeContainer(paths, id);
    } catch (error) {
      // It was started or removed just now.
      if (error instanceof DhowError && ["conflict", "not_found"].includes(error.code)) continue;
      throw error;
    }
    pruned.removed.push(id);
    pruned.reclaimedBytes += sizeBytes;
  }
  removeStaleNames(paths);
  return pruned;
}

function tryRead(paths: StorePaths, id: string): ContainerRecord | undefined {
  try {
    return readRecord(paths, id);
  } catch (error) {
    if (error instanceof DhowError && error.code === "not_found") return undefined;
    throw error;
  }
}
