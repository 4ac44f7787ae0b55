/**
 * A container's control group: made before its init, which is born in it; frozen, read and removed by whoever comes.
 *
 * `<container's directory>/cgroup.json` says where it is.
 *
 * @module
 */
import { O_CLOEXEC, O_DIRECTORY, O_PATH } from "../../ffi/abi/constants.ts";
import { Fd, open } from "../../ffi/fd.ts";
import { DhowError } from "../errors.ts";
import { isDirectory } from "../host/stat.ts";
import { sleep } from "../host/sleep.ts";
import {
  canReach,
  CGROUP_ROOT,
  controllersOf,
  isUnified,
  readGroupFile,
  readWords,
} from "./hierarchy.ts";
import type { Controller, Setting } from "./limits.ts";

/** Where a container's group is. */
export interface GroupRecord {
  /** Its directory. */
  path: string;
  /** The scope it is in, where the service manager made one. */
  unit?: string;
}

/** The controllers that containers are to have, wherever they are given. */
const CONTROLLERS: readonly Controller[] = ["cpu", "cpuset", "io", "memory", "pids"];
/** The group of a container within its scope, and the one of its monitor. */
export const SCOPE_GROUPS = { container: "container", monitor: "monitor" } as const;
/** Where there is no controller for it, the processes' affinity does what it can. */
const AFFINITY = "cpuset.cpus";
/** Where processes go that are in the way. */
const BESIDE = "dhow-others";
/** Processes may be forking meanwhile. */
const ROUNDS = 10;
/** How long a group may take to freeze: a process may be waiting for a disk. */
const FREEZE_MS = 10_000;

/** Where the group of a container is said to be; undefined if it has none. */
export function readGroup(containerDirectory: string): GroupRecord | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(`${containerDirectory}/cgroup.json`));
  } catch {
    return undefined;
  }
}

/** Writes what {@linkcode readGroup} reads. */
export function writeGroup(containerDirectory: string, record: GroupRecord): void {
  Deno.writeTextFileSync(`${containerDirectory}/cgroup.json`, JSON.stringify(record));
}

/**
 * Makes a group below `parent`, with limits.
 *
 * @throws {DhowError} `unsupported` for a limit whose controller is not to be had there, `invalid_argument` for a value
 *   that the kernel does not take; there is no group then.
 */
export function makeGroup(parent: string, name: string, settings: readonly Setting[]): string {
  const path = `${parent}/${name}`;
  const required = settings.filter(({ isImplied }) => !isImplied)
    .map(({ controller }) => controller);
  if (parent.startsWith(`${CGROUP_ROOT}/`)) {
    const above = parent.slice(0, parent.lastIndexOf("/"));
    // The group above is ours to change where it is the top of what we were given.
    if (above === CGROUP_ROOT) giveControllers(above, required);
  }
  giveControllers(parent, required);
  assertControllers(parent, settings);
  try {
    Deno.mkdirSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      throw new DhowError("unsupported", `Cannot make the control group "${path}": ${error}`, {
        cause: error,
      });
    }
  }
  try {
    applySettings(path, settings);
    return path;
  } catch (error) {
    removeGroup(path);
    throw error;
  }
}

/**
 * Lets groups below have the controllers that are there. A group with processes of its own cannot do that: where one that
 * is `required` is wanted, they are moved to a group beside.
 */
function giveControllers(parent: string, required: readonly Controller[]): void {
  const given = readWords(`${parent}/cgroup.subtree_control`);
  const there = controllersOf(parent);
  const missing = CONTROLLERS.filter((name) => !given.includes(name) && there.includes(name));
  const give = (name: string) => {
    try {
      Deno.writeTextFileSync(`${parent}/cgroup.subtree_control`, `+${name}`, { create: false });
      return true;
    } catch {
      return false; // not ours to give, or EBUSY; if it was asked for, it is missed later
    }
  };
  const failed = missing.filter((name) => !give(name));
  if (!failed.some((name) => required.includes(name))) return;
  makeRoom(parent);
  failed.forEach(give);
}

/** Moves the processes of a group, which may be our own and those around us, to one below it. */
function makeRoom(parent: string): void {
  const beside = `${parent}/${BESIDE}`;
  try {
    Deno.mkdirSync(beside, { recursive: true });
    for (let round = 0; round < ROUNDS; round++) {
      const pids = readWords(`${parent}/cgroup.procs`);
      if (pids.length === 0) return;
      for (const pid of pids) moveProcess(pid, beside);
    }
  } catch { /* as the limit that is wanted says */ }
}

/** Moves a process to a group, if it is there still and may be moved. */
export function moveProcess(pid: string, group: string): void {
  try {
    Deno.writeTextFileSync(`${group}/cgroup.procs`, pid, { create: false });
  } catch { /* it has ended, or is not ours */ }
}

