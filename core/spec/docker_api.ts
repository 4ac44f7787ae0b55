/**
 * Wire types of the Docker Engine API (1.51), as published: what `docker inspect`, `ps` and `create` speak.
 *
 * @see https://docs.docker.com/reference/api/engine/
 * @module
 */
import type { Healthcheck } from "./image.ts";

/** The portable half of a container's settings. */
export interface ContainerConfig {
  /** `--hostname`; empty for the short id. */
  Hostname: string;
  /** `--domainname`. */
  Domainname: string;
  /** `--user`: `name`, `uid`, `user:group`; empty for the image's, else root. */
  User: string;
  /** `--attach stdin`. */
  AttachStdin: boolean;
  /** `--attach stdout`. */
  AttachStdout: boolean;
  /** `--attach stderr`. */
  AttachStderr: boolean;
  /** `--expose`: `80/tcp` to `{}`. */
  ExposedPorts?: Record<string, Record<string, never>>;
  /** `--tty`: stdin, stdout and stderr are one terminal. */
  Tty: boolean;
  /** `--interactive`: stdin stays open while nobody is attached. */
  OpenStdin: boolean;
  /** Stdin closes when the first attached client leaves. */
  StdinOnce: boolean;
  /** `--env`: `NAME=value`, or `NAME` to take it away. */
  Env: string[];
  /** The command, or the entrypoint's arguments; null for the image's. */
  Cmd: string[] | null;
  /** `--health-cmd` and its kin; absent for the image's. */
  Healthcheck?: Healthcheck;
  /** Windows only: the command line is escaped already. */
  ArgsEscaped?: boolean;
  /** The image, as the user named it. */
  Image: string;
  /** Anonymous volumes: path in the container to `{}`. */
  Volumes: Record<string, Record<string, never>> | null;
  /** `--workdir`; empty for the image's, else `/`. */
  WorkingDir: string;
  /** `--entrypoint`; null for the image's, `[""]` for none. */
  Entrypoint: string[] | null;
  /** No network at all, not even loopback's setup. */
  NetworkDisabled?: boolean;
  /** `--mac-address`, where docker kept it before API 1.44. */
  MacAddress?: string;
  /** Instructions for builds on top of this image. */
  OnBuild: string[] | null;
  /** `--label`. */
  Labels: Record<string, string>;
  /** `--stop-signal`, a name or number. Absent for the image's, else `SIGTERM`. */
  StopSignal?: string;
  /** Seconds. */
  StopTimeout?: number;
  /** The shell of `RUN`, `CMD` and `ENTRYPOINT` in shell form. */
  Shell?: string[];
}

