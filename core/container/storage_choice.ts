/**
 * Finds out which storage driver works, once for each store and kernel.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { notice } from "../host/notice.ts";
import type { StorePaths } from "../host/paths.ts";
import { lazy } from "../lib/lazy.ts";
import { ensureLayout } from "../store/layout.ts";
import { type StorageChoice, writeStorageChoice } from "../store/storage_driver.ts";
import type { StorageAbilities } from "./storage_inside.ts";

/** Measures, keeps the result, and says so if it is not the best. */
export async function measureStorage(
  paths: StorePaths,
  known?: StorageAbilities,
): Promise<StorageChoice> {
  const choice = choose(known ?? await measureAbilities(paths));
  writeStorageChoice(paths, choice);
  if (choice.driver !== "overlay") {
    notice(
      `${paths.root}/storage.noticed`,
      `dhow: containers use the storage driver ${choice.driver}, since the kernel's overlay does not work here (${choice.obstacles.overlay})`,
    );
  }
  return choice;
}

/** What works in the store. */
export async function measureAbilities(paths: StorePaths): Promise<StorageAbilities> {
  const [{ ensureUserNamespace }, { callInside }, { removeTreesAnyhow }] = await Promise.all([
    lazy<typeof import("../runtime/userns.ts")>("../runtime/userns.ts", import.meta.url),
    lazy<typeof import("../image/namespace_worker.ts")>(
      "../image/namespace_worker.ts",
      import.meta.url,
    ),
    lazy<typeof import("./remove.ts")>("./remove.ts", import.meta.url),
  ]);
  ensureLayout(paths);
  using namespace = await ensureUserNamespace(paths);
  const directory = `${paths.tmp}/measure-${crypto.randomUUID()}`;
  await Deno.mkdir(directory, { mode: 0o700 });
  try {
    const request = { op: "measure", directory };
    return await callInside(namespace, "__storage", request) as StorageAbilities;
  } finally {
    await removeTreesAnyhow(paths, [directory]);
  }
}

function choose({ attributes, owners, overlay, fuse }: StorageAbilities): StorageChoice {
  const kernel = Deno.osRelease();
  const missing = attributes ?? owners;
  if (missing !== undefined) {
    return { driver: "copy", kernel, obstacles: { overlay: missing, "fuse-overlayfs": missing } };
  }
  if (overlay === undefined) return { driver: "overlay", kernel, obstacles: {} };
  if (fuse === undefined) return { driver: "fuse-overlayfs", kernel, obstacles: { overlay } };
  return { driver: "copy", kernel, obstacles: { overlay, "fuse-overlayfs": fuse } };
}

/** @throws {DhowError} `unsupported` with the reason, if a store cannot hold layers. */
export function assertHoldsLayers(path: string, abilities: StorageAbilities): void {
  const why = abilities.attributes ?? abilities.owners;
  if (why === undefined) return;
  throw new DhowError(
    "unsupported",
    `Cannot keep layers in "${path}": ${why}; set DHOW_ROOT to a directory on a local file system`,
  );
}
