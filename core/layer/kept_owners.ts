/**
 * Owners of files where the user namespace has but one id: all files are the caller's then, and whose they are in the image
 * stands in an extended attribute, `user.dhow.owner`, as `UID:GID`. What can have none (symbolic links, fifos) is noted at
 * the directory, as `user.dhow.owner.NAME`.
 *
 * @module
 */
import {
  keepOwnersBy,
  type Name,
  type OwnerKeeper,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
} from "../../ffi/file.ts";
import type { Stat } from "../../ffi/file.ts";
import { fgetxattr, lgetxattr, tryFsetxattr, tryLsetxattr } from "../../ffi/xattr.ts";
import { decodeName } from "../lib/file_name.ts";
import { procPath } from "./member_attributes.ts";
import { KEPT_OWNER } from "./xattr_policy.ts";

/** Longer names of attributes the kernel does not take: XATTR_NAME_MAX. */
const NAME_MAX = 255;

/** Keeps owners by attributes from now on, in this thread, if only one id is mapped here. */
export function keepOwnersIfSingle(): void {
  if (isSingle()) keepOwnersBy(keeper);
}

/** Whether the user namespace we are in maps one id. */
function isSingle(): boolean {
  const lines = Deno.readTextFileSync("/proc/self/uid_map").trim().split("\n");
  return lines.length === 1 && lines[0]!.trim().split(/\s+/)[2] === "1";
}

const keeper: OwnerKeeper = {
  set(dirFd, name, { uid, gid }, stat) {
    if (uid === 0 && gid === 0 && read(dirFd, name, stat) === undefined) return;
    const value = new TextEncoder().encode(`${uid}:${gid}`);
    // A file system without attributes forgets who owned what: that is no reason not to unpack.
    if (isEmpty(name)) tryFsetxattr(dirFd, KEPT_OWNER, value);
    else if (hasAttributes(stat)) tryLsetxattr(procPath(dirFd, name), KEPT_OWNER, value);
    else {
      const key = keyOf(name);
      if (key !== undefined) tryLsetxattr(procPath(dirFd, "."), key, value);
    }
  },
  get(dirFd, name, stat) {
    const value = read(dirFd, name, stat);
    if (value === undefined) return undefined;
    const [uid = NaN, gid = NaN] = new TextDecoder().decode(value).split(":").map(Number);
    // Whoever is in a container can write anything here.
    return isId(uid) && isId(gid) ? { uid, gid } : undefined;
  },
};

function read(dirFd: number, name: Name, stat: Stat): Uint8Array | undefined {
  try {
    if (isEmpty(name)) return fgetxattr(dirFd, KEPT_OWNER);
    if (hasAttributes(stat)) return lgetxattr(procPath(dirFd, name), KEPT_OWNER);
    const key = keyOf(name);
    return key === undefined ? undefined : lgetxattr(procPath(dirFd, "."), key);
  } catch {
    return undefined; // a descriptor that attributes cannot be read by
  }
}

function isId(id: number): boolean {
  return Number.isInteger(id) && id >= 0 && id < 0xffffffff;
}

function isEmpty(name: Name): boolean {
  return typeof name === "string" ? name === "" : name.length === 0 || name[0] === 0;
}

/** The kernel lets `user.*` be on files and directories only. */
function hasAttributes({ mode }: Stat): boolean {
  const type = mode & S_IFMT;
  return type === S_IFREG || type === S_IFDIR;
}

/** The attribute of the directory that tells of `name`. */
function keyOf(name: Name): string | undefined {
  const text = typeof name === "string" ? name : decodeName(name.subarray(0, -1));
  const key = `${KEPT_OWNER}.${text}`;
  const isPlain = !text.includes("/") && new TextEncoder().encode(key).length <= NAME_MAX;
  return isPlain ? key : undefined;
}
