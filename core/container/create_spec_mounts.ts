/**
 * The mounts of a container, in the order and with the options docker gives them.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { INSIDE_PROC } from "../runtime/init_proc_guard.ts";
import { IMAGE_MOUNT, SHARED_MOUNT } from "../runtime/mount_options.ts";
import type { HostConfig, MountPoint, MountSpec } from "../spec/docker_api.ts";
import type { SpecMount } from "../spec/runtime.ts";
import type { VolumeMount } from "../volume/volume_options.ts";

/** What the mounts depend on beside the container's settings. */
export interface MountEnvironment {
  /** Our own files, to bind over the image's; those without a path are left to the image. */
  files: { hosts?: string; hostname?: string; resolvConf?: string };
  /** The mount namespace whose /dev/shm to share, with `--ipc container:web`: `/proc/123/ns/mnt`. */
  shmOf?: string;
  /** A program for `--init`, to bind to `/sbin/docker-init`. */
  initPath?: string;
  /** Whether `path` on the host is a directory; a file is bound to a file. */
  isDirectory: (path: string) => boolean;
  /** Whether `path` is on the host at all. */
  exists: (path: string) => boolean;
  /** What a volume's options ask to be mounted in the place of its directory. */
  volumeMount?: (point: MountPoint) => VolumeMount | undefined;
  /** What of the volume at `destination` is mounted. */
  subpathOf?: (destination: string) => string | undefined;
  /** The image mounted at `destination`. */
  imageAt?: (destination: string) => Required<Pick<SpecMount, "layers">> & { subpath?: string };
}

/** Where docker puts the program of `--init`. */
export const INIT_PATH = "/sbin/docker-init";

/** Mounts of one container, lower ones first, and what they ask of the root's own propagation. */
export function buildMounts(
  hostConfig: HostConfig,
  mountPoints: readonly MountPoint[],
  environment: MountEnvironment,
): SpecMount[] {
  const asked = [
    ...tmpfsMounts(hostConfig),
    ...mountPoints.filter((point) => point.Type !== "tmpfs")
      .map((point) => bindMount(point, hostConfig, environment)),
  ].map((mount): SpecMount => ({ ...mount, isAsked: true }));
  if (asked.some(({ destination }) => destination === "/proc")) {
    throw new DhowError("invalid_argument", `"/proc" ${INSIDE_PROC}`);
  }
  const own = [
    ...asked,
    ...networkFileMounts(hostConfig, mountPoints, environment),
  ].sort((a, b) => depth(a.destination) - depth(b.destination));

  const taken = new Set(own.map((mount) => mount.destination));
  const init: SpecMount[] = environment.initPath === undefined ? [] : [{
    destination: INIT_PATH,
    type: "bind-file",
    source: environment.initPath,
    options: ["bind", "ro"],
  }];
  const standard = standardMounts(hostConfig, environment).filter(({ destination }) =>
    !taken.has(destination) && !(taken.has("/dev") && destination.startsWith("/dev/"))
  );
  return [...standard, ...init, ...own];
}

function depth(path: string): number {
  return path.split("/").filter((part) => part !== "").length;
}

function standardMounts(hostConfig: HostConfig, environment: MountEnvironment): SpecMount[] {
  const { IpcMode, ShmSize, CgroupnsMode, Privileged } = hostConfig;
  const readOnly = Privileged ? [] : ["ro"];
  const allReadOnly = Privileged ? [] : ["rro"];
  const mounts: SpecMount[] = [
    mount("/proc", "proc", "proc", "nosuid noexec nodev"),
    mount("/dev", "tmpfs", "tmpfs", "nosuid strictatime mode=755 size=65536k"),
    mount(
      "/dev/pts",
      "devpts",
      "devpts",
      "nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5",
    ),
    mount("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", ...readOnly]),
    // Only the owner of a cgroup namespace may mount it; the host's can still be bound.
    CgroupnsMode === "host"
      ? mount("/sys/fs/cgroup", "bind", "/sys/fs/cgroup", [
        "rbind",
        ...allReadOnly,
        "nosuid",
        "noexec",
        "nodev",
      ])
      : mount("/sys/fs/cgroup", "cgroup", "cgroup", [...readOnly, "nosuid", "noexec", "nodev"]),
  ];
  if (IpcMode !== "host") {
    mounts.push(mount("/dev/mqueue", "mqueue", "mqueue", "nosuid noexec nodev"));
  } else if (environment.exists("/dev/mqueue")) {
    mounts.push(mount("/dev/mqueue", "bind", "/dev/mqueue", "rbind nosuid noexec nodev"));
  }
  if (IpcMode === "host") {
    mounts.push(mount("/dev/shm", "bind", "/dev/shm", "rbind rprivate"));
  } else if (environment.shmOf !== undefined) {
    mounts.push(mount("/dev/shm", SHARED_MOUNT, environment.shmOf, []));
  } else if (IpcMode !== "none") {
    const size = `size=${ShmSize}`;
    mounts.push(mount("/dev/shm", "tmpfs", "shm", `nosuid noexec nodev mode=1777 ${size}`));
  }
  return mounts;
}

function mount(
  destination: string,
  type: string,
  source: string,
  options: string | string[],
): SpecMount {
  return {
    destination,
    type,
    source,
    options: typeof options === "string" ? options.split(" ") : options,
  };
}

