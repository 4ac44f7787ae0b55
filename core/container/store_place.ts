/**
 * Finds a place for the store that can hold layers, when it is first written to: a home directory on a network file
 * system may know no extended attributes or let nobody change owners. Then the store moves to a local directory, and the
 * file `moved-to` in the old place says where.
 *
 * @module
 */
import { notice } from "../host/notice.ts";
import { movedStorePaths, noteMove, type StorePaths } from "../host/paths.ts";
import { isThere } from "../host/stat.ts";
import { readIndex } from "../store/layout.ts";
import { forcedStorageDriver, readStorageChoice } from "../store/storage_driver.ts";
import { assertHoldsLayers, measureAbilities, measureStorage } from "./storage_choice.ts";

/** Where the store goes if it cannot stay. */
function fallbackRoot(): string {
  return Deno.env.get("DHOW_FALLBACK_ROOT") || `/var/tmp/dhow-${Deno.uid()}`;
}

/**
 * Makes sure that `paths` can hold layers, and measures how containers are to stand on them. If they cannot, `paths`
 * becomes another place, for good, and a notice says so once.
 *
 * @throws {DhowError} `unsupported` if there is no such place; `conflict` if it belongs to somebody else.
 */
export async function prepareStore(paths: StorePaths): Promise<void> {
  if (readStorageChoice(paths) !== undefined) return;
  const abilities = await measureAbilities(paths);
  if (abilities.attributes === undefined && abilities.owners === undefined) {
    if (forcedStorageDriver() === undefined) await measureStorage(paths, abilities);
    return;
  }
  const { root } = paths;
  // What is in it would be gone from sight.
  if (readIndex(paths).length > 0 || isThere(paths.containers)) assertHoldsLayers(root, abilities);
  const moved = movedStorePaths(fallbackRoot());
  const there = await measureAbilities(moved);
  assertHoldsLayers(moved.root, there);
  noteMove(paths, moved);
  Object.assign(paths, moved);
  notice(
    `${root}/moved-to.noticed`,
    `dhow: "${root}" cannot hold layers (${
      abilities.attributes ?? abilities.owners
    }); images and containers are kept in "${moved.root}" instead`,
  );
  if (readStorageChoice(paths) === undefined) await measureStorage(paths, there);
}
