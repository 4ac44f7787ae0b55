/**
 * Wire types of the Docker Engine API (1.51), as published: what is asked and said of a container.
 *
 * @see https://docs.docker.com/reference/api/engine/
 * @module
 */
import type { ContainerConfig, EndpointSettings, HostConfig, MountPoint } from "./docker_config.ts";

/** Body of `POST /containers/create`, with the name and platform from its query. */
export interface ContainerCreate {
  /** Without the leading slash; absent means: make one up. */
  name?: string;
  /** `os/arch[/variant]`. */
  platform?: string;
  /** The portable half. */
  config: ContainerConfig;
  /** The machine-dependent half. */
  hostConfig: HostConfig;
  /** Settings of each network to attach to, by the network's name. */
  networkingConfig?: { EndpointsConfig: Record<string, Partial<EndpointSettings>> };
}

/** Docker's status words. */
export type ContainerStatus =
  | "created"
  | "running"
  | "paused"
  | "restarting"
  | "removing"
  | "exited"
  | "dead";

/** `.State` of `docker inspect`. */
export interface ContainerState {
  /** The status word. */
  Status: ContainerStatus;
  /** Whether it runs; true also while paused or restarting. */
  Running: boolean;
  /** Whether it is frozen. */
  Paused: boolean;
  /** Whether it waits to be started again. */
  Restarting: boolean;
  /** Whether the kernel killed it for want of memory. */
  OOMKilled: boolean;
  /** Whether its removal failed half way. */
  Dead: boolean;
  /** The main process on the host; 0 if it does not run. */
  Pid: number;
  /** Of the last run; 128 and the signal's number if a signal ended it. */
  ExitCode: number;
  /** Why the last start failed; empty if it did not. */
  Error: string;
  /** RFC 3339 with nanoseconds; `0001-01-01T00:00:00Z` for never. */
  StartedAt: string;
  /** RFC 3339, as `StartedAt`. */
  FinishedAt: string;
  /** Absent without a health check. */
  Health?: Health;
}

/** `.State.Health`. */
export interface Health {
  /** `starting` until the first success or too many failures. */
  Status: "starting" | "healthy" | "unhealthy" | "none";
  /** Failures since the last success. */
  FailingStreak: number;
  /** The last five probes, oldest first. */
  Log: HealthResult[];
}

/** One probe's result. */
export interface HealthResult {
  /** RFC 3339 with nanoseconds. */
  Start: string;
  /** RFC 3339 with nanoseconds. */
  End: string;
  /** 0 healthy, 1 unhealthy, -1 if the probe ran out of time. */
  ExitCode: number;
  /** The probe's stdout and stderr, up to 4096 bytes. */
  Output: string;
}

/** `docker inspect` of a container, whole. */
export interface ContainerInspect {
  /** 64 hex digits. */
  Id: string;
  /** RFC 3339 with nanoseconds. */
  Created: string;
  /** The program. */
  Path: string;
  /** Its arguments. */
  Args: string[];
  /** What it is doing. */
  State: ContainerState;
  /** The image's id, `sha256:...`. */
  Image: string;
  /** Its resolv.conf on the host. */
  ResolvConfPath: string;
  /** Its /etc/hostname on the host. */
  HostnamePath: string;
  /** Its /etc/hosts on the host. */
  HostsPath: string;
  /** Its log on the host. */
  LogPath: string;
  /** With the leading slash. */
  Name: string;
  /** How often the restart policy has started it again. */
  RestartCount: number;
  /** What its root file system is made with: `overlay2`. */
  Driver: string;
  /** The operating system: `linux`. */
  Platform: string;
  /** SELinux label of its files; empty without SELinux. */
  MountLabel: string;
  /** SELinux label of its processes; empty without SELinux. */
  ProcessLabel: string;
  /** AppArmor profile; empty without AppArmor. */
  AppArmorProfile: string;
  /** Other commands that run in it; null for none. */
  ExecIDs: string[] | null;
  /** The machine-dependent half of its settings. */
  HostConfig: HostConfig;
  /** Where its layers are. */
  GraphDriver: { Data: Record<string, string> | null; Name: string };
  /** Bytes it has written; with `--size`. */
  SizeRw?: number;
  /** Bytes of all its files; with `--size`. */
  SizeRootFs?: number;
  /** What is mounted in it. */
  Mounts: MountPoint[];
  /** The portable half of its settings. */
  Config: ContainerConfig;
  /** Its networks. */
  NetworkSettings: NetworkSettings;
  /** Descriptor of the image's manifest. */
  ImageManifestDescriptor?: unknown;
}

