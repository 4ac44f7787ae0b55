/**
 * Where a container's group is to be made.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { caller } from "../host/subid.ts";
import { isDirectory } from "../host/stat.ts";
import { CGROUP_ROOT, delegatedGroup, isUnified } from "./hierarchy.ts";
import { hasManager } from "./systemd.ts";

/** Where groups are made: below a directory, at once; or in scopes that the service manager makes. */
export type Place = { kind: "directory"; parent: string } | { kind: "scope"; slice?: string };

/** All containers of real root are in one group of the hierarchy, as docker's are. */
const ROOTS_GROUP = `${CGROUP_ROOT}/dhow`;

/**
 * Finds a place.
 *
 * @param parent `--cgroup-parent`: a slice, or a directory of the hierarchy; empty for wherever it is possible.
 * @returns Undefined if there is none.
 * @throws {DhowError} `invalid_argument` for a parent that cannot be had.
 */
export function findPlace(parent: string): Place | undefined {
  if (!isUnified()) return undefined;
  if (parent !== "") return placeBelow(parent);
  const group = delegatedGroup();
  if (group === CGROUP_ROOT) return { kind: "directory", parent: ROOTS_GROUP };
  if (group !== undefined) return { kind: "directory", parent: group };
  return hasManager() ? { kind: "scope" } : undefined;
}

function placeBelow(parent: string): Place {
  if (parent.endsWith(".slice")) {
    if (parent.includes("/")) throw wrongParent(parent, "a slice is named without slashes");
    if (caller().uid === 0 && delegatedGroup() !== undefined) {
      return { kind: "directory", parent: `${CGROUP_ROOT}/${parent}` };
    }
    if (!hasManager()) {
      throw wrongParent(parent, "there is no service manager (systemd --user) that has slices");
    }
    return { kind: "scope", slice: parent };
  }
  const parts = parent.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw wrongParent(parent, "it leads upwards");
  return { kind: "directory", parent: [CGROUP_ROOT, ...parts].join("/") };
}

/** Makes the directory of a place, where it is not there yet. @throws {DhowError} `invalid_argument` */
export function makeParent(parent: string): void {
  if (isDirectory(parent)) return;
  try {
    Deno.mkdirSync(parent, { recursive: true });
  } catch (error) {
    throw wrongParent(parent, (error as Error).message, error);
  }
}

function wrongParent(parent: string, why: string, cause?: unknown): DhowError {
  return new DhowError(
    "invalid_argument",
    `Cannot put the container below the control group "${parent}": ${why}`,
    { cause },
  );
}
