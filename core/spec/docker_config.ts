/**
 * Wire types of the Docker Engine API (1.51), as published: what a container is made of.
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
