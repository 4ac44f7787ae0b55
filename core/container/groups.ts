/**
 * Containers' control groups: made ready before a start, looked at and removed after the end.
 *
 * @module
 */
import { O_CLOEXEC } from "../../ffi/abi/constants.ts";
import { pipe, write } from "../../ffi/fd.ts";
import {
  makeGroup,
  missingController,
  moveProcess,
  openGroup,
  openGroupFromHere,
  readGroup,
  readKeyed,
  removeGroup,
  SCOPE_GROUPS,
  writeGroup,
} from "../cgroup/container_group.ts";
import { groupSettings, hasLimits, type Setting } from "../cgroup/limits.ts";
import { findPlace, makeParent, type Place } from "../cgroup/place.ts";
import { attachToScope, startScope } from "../cgroup/systemd.ts";
import { DhowError } from "../errors.ts";
import { notice } from "../host/notice.ts";
import type { StorePaths } from "../host/paths.ts";
import { removeIfThere } from "../host/remove_if_there.ts";
import type { ExecGroup } from "../runtime/enter.ts";
import type { LaunchGroup } from "../runtime/launch.ts";
import { MEMORY_EVENTS_FILE } from "../runtime/monitor_group.ts";
import type { HostConfig } from "../spec/docker_api.ts";
import { containerDirectory, type ContainerRecord } from "./record.ts";

/** The group of a container about to start. Disposing closes what is open; {@linkcode dropGroup} removes it. */
export interface ReadyGroup extends Disposable {
  readonly launch: LaunchGroup;
}

/**
 * Makes the group of a container that is about to start.
 *
 * Where the service manager has to be asked, which takes a while, only containers with limits have a group.
 *
 * @returns Undefined where there is no group to be had, and none is needed.
 * @throws {DhowError} `unsupported` for limits that cannot be had here, `invalid_argument`.
 */
export function prepareGroup(
  paths: StorePaths,
  record: ContainerRecord,
): ReadyGroup | undefined {
  const { hostConfig } = record;
  const settings = groupSettings(hostConfig, deviceNumber);
  const isWanted = hasLimits(hostConfig) || hostConfig.CgroupParent !== "";
  const place = findPlace(hostConfig.CgroupParent);
  if (place === undefined) {
    assertNothingMissing(paths, hostConfig, settings);
    return undefined;
  }
  const directory = containerDirectory(paths, record.id);
  removeIfThere(`${directory}/cgroup.json`);
  if (place.kind === "directory") return makeBelow(place.parent, record, directory, settings);
  return isWanted ? makeScope(place, record, directory, settings) : undefined;
}

function assertNothingMissing(
  paths: StorePaths,
  { CgroupParent }: HostConfig,
  settings: readonly Setting[],
): void {
  const missing = settings.find(({ isImplied, file }) => !isImplied && file !== "cpuset.cpus");
  if (missing !== undefined) throw missingController(undefined, missing);
  if (CgroupParent !== "") {
    throw missingController(undefined, { controller: "cpu", flag: "--cgroup-parent" });
  }
  if (settings.some(({ file }) => file === "cpuset.cpus")) {
    notice(
      `${paths.runtime}/cpuset.noticed`,
      "dhow: There is no control group that dhow may use: --cpuset-cpus sets the affinity, which processes in the container can change",
    );
  }
}

function makeBelow(
  parent: string,
  record: ContainerRecord,
  directory: string,
  settings: readonly Setting[],
): ReadyGroup {
  makeParent(parent);
  const path = makeGroup(parent, `dhow-${record.id}`, settings);
  writeGroup(directory, { path });
  const fd = openGroup(path);
  return {
    launch: { kind: "open", fd: fd.number },
    [Symbol.dispose]: () => fd.close(),
  };
}

function makeScope(
  place: Extract<Place, { kind: "scope" }>,
  record: ContainerRecord,
  directory: string,
  settings: readonly Setting[],
): ReadyGroup {
  const told = pipe(O_CLOEXEC);
  const unit = `dhow-${record.id.slice(0, 12)}-${crypto.randomUUID().slice(0, 8)}.scope`;
  const make = async (pid: number) => {
    using writing = told.write;
    const description = `dhow container ${record.name}`;
    const scope = await startScope({ unit, description, pid, ...place });
    // Limits are for a group below: a group with processes of its own has none.
    const beside = `${scope}/${SCOPE_GROUPS.monitor}`;
    makeParent(beside);
    moveProcess(String(pid), beside);
    const path = makeGroup(scope, SCOPE_GROUPS.container, settings);
    writeGroup(directory, { path, unit });
    write(writing.number, new TextEncoder().encode(path));
  };
  return {
    launch: { kind: "around", path: told.read.number, make },
    [Symbol.dispose]() {
      told.read.close();
      told.write.close();
    },
  };
}

/** `MAJOR:MINOR` of a block device. @throws {DhowError} `invalid_argument` if it is none. */
export function deviceNumber(path: string): string {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    throw new DhowError(
      "invalid_argument",
      `Cannot limit the container's use of "${path}": ${(error as Error).message}`,
      { cause: error },
    );
  }
  if (!info.isBlockDevice || info.rdev === null) {
    throw new DhowError(
      "invalid_argument",
      `Cannot limit the container's use of "${path}": it is no block device`,
    );
  }
  return formatDevice(info.rdev);
}

/** The kernel's numbers of a device, as stat(2) packs them. */
function formatDevice(rdev: number): string {
  const bits = BigInt(rdev);
  const major = bits >> 8n & 0xfffn | bits >> 32n & ~0xfffn;
  const minor = bits & 0xffn | bits >> 12n & ~0xffn & 0xffffffffn;
  return `${major}:${minor}`;
}

/** How an exec gets into the group of a container that has one. Disposing closes what is open. */
export function execGroup(directory: string): (ExecGroup & Disposable) | undefined {
  const record = readGroup(directory);
  if (record === undefined) return undefined;
  const fd = openGroupFromHere(record);
  if (fd !== undefined) {
    return { kind: "open", fd: fd.number, [Symbol.dispose]: () => fd.close() };
  }
  const { unit } = record;
  if (unit === undefined) {
    throw new DhowError(
      "unsupported",
      `Cannot run a process in the container: its control group "${record.path}" cannot be entered from the one that dhow runs in`,
    );
  }
  return {
    kind: "around",
    enter: (pid) => attachToScope(unit, `/${SCOPE_GROUPS.container}`, pid),
    [Symbol.dispose]() {},
  };
}

/** Removes the group of a container that has ended. @returns Whether a process was killed for want of memory. */
export function dropGroup(directory: string): boolean {
  const record = readGroup(directory);
  if (record === undefined) return false;
  const events = readKeyed(`${directory}/${MEMORY_EVENTS_FILE}`);
  removeGroup(record.path);
  removeIfThere(`${directory}/${MEMORY_EVENTS_FILE}`);
  removeIfThere(`${directory}/cgroup.json`);
  return (events.get("oom_kill") ?? 0) > 0;
}
