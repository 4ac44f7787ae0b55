/**
 * `docker info`.
 *
 * @module
 */
import { isUnified } from "../cgroup/hierarchy.ts";
import { findPlace } from "../cgroup/place.ts";
import type { StorePaths } from "../host/paths.ts";
import { currentIdMap } from "../runtime/userns.ts";
import {
  forcedStorageDriver,
  readStorageChoice,
  STORAGE_DRIVER_NAMES,
  type StorageDriver,
} from "../store/storage_driver.ts";
import { VERSION } from "../version.ts";
import type { Engine } from "./engine.ts";

const DRIVER_TITLES: Record<StorageDriver, string> = {
  overlay: "Overlay",
  "fuse-overlayfs": "Overlay",
  copy: "Copy",
};
const DRIVER_TEXTS: Record<StorageDriver, string> = {
  overlay: "the kernel's own, in a user namespace",
  "fuse-overlayfs": "fuse-overlayfs, one process a running container",
  copy: "each container has a copy of its image",
};

/** Collects what `docker info` shows, under docker's names. */
export async function collectInfo(
  paths: StorePaths,
  engine: Engine,
): Promise<Record<string, unknown>> {
  const containers = await engine.containers.list({ all: true });
  const count = (state: string) => containers.filter((row) => row.State === state).length;
  const map = currentIdMap(paths);
  const choice = readStorageChoice(paths);
  const driver = forcedStorageDriver() ?? choice?.driver ?? "overlay";
  return {
    ID: map.name,
    Containers: containers.length,
    ContainersRunning: count("running"),
    ContainersPaused: count("paused"),
    ContainersStopped: containers.length - count("running") - count("paused"),
    Images: (await engine.images.list()).length,
    Driver: STORAGE_DRIVER_NAMES[driver],
    DriverStatus: [
      [DRIVER_TITLES[driver], DRIVER_TEXTS[driver]],
      ...Object.entries(choice?.obstacles ?? {}).map(([name, why]) => [`Not ${name}`, why]),
      ["User ids", map.single ? `one (${map.reason})` : `${countIds(map.uids)}`],
    ],
    LoggingDriver: "json-file",
    CgroupDriver: cgroupDriver(),
    CgroupVersion: isUnified() ? "2" : "1",
    NCPU: navigator.hardwareConcurrency,
    MemTotal: Deno.systemMemoryInfo().total,
    DefaultRuntime: "dhow",
    InitBinary: "built in",
    SecurityOptions: ["name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"],
    KernelVersion: Deno.osRelease(),
    OperatingSystem: operatingSystem(),
    OSType: "linux",
    Architecture: Deno.build.arch,
    Name: Deno.hostname(),
    ServerVersion: VERSION,
    DockerRootDir: paths.root,
    Warnings: map.single ? [`WARNING: Only one id is mapped: ${map.reason}`] : [],
  };
}

/** As docker calls it: who makes groups. */
function cgroupDriver(): string {
  const place = findPlace("");
  return place === undefined ? "none" : place.kind === "scope" ? "systemd" : "cgroupfs";
}

function countIds(mappings: { size: number }[]): number {
  return mappings.reduce((sum, mapping) => sum + mapping.size, 0);
}

function operatingSystem(): string {
  try {
    const text = Deno.readTextFileSync("/etc/os-release");
    return text.match(/^PRETTY_NAME="?([^"\n]*)/m)?.[1] ?? "Linux";
  } catch {
    return "Linux";
  }
}
