/**
 * Ids of a container with a user namespace of its own (`--userns`): which ids of the shared user namespace it gets, and as
 * which ids it sees them.
 *
 * @see podman-run(1), `--userns`
 * @module
 */
import { DhowError } from "../errors.ts";
import type { IdMapping } from "../spec/runtime.ts";
import { type Caller, caller, type IdMap, ranges } from "./subid.ts";

/** A mapping below the shared user namespace: what is called `hostID` are ids of that. */
export interface NestedIds {
  uids: IdMapping[];
  gids: IdMapping[];
}

/** What `--userns` asks for, if it is not the shared user namespace. */
export type UsernsMode =
  /** The caller keeps its ids, or gets these; all others follow around them. */
  | { kind: "keep-id"; uid?: number; gid?: number }
  /** The caller has no place in it. */
  | { kind: "nomap" }
  /** A range that no other container has. */
  | { kind: "auto"; size?: number };

/** How many ids `auto` gives. */
export const AUTO_SIZE = 1024;

/**
 * Parses `--userns`.
 *
 * @returns Undefined for the shared user namespace, docker's `host`.
 * @throws {DhowError} `invalid_argument`.
 */
export function parseUsernsMode(text: string): UsernsMode | undefined {
  const [kind = "", ...rest] = text.split(":");
  const fields = rest.join(":").split(",").filter((field) => field !== "");
  const numbers = (known: readonly string[]) =>
    Object.fromEntries(fields.map((field) => parseField(field, known)));
  switch (kind) {
    case "":
    case "host":
      if (rest.length === 0) return undefined;
      break;
    case "keep-id":
      return { kind, ...numbers(["uid", "gid"]) };
    case "auto":
      return { kind, ...numbers(["size"]) };
    case "nomap":
      if (rest.length === 0) return { kind };
      break;
  }
  throw new DhowError("invalid_argument", "--userns: invalid USER mode");
}

function parseField(field: string, known: readonly string[]): [string, number] {
  const [key = "", value = ""] = field.split("=");
  const fail = (why: string) => new DhowError("invalid_argument", `--userns: ${why}`);
  if (!known.includes(key)) throw fail(`unknown option specified: ${JSON.stringify(key)}`);
  if (!/^\d{1,9}$/.test(value) || key === "size" && Number(value) === 0) {
    throw fail(`${key} is not a number: ${JSON.stringify(value)}`);
  }
  return [key, Number(value)];
}

/**
 * Whom a container with `keep-id` runs as, if nobody says: the caller, by the ids it has there.
 *
 * @returns `uid:gid`.
 */
export function keptUser(mode: UsernsMode & { kind: "keep-id" }, who: Caller = caller()): string {
  return `${mode.uid ?? who.uid}:${mode.gid ?? who.gid}`;
}

/**
 * The mapping that a mode means.
 *
 * @param base The shared user namespace's.
 * @param taken First ids and sizes of the ranges that other containers have by `auto`.
 * @throws {DhowError} `unsupported` where there are not the ids for it.
 */
export function nestedIds(
  mode: UsernsMode,
  base: IdMap,
  options: { who?: Caller; taken?: readonly IdMapping[] } = {},
): NestedIds {
  const { who = caller(), taken = [] } = options;
  if (base.single) {
    throw new DhowError(
      "unsupported",
      `Cannot use --userns ${mode.kind}: it takes subordinate ids: ${base.reason}`,
    );
  }
  const [uids, gids] = [total(base.uids), total(base.gids)];
  if (mode.kind === "auto") {
    // As root all ids are there, and most belong to somebody.
    const free = who.uid === 0 ? rootRange() : { hostID: 1, size: Math.min(uids, gids) - 1 };
    return autoRange(mode.size ?? AUTO_SIZE, free, taken);
  }
  if (who.uid === 0) {
    throw new DhowError(
      "invalid_argument",
      `${mode.kind} is only supported in rootless mode`,
    );
  }
  if (mode.kind === "nomap") return { uids: [shifted(uids - 1)], gids: [shifted(gids - 1)] };
  return {
    uids: keepId(mode.uid ?? who.uid, uids),
    gids: keepId(mode.gid ?? who.gid, gids),
  };
}

