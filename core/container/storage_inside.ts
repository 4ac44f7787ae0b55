/**
 * The half of the storage drivers that works as root of the user namespace (`dhow __storage`).
 *
 * @module
 */
import { AT_FDCWD, lchownat, lstatat } from "../../ffi/file.ts";
import { detachMount, unshareMounts } from "../../ffi/mount.ts";
import { tryLsetxattr } from "../../ffi/xattr.ts";
import { SyscallError } from "../../ffi/errno.ts";
import { copyLayers } from "../layer/copy_layers.ts";
import { isWhiteout } from "../layer/lower_directory.ts";
import { mountRoot, type OverlayRoot } from "./mount_root.ts";

/** What to do. */
export type StorageRequest =
  | { op: "copy"; layers: string[]; into: string }
  | { op: "measure"; directory: string }
  | ({ op: "mount" } & OverlayRoot);

/** What works in a directory; a text says why something does not. */
export interface StorageAbilities {
  attributes?: string;
  owners?: string;
  overlay?: string;
  fuse?: string;
}

/** Performs a request. */
export function performStorage(request: StorageRequest): StorageAbilities {
  switch (request.op) {
    case "copy":
      copyLayers(request.layers, request.into);
      return {};
    case "mount":
      mountRoot(request);
      return {};
    case "measure":
      return measure(request.directory);
  }
}

/** @param directory Empty, in the store. */
function measure(directory: string): StorageAbilities {
  const abilities: StorageAbilities = {};
  const file = `${directory}/file`;
  Deno.writeTextFileSync(file, "");
  const attribute = tryLsetxattr(file, "user.dhow", new Uint8Array([1]));
  if (attribute < 0) {
    abilities.attributes = new SyscallError("setxattr", -attribute, file).message;
  }
  const owners = attempt(() => lchownat(AT_FDCWD, file, secondId(), secondId()));
  if (owners !== undefined) abilities.owners = owners;
  if (abilities.attributes !== undefined || abilities.owners !== undefined) return abilities;
  const overlay = attempt(() => tryOverlay(directory, "overlay"));
  if (overlay === undefined) return abilities;
  abilities.overlay = overlay;
  const fuse = attempt(() => tryOverlay(directory, "fuse-overlayfs"));
  if (fuse !== undefined) abilities.fuse = fuse;
  return abilities;
}

function attempt(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** An id that is not the caller's own, where more than one is mapped. */
function secondId(): number {
  const lines = Deno.readTextFileSync("/proc/self/uid_map").trim().split("\n");
  const mapped = lines.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[2]), 0);
  return mapped > 1 ? 1 : 0;
}

function tryOverlay(directory: string, kind: OverlayRoot["kind"]): void {
  const base = `${directory}/${kind}`;
  for (const part of ["", "/lower", "/upper", "/work", "/root"]) Deno.mkdirSync(`${base}${part}`);
  Deno.writeTextFileSync(`${base}/lower/file`, "");
  const mountpoint = `${base}/root`;
  unshareMounts();
  mountRoot({
    kind,
    base,
    layers: ["lower"],
    upper: `${base}/upper`,
    work: `${base}/work`,
    mountpoint,
  });
  try {
    Deno.removeSync(`${mountpoint}/file`);
    Deno.mkdirSync(`${mountpoint}/directory`);
    const stat = lstatat(AT_FDCWD, `${base}/upper/file`);
    if (stat === undefined || !isWhiteout(stat)) throw new Error("it leaves no whiteouts");
  } finally {
    detachMount(mountpoint);
  }
}
