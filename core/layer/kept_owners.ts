/**
 * Owners of files where the user namespace has but one id: all files are the caller's then, and whose they are in the image
 * stands in extended attributes, `user.dhow.uid` and `user.dhow.gid`. What can have none (symbolic links, fifos) is noted at
 * the directory, as `user.dhow.uid.NAME`.
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
import { OWNER_ATTRIBUTES } from "../lib/owner_attributes.ts";
import { decodeName } from "../lib/file_name.ts";
import { procPath } from "./member_attributes.ts";

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
    if (uid === 0 && gid === 0 && keeper.get(dirFd, name, stat) === undefined) return;
    // A file system without attributes forgets who owned what: that is no reason not to unpack.
    write(dirFd, name, stat, OWNER_ATTRIBUTES.uid, uid);
    write(dirFd, name, stat, OWNER_ATTRIBUTES.gid, gid);
  },
  get(dirFd, name, stat) {
    const uid = read(dirFd, name, stat, OWNER_ATTRIBUTES.uid);
    const gid = read(dirFd, name, stat, OWNER_ATTRIBUTES.gid);
    return uid === undefined && gid === undefined ? undefined : { uid: uid ?? 0, gid: gid ?? 0 };
  },
};

function write(dirFd: number, name: Name, stat: Stat, attribute: string, id: number): void {
  const value = new TextEncoder().encode(String(id));
  if (isEmpty(name)) tryFsetxattr(dirFd, attribute, value);
  else if (hasAttributes(stat)) tryLsetxattr(procPath(dirFd, name), attribute, value);
  else {
    const key = keyOf(attribute, name);
    if (key !== undefined) tryLsetxattr(procPath(dirFd, "."), key, value);
  }
}

/** The id noted; whoever is in a container can write anything there. */
function read(dirFd: number, name: Name, stat: Stat, attribute: string): number | undefined {
  const text = readText(dirFd, name, stat, attribute);
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return isId(id) ? id : undefined;
}

function readText(
  dirFd: number,
  name: Name,
  stat: Stat,
  attribute: string,
): string | undefined {
  try {
    const key = hasAttributes(stat) ? attribute : keyOf(attribute, name);
    if (key === undefined) return undefined;
    const value = isEmpty(name)
      ? fgetxattr(dirFd, attribute)
      : lgetxattr(procPath(dirFd, hasAttributes(stat) ? name : "."), key);
    return value && new TextDecoder().decode(value);
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
function keyOf(attribute: string, name: Name): string | undefined {
  const text = typeof name === "string" ? name : decodeName(name.subarray(0, -1));
  const key = `${attribute}.${text}`;
  const isPlain = !text.includes("/") && new TextEncoder().encode(key).length <= NAME_MAX;
  return isPlain ? key : undefined;
}