function assertControllers(parent: string, settings: readonly Setting[]): void {
  const given = readWords(`${parent}/cgroup.subtree_control`);
  const missing = settings.find(({ controller, isImplied, file }) =>
    !isImplied && !given.includes(controller) && file !== AFFINITY
  );
  if (missing !== undefined) throw missingController(parent, missing);
}

const REMEDY =
  ". An administrator delegates controllers with: systemctl edit user@.service, adding the lines [Service] and Delegate=cpu cpuset io memory pids; then log in anew";

/** Says what a limit lacks, and how it is to be had. */
export function missingController(
  parent: string | undefined,
  { controller, flag }: Pick<Setting, "controller" | "flag">,
): DhowError {
  const why = !isUnified()
    ? "this machine's control groups are of version 1, or mixed, and dhow uses version 2; the kernel's option systemd.unified_cgroup_hierarchy=1 changes that"
    : parent === undefined
    ? "there is no control group that dhow may use"
    : controllersOf(parent).includes(controller)
    ? `"${parent}" has processes of its own, so that groups below it cannot have controllers: start dhow in a group of its own`
    : `the controller "${controller}" is not delegated to you (in "${parent}" there is ${
      controllersOf(parent).join(", ") || "none"
    })`;
  const remedy = isUnified() ? REMEDY : "";
  return new DhowError(
    "unsupported",
    `Cannot limit the container by ${flag}: ${why}${remedy}`,
  );
}

/** Writes settings to a group. @throws {DhowError} `invalid_argument` if the kernel does not take one. */
export function applySettings(path: string, settings: readonly Setting[]): void {
  for (const { file, value, flag, isImplied } of settings) {
    try {
      // io.weight belongs to a scheduler; BFQ has a file of its own.
      const own = file === "io.weight" && !isThere(`${path}/io.weight`) ? "io.bfq.weight" : file;
      Deno.writeTextFileSync(`${path}/${own}`, value, { create: false });
    } catch (error) {
      const isMissing = error instanceof Deno.errors.NotFound;
      if (isImplied || isMissing && file === AFFINITY) continue;
      throw new DhowError(
        isMissing ? "unsupported" : "invalid_argument",
        isMissing
          ? `Cannot limit the container by ${flag}: this kernel has no ${file}`
          : `Cannot limit the container by ${flag}: the kernel does not take "${value}" for ${file}: ${
            (error as Error).message
          }`,
        { cause: error },
      );
    }
  }
}

function isThere(file: string): boolean {
  return readGroupFile(file) !== undefined;
}

/** Opens a group, for clone3(2). */
export function openGroup(path: string): Fd {
  return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/** Opens a container's group for a process to be born in, if that may be done from here. */
export function openGroupFromHere({ path }: GroupRecord): Fd | undefined {
  return canReach(path) ? openGroup(path) : undefined;
}

/** Kills what is left in a group, groups below it included. */
export function killGroup(path: string): void {
  try {
    Deno.writeTextFileSync(`${path}/cgroup.kill`, "1", { create: false });
  } catch { /* it is gone, or the kernel is older than 5.14 */ }
}

/** Removes a group, with those that were made in it; one that has processes stays. */
export function removeGroup(path: string): void {
  if (!path.startsWith(`${CGROUP_ROOT}/`)) return;
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(path)];
  } catch {
    return; // it is gone
  }
  for (const { name, isDirectory: isGroup } of entries) if (isGroup) removeGroup(`${path}/${name}`);
  try {
    Deno.removeSync(path);
  } catch { /* it has processes */ }
}

/**
 * Stops or continues all processes of a group, and waits until that is so.
 *
 * @returns Whether there is a group that can.
 */
export async function freezeGroup(path: string, isFrozen: boolean): Promise<boolean> {
  if (!isDirectory(path)) return false;
  try {
    await Deno.writeTextFile(`${path}/cgroup.freeze`, isFrozen ? "1" : "0", { create: false });
  } catch {
    return false;
  }
  const wanted = isFrozen ? "frozen 1" : "frozen 0";
  for (let waited = 0; waited < FREEZE_MS; waited++) {
    if (readGroupFile(`${path}/cgroup.events`)?.includes(wanted)) return true;
    await sleep(1);
  }
  if (isFrozen) await Deno.writeTextFile(`${path}/cgroup.freeze`, "0", { create: false });
  return false;
}

/** A file of lines `KEY NUMBER`. */
export function readKeyed(file: string): Map<string, number> {
  const lines = (readGroupFile(file) ?? "").split("\n").map((line) => line.split(" "));
  return new Map(lines.map(([key = "", value]) => [key, Number(value)]));
}
