/**
 * Subordinate ids: which ids of the host a user may map into a user namespace.
 *
 * @see subuid(5), newuidmap(1)
 * @module
 */
import type { IdMapping } from "../spec/runtime.ts";

/** How the ids of a user namespace come from the host's, and its name in the store. */
export interface IdMap {
  /** `root`, `u1000-100000-65536` or `u1000-single`: layers unpacked for one mapping lie under it. */
  name: string;
  uids: IdMapping[];
  gids: IdMapping[];
  /** Only the caller's own id is mapped. */
  single: boolean;
  /** Why, for the one who wonders: `no subordinate ids for "alice" in /etc/subuid`. */
  reason?: string;
}

/** The caller. */
export interface Caller {
  uid: number;
  gid: number;
  /** Login name, or undefined where the uid has none. */
  user: string | undefined;
}

/** Who runs this process. */
export function caller(): Caller {
  const uid = Deno.uid()!;
  return { uid, gid: Deno.gid()!, user: userName(uid) };
}

function userName(uid: number): string | undefined {
  const line = readLines("/etc/passwd").find((fields) => fields[2] === String(uid));
  return line?.[0] ?? Deno.env.get("USER");
}

function readLines(path: string): string[][] {
  try {
    return Deno.readTextFileSync(path).split("\n").map((line) => line.split(":"));
  } catch {
    return [];
  }
}

/**
 * The mapping for all containers of `who` that ask for none of their own.
 *
 * `DHOW_IDS=single` asks for one id, where there are more.
 */
export function defaultIdMap(who: Caller = caller()): IdMap {
  if (Deno.env.get("DHOW_IDS") === "single") return singleIdMap(who, "asked for by DHOW_IDS");
  if (who.uid === 0) return ownIdMap(who);
  const subuids = ranges("/etc/subuid", who);
  const subgids = ranges("/etc/subgid", who);
  const first = subuids[0];
  if (first === undefined || subgids[0] === undefined) {
    const file = first === undefined ? "/etc/subuid" : "/etc/subgid";
    return singleIdMap(who, `no subordinate ids for "${who.user ?? who.uid}" in ${file}`);
  }
  for (const program of ["newuidmap", "newgidmap"]) {
    if (hasProgram(program)) continue;
    const where = "Debian package uidmap, Fedora shadow-utils";
    return singleIdMap(who, `${program} is not installed (${where})`);
  }
  const uids = [{ containerID: 0, hostID: who.uid, size: 1 }, ...subuids];
  const gids = [{ containerID: 0, hostID: who.gid, size: 1 }, ...subgids];
  const total = subuids.reduce((sum, range) => sum + range.size, 0);
  return { name: `u${who.uid}-${first.hostID}-${total}`, uids, gids, single: false };
}

/** Root's mapping: all ids there are, which inside of another container are not all. */
function ownIdMap(who: Caller): IdMap {
  const uids = ownRanges("uid_map"), gids = ownRanges("gid_map");
  const total = (mappings: IdMapping[]) => mappings.reduce((sum, { size }) => sum + size, 0);
  if (total(uids) === 1) return singleIdMap(who, "there are no more in this user namespace");
  const isAll = total(uids) === ALL_IDS && total(gids) === ALL_IDS;
  return { name: isAll ? "root" : `root-${total(uids)}-${total(gids)}`, uids, gids, single: false };
}

/** Every id but the one that means none. */
const ALL_IDS = 4294967295;

/** The ids of our own user namespace, each as itself: a range of a mapping must be within one of the parent's. */
function ownRanges(file: "uid_map" | "gid_map"): IdMapping[] {
  return readText(`/proc/self/${file}`).trim().split("\n").map((line) => {
    const [id = 0, , size = ALL_IDS] = line.trim().split(/\s+/).map(Number);
    return { containerID: id, hostID: id, size };
  });
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return `0 0 ${ALL_IDS}`;
  }
}

function hasProgram(name: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((directory) => {
    try {
      return Deno.statSync(`${directory}/${name}`).isFile;
    } catch {
      return false;
    }
  });
}

/** The mapping of last resort: one id. */
export function singleIdMap(who: Caller, reason: string): IdMap {
  return {
    name: `u${who.uid}-single`,
    uids: [{ containerID: 0, hostID: who.uid, size: 1 }],
    gids: [{ containerID: 0, hostID: who.gid, size: 1 }],
    single: true,
    reason,
  };
}

/** The lines of /etc/subuid or /etc/subgid that are `who`'s, mapped one after the other behind id 0. */
export function ranges(path: string, who: Caller): IdMapping[] {
  const mappings: IdMapping[] = [];
  let containerID = 1;
  for (const [owner, start, count] of readLines(path)) {
    if (owner !== who.user && owner !== String(who.uid)) continue;
    const hostID = Number(start), size = Number(count);
    if (!Number.isSafeInteger(hostID) || !(size > 0) || hostID <= 0) continue;
    mappings.push({ containerID, hostID, size });
    containerID += size;
  }
  return mappings;
}
