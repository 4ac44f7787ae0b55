/**
 * The root file system of a container about to start, by its storage driver.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { lazy } from "../lib/lazy.ts";
import type { Rootfs } from "../runtime/init_rootfs.ts";
import type { UserNamespace } from "../runtime/userns.ts";
import { containerDirectory, type ContainerRecord } from "./record.ts";
import { lowerNames, stoppedRoot } from "./root_layers.ts";

/**
 * Prepares it.
 *
 * @param layers Links of its layers, lowest first.
 * @param owned What is prepared lasts until `stack` is disposed; a start has taken it over then.
 */
export async function planRootfs(
  paths: StorePaths,
  record: ContainerRecord,
  layers: readonly string[],
  owned: { namespace: UserNamespace; stack: DisposableStack },
): Promise<Rootfs> {
  const rootfs = await planByDriver(paths, record, layers, owned);
  if (record.nestedIds === undefined) return rootfs;
  const { mountpoint, directory } = rootfs;
  if (directory !== undefined) return { ...rootfs, becomeRoot: true };
  const { mountDetached } = await lazy<typeof import("./nested_namespace.ts")>(
    "./nested_namespace.ts",
    import.meta.url,
  );
  const tree = owned.stack.use(mountDetached(owned.namespace, rootfs)).number;
  return { mountpoint, tree, becomeRoot: true };
}

async function planByDriver(
  paths: StorePaths,
  record: ContainerRecord,
  layers: readonly string[],
  owned: { namespace: UserNamespace; stack: DisposableStack },
): Promise<Rootfs> {
  const directory = containerDirectory(paths, record.id);
  const mountpoint = `${directory}/rootfs`;
  if (record.storage === "copy") {
    const { ensureWholeCopy } = await lazy<typeof import("./whole_copy.ts")>(
      "./whole_copy.ts",
      import.meta.url,
    );
    await ensureWholeCopy(paths, record, layers);
    return { mountpoint, directory: `${directory}/upper` };
  }
  if (record.storage === "fuse-overlayfs") {
    const { holdMount } = await lazy<typeof import("./held_mount.ts")>(
      "./held_mount.ts",
      import.meta.url,
    );
    const held = owned.stack.use(
      await holdMount(owned.namespace, stoppedRoot(paths, record, layers)),
    );
    return { mountpoint, taken: held.mounts };
  }
  const { base, names } = lowerNames(paths, record, layers);
  const [upper, work] = [`${directory}/upper`, `${directory}/work`];
  return { mountpoint, overlay: { base, lower: names, upper, work } };
}