/** The machine-dependent half of a container's settings; every field `docker inspect` shows. */
export interface HostConfig {
  /** `--volume`: `/on/host:/in/container[:options]` or `name:/path[:options]`. */
  Binds: string[] | null;
  /** `--cidfile`, already written by the client. */
  ContainerIDFile: string;
  /** `--log-driver` and `--log-opt`. */
  LogConfig: { Type: string; Config: Record<string, string> };
  /** `--network`: `default`, `none`, `host`, `container:NAME` or a network's name. */
  NetworkMode: string;
  /** `--publish`: `80/tcp` to addresses of the host. */
  PortBindings: Record<string, { HostIp: string; HostPort: string }[]> | null;
  /** `--restart`: `no`, `always`, `unless-stopped` or `on-failure`, with its limit of tries. */
  RestartPolicy: { Name: string; MaximumRetryCount: number };
  /** `--rm`. */
  AutoRemove: boolean;
  /** `--volume-driver`. */
  VolumeDriver: string;
  /** `--volumes-from`: `NAME[:ro]`. */
  VolumesFrom: string[] | null;
  /** Rows and columns of the first terminal. */
  ConsoleSize: [number, number];
  /** `--annotation`, passed on to the runtime's configuration. */
  Annotations?: Record<string, string>;
  /** `--cap-add`; null for none. */
  CapAdd: string[] | null;
  /** `--cap-drop`; null for none. */
  CapDrop: string[] | null;
  /** `--cgroupns`: `private` or `host`; empty for the engine's default. */
  CgroupnsMode: string;
  /** `--dns`: addresses of name servers. */
  Dns: string[] | null;
  /** `--dns-option`: options of resolv.conf. */
  DnsOptions: string[] | null;
  /** `--dns-search`: domains to search. */
  DnsSearch: string[] | null;
  /** `--add-host`: `name:address`. */
  ExtraHosts: string[] | null;
  /** `--group-add`: names or ids. */
  GroupAdd: string[] | null;
  /** `--ipc`: `private`, `shareable`, `none`, `host` or `container:NAME`. */
  IpcMode: string;
  /** Docker's leftover of an option that joined another container's cgroup; always empty. */
  Cgroup: string;
  /** `--link`: `NAME:ALIAS`. */
  Links: string[] | null;
  /** `--oom-score-adj`: -1000 to 1000; the higher, the sooner it is killed for memory. */
  OomScoreAdj: number;
  /** `--pid`: empty for its own, `host` or `container:NAME`. */
  PidMode: string;
  /** `--privileged`. */
  Privileged: boolean;
  /** `--publish-all`. */
  PublishAllPorts: boolean;
  /** `--read-only`. */
  ReadonlyRootfs: boolean;
  /** `--security-opt`: `no-new-privileges`, `seccomp=FILE`, ... */
  SecurityOpt: string[] | null;
  /** `--storage-opt`. */
  StorageOpt?: Record<string, string>;
  /** `--tmpfs`: path to mount options. */
  Tmpfs?: Record<string, string>;
  /** `--uts`: empty for its own, or `host`. */
  UTSMode: string;
  /** `--userns`: empty or `host`. */
  UsernsMode: string;
  /** Bytes. */
  ShmSize: number;
  /** `--sysctl`: name to value. */
  Sysctls?: Record<string, string>;
  /** `--runtime`; empty for the engine's own. */
  Runtime: string;
  /** `--isolation`, Windows only. */
  Isolation: string;
  /** `--cpu-shares`: relative weight; 0 for the kernel's. */
  CpuShares: number;
  /** `--memory`, bytes; 0 for no limit. */
  Memory: number;
  /** `--cpus` times 10^9; 0 for no limit. */
  NanoCpus: number;
  /** `--cgroup-parent`. */
  CgroupParent: string;
  /** `--blkio-weight`: 10 to 1000; 0 for the kernel's. */
  BlkioWeight: number;
  /** `--blkio-weight-device`. */
  BlkioWeightDevice: { Path: string; Weight: number }[] | null;
  /** `--device-read-bps`, bytes a second. */
  BlkioDeviceReadBps: ThrottleDevice[] | null;
  /** `--device-write-bps`, bytes a second. */
  BlkioDeviceWriteBps: ThrottleDevice[] | null;
  /** `--device-read-iops`, operations a second. */
  BlkioDeviceReadIOps: ThrottleDevice[] | null;
  /** `--device-write-iops`, operations a second. */
  BlkioDeviceWriteIOps: ThrottleDevice[] | null;
  /** `--cpu-period`, microseconds; 0 for the kernel's. */
  CpuPeriod: number;
  /** `--cpu-quota`, microseconds of each period; 0 for no limit. */
  CpuQuota: number;
  /** `--cpu-rt-period`, microseconds. */
  CpuRealtimePeriod: number;
  /** `--cpu-rt-runtime`, microseconds of each period. */
  CpuRealtimeRuntime: number;
  /** `--cpuset-cpus`: `0-3,7`; empty for all. */
  CpusetCpus: string;
  /** `--cpuset-mems`: memory nodes; empty for all. */
  CpusetMems: string;
  /** `--device`. */
  Devices: DeviceMapping[] | null;
  /** `--device-cgroup-rule`: `c 1:3 rwm`. */
  DeviceCgroupRules: string[] | null;
  /** `--gpus` and other requests to device drivers. */
  DeviceRequests: unknown[] | null;
  /** `--memory-reservation`, bytes; 0 for none. */
  MemoryReservation: number;
  /** `--memory-swap`, bytes of memory and swap together; -1 for no limit, 0 for twice the memory. */
  MemorySwap: number;
  /** `--memory-swappiness`: 0 to 100; null for the kernel's. */
  MemorySwappiness: number | null;
  /** `--oom-kill-disable`. */
  OomKillDisable: boolean | null;
  /** `--pids-limit`; null, 0 or -1 for none. */
  PidsLimit: number | null;
  /** `--ulimit`. */
  Ulimits: Ulimit[] | null;
  /** `--cpu-count`, Windows only. */
  CpuCount: number;
  /** `--cpu-percent`, Windows only. */
  CpuPercent: number;
  /** `--io-maxiops`, Windows only. */
  IOMaximumIOps: number;
  /** `--io-maxbandwidth`, Windows only. */
  IOMaximumBandwidth: number;
  /** `--mount`. */
  Mounts?: MountSpec[];
  /** Paths hidden from the container; null for the default ones, `[]` for none. */
  MaskedPaths: string[] | null;
  /** Paths the container may only read; null for the default ones, `[]` for none. */
  ReadonlyPaths: string[] | null;
  /** `--init`: a small init as process 1 passes on signals and reaps. */
  Init?: boolean;
}

