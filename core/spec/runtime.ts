/**
 * Wire types of the OCI runtime-spec's `config.json`, the part for Linux that dhow writes and reads.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config.md
 * @module
 */

/** `config.json`. */
export interface Spec {
  ociVersion: string;
  hostname?: string;
  domainname?: string;
  root: { path: string; readonly?: boolean };
  process: Process;
  mounts: SpecMount[];
  annotations?: Record<string, string>;
  linux: Linux;
}

/** The process to execute. */
export interface Process {
  terminal?: boolean;
  consoleSize?: { height: number; width: number };
  user: { uid: number; gid: number; umask?: number; additionalGids?: number[]; username?: string };
  args: string[];
  env: string[];
  cwd: string;
  capabilities?: Capabilities;
  rlimits?: Rlimit[];
  noNewPrivileges?: boolean;
  apparmorProfile?: string;
  selinuxLabel?: string;
  oomScoreAdj?: number;
}

/** Capability sets, by name (`CAP_CHOWN`). */
export interface Capabilities {
  bounding?: string[];
  effective?: string[];
  inheritable?: string[];
  permitted?: string[];
  ambient?: string[];
}

/** A resource limit; -1 stands for RLIM_INFINITY. */
export interface Rlimit {
  /** `RLIMIT_NOFILE`. */
  type: string;
  soft: number;
  hard: number;
}

/** A mount, in order. */
export interface SpecMount {
  destination: string;
  /** `bind` for bind mounts, else the file system type. */
  type?: string;
  source?: string;
  /** mount(8) words: `ro nosuid rbind rprivate mode=755 ...`. */
  options?: string[];
  /** Ours: somebody asked for it, so that it must not be in /proc. */
  isAsked?: boolean;
  /** Ours: what below the source is mounted; no link in it leads out. */
  subpath?: string;
  /** Ours, for type `image`: layers, the topmost first, by names relative to `base`. */
  layers?: { base: string; names: string[] };
  /** Ours, for type `file`: what it holds. */
  file?: { content: Uint8Array<ArrayBuffer>; mode: number; uid: number; gid: number };
}

/** Linux's part. */
export interface Linux {
  namespaces: Namespace[];
  uidMappings?: IdMapping[];
  gidMappings?: IdMapping[];
  devices?: Device[];
  sysctl?: Record<string, string>;
  seccomp?: Seccomp;
  rootfsPropagation?: string;
  maskedPaths?: string[];
  readonlyPaths?: string[];
  cgroupsPath?: string;
  resources?: Record<string, unknown>;
  mountLabel?: string;
}

/** A namespace to create or, with `path`, to join. */
export interface Namespace {
  type: "pid" | "network" | "mount" | "ipc" | "uts" | "user" | "cgroup" | "time";
  path?: string;
}

/** A line of uid_map or gid_map. */
export interface IdMapping {
  containerID: number;
  hostID: number;
  size: number;
}

/** A device node. */
export interface Device {
  type: "c" | "b" | "p" | "u";
  path: string;
  major?: number;
  minor?: number;
  fileMode?: number;
  uid?: number;
  gid?: number;
}

/** A seccomp filter by names. @see runtime-spec/config-linux.md#seccomp */
export interface Seccomp {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: string[];
  flags?: string[];
  syscalls?: SeccompRule[];
}

/** One rule of a filter. */
export interface SeccompRule {
  names: string[];
  action: string;
  errnoRet?: number;
  args?: SeccompArg[];
}

/** One condition on a system call's argument; 64-bit values are numbers up to 2^53 or bigint. */
export interface SeccompArg {
  index: number;
  value: number | bigint;
  valueTwo?: number | bigint;
  op: string;
}
