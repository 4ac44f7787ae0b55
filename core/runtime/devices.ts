/**
 * Device nodes of containers: the ones all have, those of `--device`, and all of the host's for `--privileged`.
 *
 * An ordinary user cannot make device nodes, so the host's are bound into place: `source` says which.
 *
 * @module
 */
import { statIfThere } from "../host/stat.ts";
import { DhowError } from "../errors.ts";
import type { DeviceMapping } from "../spec/docker_api.ts";
import type { Device } from "../spec/runtime.ts";

/** A device to bind from the host. */
export interface BoundDevice extends Device {
  /** Path on the host; the container's path where absent. */
  source?: string;
}

/** What every container finds in /dev. */
export const DEFAULT_DEVICES: readonly BoundDevice[] = [
  { type: "c", path: "/dev/null", major: 1, minor: 3 },
  { type: "c", path: "/dev/random", major: 1, minor: 8 },
  { type: "c", path: "/dev/full", major: 1, minor: 7 },
  { type: "c", path: "/dev/tty", major: 5, minor: 0 },
  { type: "c", path: "/dev/zero", major: 1, minor: 5 },
  { type: "c", path: "/dev/urandom", major: 1, minor: 9 },
];

/** Parts of /dev that are no devices of the host, or each container's own. */
const NOT_HOST_DEVICES = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"]);
const OWN_DEVICES = new Set(["/dev/console", "/dev/ptmx"]);

/**
 * The devices behind a `--device`: one, or all below a directory.
 *
 * @throws {DhowError} `invalid_argument`, in docker's words, if there is none.
 */
export function resolveDevice(mapping: DeviceMapping): BoundDevice[] {
  const { PathOnHost: source, PathInContainer: target } = mapping;
  const doing = `error gathering device information while adding custom device "${source}"`;
  const info = statIfThere(source);
  if (info === undefined) throw invalid(`${doing}: no such file or directory`);
  if (info.isDirectory) {
    const real = Deno.realPathSync(source);
    const found = walkDevices(real);
    if (found.length > 0) {
      return found.map((device) => ({
        ...device,
        path: target + device.path.slice(real.length),
        source: device.path,
      }));
    }
  }
  const device = deviceOf(target, info);
  if (device === undefined) throw invalid(`${doing}: not a device node`);
  return [{ ...device, source }];
}

/** All device nodes of the host, for `--privileged`; unreadable directories are left out. */
export function listHostDevices(): BoundDevice[] {
  return walkDevices("/dev").filter((device) => !OWN_DEVICES.has(device.path));
}

function walkDevices(directory: string): BoundDevice[] {
  const found: BoundDevice[] = [];
  for (const entry of readDirectoryOrNothing(directory)) {
    const path = `${directory}/${entry.name}`;
    if (entry.isSymlink || NOT_HOST_DEVICES.has(entry.name)) continue;
    if (entry.isDirectory) {
      found.push(...walkDevices(path));
      continue;
    }
    if (entry.isFile) continue;
    const device = deviceOf(path, statIfThere(path));
    if (device !== undefined) found.push(device);
  }
  return found;
}

function readDirectoryOrNothing(path: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)].sort((a, b) => a.name < b.name ? -1 : 1);
  } catch {
    return [];
  }
}

/** @see man 3 makedev, for how Linux packs the two numbers. */
function deviceOf(path: string, info: Deno.FileInfo | undefined): BoundDevice | undefined {
  if (!info?.isBlockDevice && !info?.isCharDevice) return undefined;
  const packed = BigInt(info.rdev ?? 0);
  return {
    type: info.isBlockDevice ? "b" : "c",
    path,
    major: Number((packed >> 8n & 0xfffn) | (packed >> 32n & 0xfffff000n)),
    minor: Number((packed & 0xffn) | (packed >> 12n & 0xffffff00n)),
    fileMode: (info.mode ?? 0o666) & 0o7777,
  };
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}