/** `--device-read-bps` and its kin. */
export interface ThrottleDevice {
  /** The block device on the host. */
  Path: string;
  /** Bytes or operations a second. */
  Rate: number;
}

/** `--device`. */
export interface DeviceMapping {
  /** The device on the host, or a directory of devices. */
  PathOnHost: string;
  /** Where the container sees it. */
  PathInContainer: string;
  /** Any of `r`, `w`, `m`. */
  CgroupPermissions: string;
}

/** `--ulimit`; -1 is unlimited. */
export interface Ulimit {
  /** As in ulimit.conf: `nofile`, `nproc`, `core`, ... */
  Name: string;
  /** The ceiling that the container cannot raise. */
  Hard: number;
  /** The limit it starts with. */
  Soft: number;
}

/** `--mount`, as HostConfig.Mounts keeps it. */
export interface MountSpec {
  /** What is mounted. */
  Type: "bind" | "volume" | "tmpfs" | "image";
  /** A path on the host, a volume's name or an image; absent for a tmpfs or an anonymous volume. */
  Source?: string;
  /** Where the container sees it, absolute. */
  Target: string;
  /** `readonly`. */
  ReadOnly?: boolean;
  /** `consistency`, for docker on macOS; without effect. */
  Consistency?: string;
  /** Only for `bind`: `bind-propagation`, `bind-recursive` and `bind-create-src`. */
  BindOptions?: {
    Propagation?: string;
    NonRecursive?: boolean;
    CreateMountpoint?: boolean;
    ReadOnlyNonRecursive?: boolean;
    ReadOnlyForceRecursive?: boolean;
  };
  /** Only for `volume`: `volume-nocopy`, `volume-label`, `volume-subpath`, `volume-driver` and `volume-opt`. */
  VolumeOptions?: {
    NoCopy?: boolean;
    Labels?: Record<string, string>;
    Subpath?: string;
    DriverConfig?: { Name?: string; Options?: Record<string, string> };
  };
  /** Only for `tmpfs`: `tmpfs-size` and `tmpfs-mode`. */
  TmpfsOptions?: { SizeBytes?: number; Mode?: number; Options?: string[][] };
  /** Only for `image`: `image-subpath`. */
  ImageOptions?: { Subpath?: string };
}