/** `.NetworkSettings` of `docker inspect`. */
export interface NetworkSettings {
  /** Docker's leftover; always empty. */
  Bridge: string;
  /** Id of the network namespace. */
  SandboxID: string;
  /** The network namespace as a file. */
  SandboxKey: string;
  /** Published ports: `80/tcp` to addresses of the host, null if only exposed. */
  Ports: Record<string, { HostIp: string; HostPort: string }[] | null>;
  /** Docker's leftover; always false. */
  HairpinMode: boolean;
  /** Docker's leftover; always empty. */
  LinkLocalIPv6Address: string;
  /** Docker's leftover; always 0. */
  LinkLocalIPv6PrefixLen: number;
  /** Docker's leftover; always null. */
  SecondaryIPAddresses: unknown[] | null;
  /** Docker's leftover; always null. */
  SecondaryIPv6Addresses: unknown[] | null;
  /** As in `Networks`, of the default bridge network. */
  EndpointID: string;
  /** As in `Networks`, of the default bridge network. */
  Gateway: string;
  /** As in `Networks`, of the default bridge network. */
  GlobalIPv6Address: string;
  /** As in `Networks`, of the default bridge network. */
  GlobalIPv6PrefixLen: number;
  /** As in `Networks`, of the default bridge network. */
  IPAddress: string;
  /** As in `Networks`, of the default bridge network. */
  IPPrefixLen: number;
  /** As in `Networks`, of the default bridge network. */
  IPv6Gateway: string;
  /** As in `Networks`, of the default bridge network. */
  MacAddress: string;
  /** Each network it is attached to, by name. */
  Networks: Record<string, EndpointSettings>;
}

/** One row of `GET /containers/json`. */
export interface ContainerSummary {
  /** 64 hex digits. */
  Id: string;
  /** With leading slashes. */
  Names: string[];
  /** The image as it was named, or its id if that name is another image's now. */
  Image: string;
  /** The image's id, `sha256:...`. */
  ImageID: string;
  /** Program and arguments, joined with spaces. */
  Command: string;
  /** Unix seconds. */
  Created: number;
  /** Exposed and published ports. */
  Ports: { IP?: string; PrivatePort: number; PublicPort?: number; Type: string }[];
  /** Bytes it has written; with `--size`. */
  SizeRw?: number;
  /** Bytes of all its files; with `--size`. */
  SizeRootFs?: number;
  /** Its labels. */
  Labels: Record<string, string>;
  /** The status word. */
  State: ContainerStatus;
  /** `Up 3 minutes (healthy)`. */
  Status: string;
  /** Only its network mode. */
  HostConfig: { NetworkMode: string };
  /** Only its networks, by name. */
  NetworkSettings: { Networks: Record<string, EndpointSettings> };
  /** What is mounted in it. */
  Mounts: MountPoint[];
}

/** Body of `POST /containers/{id}/exec`. */
export interface ExecConfig {
  /** `--interactive`. */
  AttachStdin: boolean;
  /** Whether its stdout is wanted. */
  AttachStdout: boolean;
  /** Whether its stderr is wanted. */
  AttachStderr: boolean;
  /** `--detach-keys`: `ctrl-p,ctrl-q`. */
  DetachKeys?: string;
  /** `--tty`: stdin, stdout and stderr are one terminal. */
  Tty: boolean;
  /** `--env`, on top of the container's. */
  Env: string[];
  /** Program and arguments. */
  Cmd: string[];
  /** `--privileged`. */
  Privileged: boolean;
  /** `--user`; empty for the container's. */
  User: string;
  /** `--workdir`; empty for the container's. */
  WorkingDir: string;
  /** Rows and columns of the terminal. */
  ConsoleSize?: [number, number];
}

/** One line of `GET /events`. */
export interface EventMessage {
  /** What something happened to. */
  Type: "container" | "image" | "volume" | "network" | "daemon" | "builder";
  /** What happened: `create`, `start`, `die`, ... */
  Action: string;
  /** Whom it happened to, and with which values. */
  Actor: { ID: string; Attributes: Record<string, string> };
  /** Always `local`: not from a swarm. */
  scope: "local";
  /** Unix seconds. */
  time: number;
  /** Unix nanoseconds, as far as a number can hold them. */
  timeNano: number;
  /** Docker's older names of Action, ID and the image. */
  status?: string;
  /** As `Actor.ID`. */
  id?: string;
  /** The container's image. */
  from?: string;
}