function total(mappings: readonly IdMapping[]): number {
  return mappings.reduce((sum, { size }) => sum + size, 0);
}

/** Everything but the caller, who is 0 in the shared user namespace. */
function shifted(size: number): IdMapping {
  return { containerID: 0, hostID: 1, size };
}

/** The caller as `id`; what is below it moves up by one to make room. */
function keepId(id: number, count: number): IdMapping[] {
  const below = Math.min(id, count - 1), above = count - 1 - below;
  return [
    { containerID: 0, hostID: 1, size: below },
    { containerID: id, hostID: 0, size: 1 },
    { containerID: id + 1, hostID: below + 1, size: above },
  ].filter(({ size }) => size > 0);
}

/** Whose subordinate ids root gives to containers, as podman does; else ids that systemd says are nobody's. */
function rootRange(): Pick<IdMapping, "hostID" | "size"> {
  const [subuids] = ranges("/etc/subuid", CONTAINERS),
    [subgids] = ranges("/etc/subgid", CONTAINERS);
  const isSame = subuids !== undefined && subuids.hostID === subgids?.hostID;
  return isSame ? subuids : { hostID: 0x70000000, size: 0x10000000 };
}

const CONTAINERS = { uid: -1, gid: -1, user: "containers" };

/** The lowest range nobody has: so that layers unpacked for one that has gone serve the next. */
function autoRange(
  size: number,
  free: Pick<IdMapping, "hostID" | "size">,
  taken: readonly IdMapping[],
): NestedIds {
  let first = free.hostID;
  const overlapping = () =>
    taken.find(({ hostID, size: other }) => first < hostID + other && hostID < first + size);
  for (let there = overlapping(); there !== undefined; there = overlapping()) {
    first = there.hostID + there.size;
  }
  if (first + size > free.hostID + free.size) {
    throw new DhowError(
      "unsupported",
      `Cannot use --userns auto: of ${free.size} ids no ${size} in a row are free; remove containers that use it, or give this user more in /etc/subuid and /etc/subgid`,
    );
  }
  const range = [{ containerID: 0, hostID: first, size }];
  return { uids: range, gids: range };
}

/** The mapping's name in the store, below `layers`: short, and another for another mapping. */
export function nestedName(base: IdMap, mode: UsernsMode, { uids }: NestedIds): string {
  switch (mode.kind) {
    case "keep-id":
      return `${base.name}+keep-${keptUser(mode).replace(":", "-")}`;
    case "nomap":
      return `${base.name}+nomap`;
    case "auto":
      return `${base.name}+auto-${uids[0]!.hostID}-${uids[0]!.size}`;
  }
}

/** What id a container's id is in the shared user namespace; undefined if it has no place there. */
export function toShared(mappings: readonly IdMapping[], id: number): number | undefined {
  const found = mappings.find(({ containerID, size }) =>
    id >= containerID && id < containerID + size
  );
  return found && found.hostID + id - found.containerID;
}

/** The kernel's `overflowuid`: whoever has no place in a user namespace. */
const NOBODY = 65534;

/** As what a container sees an id of the shared user namespace. */
export function toContainer(mappings: readonly IdMapping[], id: number): number {
  const found = mappings.find(({ hostID, size }) => id >= hostID && id < hostID + size);
  return found === undefined ? NOBODY : found.containerID + id - found.hostID;
}

/** The nested mapping as ids of the host, as config.json has it. */
export function composeIds(
  base: readonly IdMapping[],
  nested: readonly IdMapping[],
): IdMapping[] {
  return nested.flatMap(({ containerID, hostID, size }) =>
    base.flatMap((range) => {
      const from = Math.max(hostID, range.containerID);
      const to = Math.min(hostID + size, range.containerID + range.size);
      return from >= to ? [] : [{
        containerID: containerID + from - hostID,
        hostID: range.hostID + from - range.containerID,
        size: to - from,
      }];
    })
  );
}
