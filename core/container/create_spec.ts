/**
 * From a container's settings to the runtime-spec's `config.json`, with docker's defaults. Pure: what has to be looked
 * up on the machine or in the image comes through {@linkcode SpecEnvironment}.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { resolveCapabilities } from "../runtime/capabilities.ts";
import { type BoundDevice, DEFAULT_DEVICES } from "../runtime/devices.ts";
import { toRlimits } from "../runtime/rlimits.ts";
import { parseSecurityOptions } from "../runtime/security_options.ts";
import { assertSysctlsAllowed } from "../runtime/sysctls.ts";
import type { ContainerConfig, DeviceMapping, HostConfig, MountPoint } from "../spec/docker_api.ts";
import type { Namespace, Process, Spec } from "../spec/runtime.ts";
import { buildMounts, INIT_PATH, type MountEnvironment } from "./create_spec_mounts.ts";
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from "./system_paths.ts";
import { type ReadContainerFile, type ResolvedUser, resolveUser } from "./users.ts";

/** What of a container's record the spec is made of; `config` has the image's settings merged in. */
export interface SpecInput {
  config: ContainerConfig;
  hostConfig: HostConfig;
  /** Binds and volumes, resolved to paths on the host. */
  mounts: readonly MountPoint[];
}

/** What the spec depends on beside the container's settings. */
export interface SpecEnvironment extends MountEnvironment {
  /** Where the root file system is mounted. */
  rootfs: string;
  readFile: ReadContainerFile;
  /** Path of another container's namespace, for `--pid container:web`: `/proc/123/ns/pid`. Throws if it is not running. */
  namespaceOf: (container: string, type: "pid" | "ipc" | "network") => string;
  /** The devices behind a `--device`. */
  resolveDevice: (mapping: DeviceMapping) => BoundDevice[];
  /** All of the host's, for `--privileged`. */
  listHostDevices: () => BoundDevice[];
  /** The user namespace, if the container is to join one. */
  userNamespace?: string;
  /** @see ResolveCapabilitiesOptions.lastCapability */
  lastCapability?: number;
}

const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Builds the spec of a container about to start. It has no `linux.seccomp`: the filter comes compiled, from
 * `cachedFilter()`.
 *
 * @throws {DhowError} `invalid_argument`, in docker's words, for settings that contradict each other or the machine.
 */
export function buildSpec(input: SpecInput, environment: SpecEnvironment): Spec {
  const { config, hostConfig, mounts } = input;
  const namespaces = buildNamespaces(hostConfig, environment);
  const has = (type: Namespace["type"]) => namespaces.some((space) => space.type === type);
  const privateNetwork = isPrivateMode(hostConfig.NetworkMode);
  const sysctl = {
    ...privateNetwork ? { "net.ipv4.ip_unprivileged_port_start": "0" } : {},
    ...hostConfig.Sysctls,
  };
  assertSysctlsAllowed(Object.keys(sysctl), { ipc: has("ipc"), network: has("network") });
  const spec: Spec = {
    ociVersion: "1.2.1",
    process: buildProcess(input, environment),
    root: { path: environment.rootfs },
    mounts: buildMounts(hostConfig, mounts, environment),
    linux: { namespaces, devices: buildDevices(hostConfig, environment) },
  };
  if (hostConfig.ReadonlyRootfs) spec.root.readonly = true;
  if (has("uts")) {
    spec.hostname = config.Hostname;
    if (config.Domainname) spec.domainname = config.Domainname;
  }
  if (Object.keys(sysctl).length > 0) spec.linux.sysctl = sysctl;
  if (!hostConfig.Privileged) {
    // Empty lists are what `--security-opt systempaths=unconfined` leaves.
    const masked = hostConfig.MaskedPaths ?? DEFAULT_MASKED_PATHS;
    const readOnly = hostConfig.ReadonlyPaths ?? DEFAULT_READONLY_PATHS;
    if (masked.length > 0) spec.linux.maskedPaths = [...masked];
    if (readOnly.length > 0) spec.linux.readonlyPaths = [...readOnly];
  }
  const propagation = rootPropagation(mounts);
  if (propagation !== undefined) spec.linux.rootfsPropagation = propagation;
  if (hostConfig.Annotations) spec.annotations = hostConfig.Annotations;
  return spec;
}

/** A mode word that asks for a namespace of the container's own, or says nothing. */
function isPrivateMode(mode: string): boolean {
  return mode !== "host" && !mode.startsWith("container:");
}

