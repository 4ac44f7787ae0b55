/**
 * Who a container's process is: `user[:group]`, by name or number, looked up in the container's own /etc/passwd and
 * /etc/group.
 *
 * @module
 */
import { DhowError } from "../errors.ts";

/** The text of a file in the container's root, or undefined if there is none. */
export type ReadContainerFile = (path: string) => string | undefined;

/** A user, looked up. */
export interface ResolvedUser {
  uid: number;
  gid: number;
  /** Supplementary groups; begins with `gid`. */
  additionalGids: number[];
  /** Home directory; `/` if passwd does not tell. */
  home: string;
}

interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

const MAX_ID = 0x7fffffff;

/**
 * Looks up `spec` as docker does: an empty user is root, a number needs no entry, the first entry that matches wins.
 * A group given explicitly replaces the supplementary ones of the group file.
 *
 * @param groupAdd `--group-add`: names or numbers.
 * @throws {DhowError} `invalid_argument`, in docker's words, for names without an entry and ids out of range.
 */
export function resolveUser(
  spec: string,
  readFile: ReadContainerFile,
  groupAdd: readonly string[] = [],
): ResolvedUser {
  const colon = spec.indexOf(":");
  const userPart = colon < 0 ? spec : spec.slice(0, colon);
  const groupPart = colon < 0 ? "" : spec.slice(colon + 1);
  const uid = parseId(userPart === "" ? "0" : userPart);
  const explicitGid = parseId(groupPart);
  const entry = parsePasswd(readFile("/etc/passwd") ?? "").find((candidate) =>
    uid === undefined ? candidate.name === userPart : candidate.uid === uid
  );
  if (entry === undefined && uid === undefined) throw noEntry("user", userPart, "passwd");

  const groups = parseGroup(readFile("/etc/group") ?? "");
  let gid = entry?.gid ?? 0;
  let supplementary: number[] = [];
  if (groupPart !== "") {
    gid = explicitGid ?? groups.find((group) => group.name === groupPart)?.gid ??
      fail(noEntry("group", groupPart, "group"));
  } else if (entry !== undefined) {
    supplementary = groups.filter((group) => group.members.includes(entry.name))
      .map((group) => group.gid);
  }
  return {
    uid: entry?.uid ?? uid!,
    gid,
    additionalGids: [gid, ...supplementary, ...resolveGroups(groupAdd, groups)],
    home: entry?.home || "/",
  };
}

function resolveGroups(names: readonly string[], groups: GroupEntry[]): number[] {
  const gids = names.map((name) =>
    parseId(name) ?? groups.find((group) => group.name === name)?.gid ??
      fail(noEntry("group", name, "group"))
  );
  return [...new Set(gids)];
}

function parseId(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id < 0 || id > MAX_ID) {
    throw new DhowError("invalid_argument", `uids and gids must be in range 0-${MAX_ID}`);
  }
  return id;
}

/** @see man 5 passwd */
function parsePasswd(text: string): PasswdEntry[] {
  return records(text).map(([name = "", , uid, gid, , home = ""]) => ({
    name,
    uid: number(uid),
    gid: number(gid),
    home,
  }));
}

/** @see man 5 group */
function parseGroup(text: string): GroupEntry[] {
  return records(text).map(([name = "", , gid, members = ""]) => ({
    name,
    gid: number(gid),
    members: members.split(","),
  }));
}

function records(text: string): string[][] {
  return text.split("\n").map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}

/** Like docker, takes what is no number for 0. */
function number(text = ""): number {
  return /^\d+$/.test(text) ? Number(text) : 0;
}

function noEntry(what: "user" | "group", name: string, file: "passwd" | "group"): DhowError {
  return new DhowError(
    "invalid_argument",
    `unable to find ${what} ${name}: no matching entries in ${file} file`,
  );
}

function fail(error: Error): never {
  throw error;
}