/** A mount as `docker inspect`'s `.Mounts` shows it, resolved. */
export interface MountPoint {
  /** What is mounted. */
  Type: "bind" | "volume" | "tmpfs" | "image";
  /** The volume's name. */
  Name?: string;
  /** Where it is on the host; empty for a tmpfs. */
  Source: string;
  /** Where the container sees it. */
  Destination: string;
  /** The volume's driver. */
  Driver?: string;
  /** Options as they were typed: `ro`, `z`, ... */
  Mode: string;
  /** Whether the container may write to it. */
  RW: boolean;
  /** `rprivate`, `rslave`, `rshared`, ...; empty where it does not apply. */
  Propagation: string;
}

/** One endpoint's settings of NetworkingConfig and NetworkSettings.Networks. */
export interface EndpointSettings {
  /** `--ip`, `--ip6` and `--link-local-ip`; null for whatever is free. */
  IPAMConfig: { IPv4Address?: string; IPv6Address?: string; LinkLocalIPs?: string[] } | null;
  /** `--link`, on this network. */
  Links: string[] | null;
  /** `--network-alias`. */
  Aliases: string[] | null;
  /** `--mac-address`; afterwards the one in use. */
  MacAddress: string;
  /** Options of the network's driver. */
  DriverOpts: Record<string, string> | null;
  /** The network with the highest value has the default route. */
  GwPriority: number;
  /** The network's id. */
  NetworkID: string;
  /** The id of this attachment; empty while the container does not run. */
  EndpointID: string;
  /** IPv4 address of the gateway. */
  Gateway: string;
  /** IPv4 address of the container. */
  IPAddress: string;
  /** Bits of the IPv4 network part. */
  IPPrefixLen: number;
  /** IPv6 address of the gateway. */
  IPv6Gateway: string;
  /** IPv6 address of the container. */
  GlobalIPv6Address: string;
  /** Bits of the IPv6 network part. */
  GlobalIPv6PrefixLen: number;
  /** Names under which others on the network find it. */
  DNSNames: string[] | null;
}

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

/** `docker image inspect`, whole. */
export interface ImageInspect {
  /** Digest of the image's config. */
  Id: string;
  /** Its tags: `busybox:latest`. */
  RepoTags: string[];
  /** Its names by digest: `busybox@sha256:...`. */
  RepoDigests: string[];
  /** The image it was built on, on this machine; empty if unknown. */
  Parent: string;
  /** `import --message`. */
  Comment: string;
  /** RFC 3339. */
  Created: string;
  /** The version that made it; empty if it does not say. */
  DockerVersion: string;
  /** Who made it. */
  Author: string;
  /** Go's name of the processor: `amd64`, `arm64`. */
  Architecture: string;
  /** Variant of the processor: `v7`. */
  Variant?: string;
  /** The operating system: `linux`. */
  Os: string;
  /** Bytes of its unpacked layers. */
  Size: number;
  /** Where its layers are. */
  GraphDriver: { Data: Record<string, string> | null; Name: string };
  /** DiffIDs of its layers, lowest first. */
  RootFS: { Type: "layers"; Layers: string[] };
  /** When it was tagged here; `0001-01-01T00:00:00Z` for never. */
  Metadata: { LastTagTime: string };
  /** How to run it: an `ImageRunConfig` with docker's extra fields. */
  Config: Record<string, unknown>;
}

/** One row of `GET /images/json`. */
export interface ImageSummary {
  /** Digest of the image's config. */
  Id: string;
  /** The image it was built on, on this machine; empty if unknown. */
  ParentId: string;
  /** Its tags: `busybox:latest`. */
  RepoTags: string[];
  /** Its names by digest: `busybox@sha256:...`. */
  RepoDigests: string[];
  /** Unix seconds. */
  Created: number;
  /** Bytes of its unpacked layers. */
  Size: number;
  /** Bytes it shares with other images; -1 if nobody counted. */
  SharedSize: number;
  /** Its labels. */
  Labels: Record<string, string> | null;
  /** How many containers use it; -1 if nobody counted. */
  Containers: number;
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