/** A user's own mount on one of these files replaces ours. */
function networkFileMounts(
  hostConfig: HostConfig,
  mountPoints: readonly MountPoint[],
  { files }: MountEnvironment,
): SpecMount[] {
  const options = ["rbind", ...hostConfig.ReadonlyRootfs ? ["rro"] : [], "rprivate"];
  const candidates: [string, string | undefined][] = [
    ["/etc/resolv.conf", files.resolvConf],
    ["/etc/hostname", files.hostname],
    ["/etc/hosts", files.hosts],
  ];
  return candidates.flatMap(([destination, source]) =>
    source === undefined || mountPoints.some((point) => point.Destination === destination)
      ? []
      : [{ destination, type: "bind-file", source, options }]
  );
}

function bindMount(
  point: MountPoint,
  hostConfig: HostConfig,
  environment: MountEnvironment,
): SpecMount {
  const spec = findMountSpec(hostConfig, point);
  const options = [spec?.BindOptions?.NonRecursive ? "bind" : "rbind"];
  if (!point.RW) options.push(isOnlyTopReadOnly(spec) ? "ro" : "rro");
  if (point.Propagation) options.push(point.Propagation);
  const destination = point.Destination;
  if (point.Type === "image") {
    return {
      destination,
      type: IMAGE_MOUNT,
      options: ["rro"],
      ...environment.imageAt!(destination),
    };
  }
  const subpath = environment.subpathOf?.(destination);
  const own = environment.volumeMount?.(point);
  if (own?.type === SHARED_MOUNT) return { destination, ...own, options: [point.RW ? "rw" : "ro"] };
  if (own?.type === "tmpfs") {
    return { destination, ...own, options: [...own.options, ...point.RW ? [] : ["rro"]] };
  }
  const source = own?.source ?? point.Source;
  if (own !== undefined) options.splice(0, 1, ...own.options);
  if (subpath !== undefined) return { destination, type: "bind-any", source, options, subpath };
  const type = environment.isDirectory(source) ? "bind" : "bind-file";
  return { destination, type, source, options };
}

function findMountSpec(hostConfig: HostConfig, point: MountPoint): MountSpec | undefined {
  return hostConfig.Mounts?.find((spec) => spec.Target === point.Destination);
}

function isOnlyTopReadOnly(spec: MountSpec | undefined): boolean {
  const { ReadOnlyNonRecursive = false, ReadOnlyForceRecursive = false } = spec?.BindOptions ?? {};
  if (ReadOnlyNonRecursive && ReadOnlyForceRecursive) {
    throw new DhowError(
      "invalid_argument",
      "mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive",
    );
  }
  return ReadOnlyNonRecursive;
}

function tmpfsMounts(hostConfig: HostConfig): SpecMount[] {
  const asked: [string, string[]][] = [
    ...Object.entries(hostConfig.Tmpfs ?? {}).map(([path, data]): [string, string[]] => [
      path,
      data === "" ? [] : data.split(","),
    ]),
    ...(hostConfig.Mounts ?? []).filter((spec) => spec.Type === "tmpfs")
      .map((spec): [string, string[]] => [spec.Target, tmpfsSpecOptions(spec)]),
  ];
  return asked.map(([destination, options]) => ({
    destination,
    type: "tmpfs",
    source: "tmpfs",
    options: mergeTmpfsOptions(["noexec", "nosuid", "nodev", "rprivate", ...options]),
  }));
}

function tmpfsSpecOptions({ TmpfsOptions, ReadOnly }: MountSpec): string[] {
  const options = ReadOnly ? ["ro"] : [];
  const { Mode, SizeBytes, Options } = TmpfsOptions ?? {};
  if (Mode) options.push(`mode=${Mode.toString(8)}`);
  if (SizeBytes) options.push(`size=${shortSize(SizeBytes)}`);
  for (const [name, value] of Options ?? []) {
    options.push(value === undefined ? name! : `${name}=${value}`);
  }
  return options;
}

function shortSize(bytes: number): string {
  for (const [suffix, unit] of [["g", 2 ** 30], ["m", 2 ** 20], ["k", 2 ** 10]] as const) {
    if (bytes % unit === 0) return `${bytes / unit}${suffix}`;
  }
  return String(bytes);
}

/** Option words, with what each pair of words is about: the later of two on one matter wins. */
const TMPFS_FLAGS: Record<string, string> = {
  ...pairs("ro/rw noexec/exec nosuid/suid nodev/dev sync/async noatime/atime nodiratime/diratime"),
  ...pairs("norelatime/relatime nostrictatime/strictatime mand/nomand dirsync"),
  ...Object.fromEntries(
    "private rprivate shared rshared slave rslave unbindable runbindable".split(" ")
      .map((word) => [word, "propagation"]),
  ),
};

const TMPFS_DATA = new Set(["gid", "mode", "mpol", "nr_blocks", "nr_inodes", "size", "uid"]);

function pairs(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(" ").flatMap((pair) => pair.split("/").map((word) => [word, pair])),
  );
}

/**
 * Settles contradictions among a tmpfs's options: the last word on a matter stays, in its place.
 *
 * @throws {DhowError} `invalid_argument`, in docker's words, for words tmpfs does not know.
 */
export function mergeTmpfsOptions(options: readonly string[]): string[] {
  const settled = new Set<string>();
  return options.toReversed().filter((option) => {
    if (option === "defaults") return false;
    const equals = option.indexOf("=");
    const name = equals < 0 ? option : option.slice(0, equals);
    const isKnown = equals < 0 ? name in TMPFS_FLAGS : TMPFS_DATA.has(name);
    if (!isKnown) throw new DhowError("invalid_argument", `invalid tmpfs option "${name}"`);
    const matter = TMPFS_FLAGS[name] ?? name;
    if (settled.has(matter)) return false;
    settled.add(matter);
    return true;
  }).toReversed();
}
