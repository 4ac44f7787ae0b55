/**
 * The unified control group hierarchy, as this process sees it: where we are in it, and where we may make groups.
 *
 * @see man 7 cgroups, https://docs.kernel.org/admin-guide/cgroup-v2.html
 * @module
 */
import { isWritable } from "../../ffi/access.ts";
import { lgetxattr } from "../../ffi/xattr.ts";
import { isThere } from "../host/stat.ts";

/** Where the hierarchy is mounted. */
export const CGROUP_ROOT = "/sys/fs/cgroup";

/** Whether there is a unified hierarchy, with all controllers in it. */
export function isUnified(): boolean {
  return isThere(`${CGROUP_ROOT}/cgroup.controllers`);
}

/** The directory of the group that a process is in; undefined if it cannot be seen from here. */
export function groupOf(pid: number | "self"): string | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/cgroup`);
  } catch {
    return undefined;
  }
  const path = /^0::(.*)$/m.exec(text)?.[1];
  // A group outside of our cgroup namespace reads "/../...".
  if (path === undefined || path.includes("/..")) return undefined;
  const directory = path === "/" ? CGROUP_ROOT : CGROUP_ROOT + path;
  return isThere(directory) ? directory : undefined;
}

/**
 * The topmost group above (or at) the one we are in that was given to us to make groups in; undefined if there is none.
 *
 * What the user's service manager has is its own, but for units that it has delegated; those carry a mark.
 */
export function delegatedGroup(own: string | undefined = groupOf("self")): string | undefined {
  if (own === undefined) return undefined;
  let found: string | undefined;
  for (let directory = own; isOurs(directory); directory = parent(directory)) {
    if (isManager(directory)) break;
    if (!isManaged(directory) || isDelegated(directory)) found = directory;
    if (directory === CGROUP_ROOT) break;
  }
  return found;
}

/** Whether we may make groups there and move processes into them. */
function isOurs(directory: string): boolean {
  return isWritable(directory) && isWritable(`${directory}/cgroup.procs`);
}

/** Whether it is the group of a user's service manager. */
function isManager(directory: string): boolean {
  return /\/user@\d+\.service$/.test(directory);
}

function isManaged(directory: string): boolean {
  return /\/user@\d+\.service\//.test(directory);
}

function isDelegated(directory: string): boolean {
  return ["user.delegate", "trusted.delegate"].some((name) => {
    try {
      const value = lgetxattr(directory, name);
      return value !== undefined && new TextDecoder().decode(value) === "1";
    } catch {
      return false;
    }
  });
}

function parent(directory: string): string {
  return directory.slice(0, directory.lastIndexOf("/"));
}

/** Whether we may move a process from our own group to another. */
export function canReach(directory: string): boolean {
  const own = groupOf("self");
  if (own === undefined) return false;
  let common = own;
  while (common !== directory && !`${directory}/`.startsWith(`${common}/`)) common = parent(common);
  return isWritable(`${common}/cgroup.procs`) && isWritable(`${directory}/cgroup.procs`);
}

/** The controllers that a group has. */
export function controllersOf(directory: string): string[] {
  return readWords(`${directory}/cgroup.controllers`);
}

/** The words in a file of a group; none if there is no such file. */
export function readWords(file: string): string[] {
  return (readGroupFile(file) ?? "").split(/\s+/).filter((word) => word !== "");
}

/** What a file of a group says; undefined if it is not there. */
export function readGroupFile(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file).trimEnd();
  } catch {
    return undefined;
  }
}