function buildNamespaces(hostConfig: HostConfig, environment: SpecEnvironment): Namespace[] {
  const { NetworkMode, UTSMode, PidMode, IpcMode, CgroupnsMode } = hostConfig;
  const shared = (type: "network" | "pid" | "ipc", mode: string): Namespace[] => {
    if (mode === "host") return [];
    if (!mode.startsWith("container:")) return [{ type }];
    return [{ type, path: environment.namespaceOf(mode.slice("container:".length), type) }];
  };
  assertIpcMode(IpcMode);
  return [
    ...environment.userNamespace === undefined
      ? []
      : [{ type: "user", path: environment.userNamespace } as const],
    { type: "mount" },
    ...shared("network", NetworkMode),
    ...UTSMode === "host" ? [] : [{ type: "uts" } as const],
    ...shared("pid", PidMode),
    ...shared("ipc", IpcMode),
    ...CgroupnsMode === "host" ? [] : [{ type: "cgroup" } as const],
  ];
}

/** Refuses words that are no `--ipc` mode. @throws {DhowError} `invalid_argument`, in docker's words. */
export function assertIpcMode(mode: string): void {
  const isKnown = ["", "none", "private", "shareable", "host"].includes(mode) ||
    mode.startsWith("container:");
  if (!isKnown) throw new DhowError("invalid_argument", `invalid IPC mode: ${mode}`);
}

function buildProcess({ config, hostConfig }: SpecInput, environment: SpecEnvironment): Process {
  const user = resolveUser(config.User, environment.readFile, hostConfig.GroupAdd ?? []);
  const process: Process = {
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: buildArgs(config, hostConfig, environment),
    env: buildEnv(config, user),
    cwd: config.WorkingDir || "/",
    capabilities: buildCapabilities(hostConfig, environment),
  };
  const options = parseSecurityOptions(hostConfig.SecurityOpt);
  if (options.noNewPrivileges) process.noNewPrivileges = true;
  // As docker: without AppArmor in the kernel it means nothing.
  const profile = options.apparmor ?? "unconfined";
  if (profile !== "unconfined" && environment.exists("/sys/kernel/security/apparmor")) {
    process.apparmorProfile = profile;
  }
  if (hostConfig.Ulimits?.length) process.rlimits = toRlimits(hostConfig.Ulimits);
  if (hostConfig.OomScoreAdj !== 0) process.oomScoreAdj = hostConfig.OomScoreAdj;
  if (config.Tty) {
    process.terminal = true;
    const [height, width] = hostConfig.ConsoleSize;
    if (height > 0 && width > 0) process.consoleSize = { height, width };
  }
  return process;
}

function buildArgs(
  config: ContainerConfig,
  hostConfig: HostConfig,
  environment: SpecEnvironment,
): string[] {
  const args = [...config.Entrypoint ?? [], ...config.Cmd ?? []];
  // Where there already is an init, of the host or of another container, ours would reap nothing.
  const wantsInit = hostConfig.Init === true && isPrivateMode(hostConfig.PidMode);
  return wantsInit && environment.initPath !== undefined ? [INIT_PATH, "--", ...args] : args;
}

/** What users other than root hold of these ends at execve(2), but for file capabilities. */
function buildCapabilities(
  hostConfig: HostConfig,
  { lastCapability }: SpecEnvironment,
): NonNullable<Process["capabilities"]> {
  const names = resolveCapabilities({
    add: hostConfig.CapAdd,
    drop: hostConfig.CapDrop,
    privileged: hostConfig.Privileged,
    ...lastCapability === undefined ? {} : { lastCapability },
  });
  return { bounding: names, effective: names, permitted: names };
}

/**
 * Environment of the main process, and of exec: PATH, HOSTNAME, TERM with a terminal, then the container's own, which
 * replace these in place; a bare name takes one away. HOME follows from the user.
 */
export function buildEnv(config: ContainerConfig, user: Pick<ResolvedUser, "home">): string[] {
  const env = new Map<string, string>();
  const set = (variable: string) => env.set(variable.split("=", 1)[0]!, variable);
  set(DEFAULT_PATH);
  set(`HOSTNAME=${config.Hostname}`);
  if (config.Tty) set("TERM=xterm");
  for (const variable of config.Env ?? []) {
    if (variable.includes("=")) set(variable);
    else env.delete(variable);
  }
  if (!env.has("HOME")) set(`HOME=${user.home}`);
  return [...env.values()];
}

function buildDevices(hostConfig: HostConfig, environment: SpecEnvironment): BoundDevice[] {
  const asked = hostConfig.Devices ?? [];
  const devices = hostConfig.Privileged
    ? [
      ...environment.listHostDevices(),
      ...asked.filter((mapping) => mapping.PathOnHost !== mapping.PathInContainer)
        .flatMap(environment.resolveDevice),
    ]
    : asked.flatMap(environment.resolveDevice);
  // A later device replaces an earlier one at its path.
  const byPath = new Map([...DEFAULT_DEVICES, ...devices].map((device) => [device.path, device]));
  return [...byPath.values()];
}

/** A mount that is to see or show later mounts needs a root that lets them through. */
function rootPropagation(mounts: readonly MountPoint[]): string | undefined {
  const words = mounts.map((point) => point.Propagation);
  if (words.some((word) => word === "shared" || word === "rshared")) return "shared";
  return words.some((word) => word === "slave" || word === "rslave") ? "rslave" : undefined;
}
