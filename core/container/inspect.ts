/**
 * `docker inspect` of a container: docker's whole shape from a record and a state.
 *
 * @module
 */
import { STORAGE_DRIVER_NAMES } from "../store/storage_driver.ts";
import { formatTimestamp, ZERO_TIMESTAMP } from "../lib/timestamp.ts";
import type {
  ContainerConfig,
  ContainerInspect,
  ContainerState,
  EndpointSettings,
  HostConfig,
  MountPoint,
  NetworkSettings,
} from "../spec/docker_api.ts";
import { pseudoEndpointId } from "./network_users.ts";
import type { ContainerRecord } from "./record.ts";
import { isRunning, type State } from "./state.ts";

/** What `inspect` shows beside record and state. */
export interface InspectOptions {
  /** The container's directory. */
  directory: string;
  /** Directories of the unpacked layers, topmost first. */
  lowerDirs?: readonly string[];
  /** Its endpoints, by the name of the network. */
  networks?: Record<string, EndpointSettings>;
  /** Exposed and published ports. */
  ports?: NetworkSettings["Ports"];
  /** With `--size`: bytes of the container's own changes, and with the image's. */
  size?: { rw: number; rootFs: number };
}

/** A container, whole; keys in docker's order. */
export function inspectContainer(
  record: ContainerRecord,
  state: State,
  options: InspectOptions,
): ContainerInspect {
  const { config, hostConfig } = record;
  const { directory, lowerDirs = [], size } = options;
  const [path = "", ...args] = [...config.Entrypoint ?? [], ...config.Cmd ?? []];
  return {
    Id: record.id,
    Created: formatTimestamp(BigInt(record.createdNs)),
    Path: path,
    Args: args,
    State: containerState(state),
    Image: record.image.id,
    ResolvConfPath: `${directory}/resolv.conf`,
    HostnamePath: `${directory}/hostname`,
    HostsPath: `${directory}/hosts`,
    LogPath: hostConfig.LogConfig.Type === "none" ? "" : `${directory}/log`,
    Name: `/${record.name}`,
    RestartCount: state.restartCount,
    Driver: STORAGE_DRIVER_NAMES[record.storage ?? "overlay"],
    Platform: record.image.os || "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: state.stored.execIds?.length ? state.stored.execIds : null,
    HostConfig: orderHostConfig({ ...hostConfig, Links: shownLinks(record) }),
    GraphDriver: {
      Data: {
        ID: record.id,
        LowerDir: lowerDirs.join(":"),
        MergedDir: `${directory}/rootfs`,
        UpperDir: `${directory}/upper`,
        WorkDir: `${directory}/work`,
      },
      Name: STORAGE_DRIVER_NAMES[record.storage ?? "overlay"],
    },
    ...size === undefined ? {} : { SizeRw: size.rw, SizeRootFs: size.rootFs },
    Mounts: [...record.mounts, ...tmpfsMounts(hostConfig)],
    Config: orderConfig(config),
    NetworkSettings: networkSettings(record, state, options.networks ?? {}, options.ports ?? {}),
  };
}

/** Docker's booleans beside the one word. */
function containerState(state: State): ContainerState {
  const { status, health } = state;
  return {
    Status: status,
    Running: isRunning(status) || status === "restarting",
    Paused: status === "paused",
    Restarting: status === "restarting",
    OOMKilled: state.oomKilled,
    Dead: status === "dead",
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: formatTimestamp(state.startedAt),
    FinishedAt: status === "created" ? ZERO_TIMESTAMP : formatTimestamp(state.finishedAt),
    ...health === undefined ? {} : { Health: health },
  };
}

/** `--mount type=tmpfs` is listed, `--tmpfs` is not. */
function tmpfsMounts(hostConfig: HostConfig): MountPoint[] {
  return (hostConfig.Mounts ?? []).filter((spec) => spec.Type === "tmpfs").map((spec) => ({
    Type: "tmpfs",
    Source: "",
    Destination: spec.Target,
    Mode: "",
    RW: !spec.ReadOnly,
    Propagation: "",
  }));
}

/** Go leaves these fields out where they are empty. */
function orderConfig(config: ContainerConfig): ContainerConfig {
  const { ExposedPorts, Healthcheck, ArgsEscaped, NetworkDisabled, MacAddress } = config;
  return {
    Hostname: config.Hostname,
    Domainname: config.Domainname,
    User: config.User,
    AttachStdin: config.AttachStdin,
    AttachStdout: config.AttachStdout,
    AttachStderr: config.AttachStderr,
    ...Object.keys(ExposedPorts ?? {}).length > 0 ? { ExposedPorts: sorted(ExposedPorts!) } : {},
    Tty: config.Tty,
    OpenStdin: config.OpenStdin,
    StdinOnce: config.StdinOnce,
    Env: config.Env?.length ? config.Env : null as unknown as string[],
    Cmd: config.Cmd?.length ? config.Cmd : null,
    ...Healthcheck ? { Healthcheck } : {},
    ...ArgsEscaped ? { ArgsEscaped } : {},
    Image: config.Image,
    Volumes: Object.keys(config.Volumes ?? {}).length > 0 ? sorted(config.Volumes!) : null,
    WorkingDir: config.WorkingDir,
    Entrypoint: config.Entrypoint?.length ? config.Entrypoint : null,
    ...NetworkDisabled ? { NetworkDisabled } : {},
    ...MacAddress ? { MacAddress } : {},
    OnBuild: config.OnBuild?.length ? config.OnBuild : null,
    Labels: sorted(config.Labels ?? {}),
    ...config.StopSignal ? { StopSignal: config.StopSignal } : {},
    ...config.StopTimeout === undefined ? {} : { StopTimeout: config.StopTimeout },
    ...config.Shell?.length ? { Shell: config.Shell } : {},
  };
}

const HOST_CONFIG_ORDER =
  ("Binds ContainerIDFile LogConfig NetworkMode PortBindings RestartPolicy " +
    "AutoRemove VolumeDriver VolumesFrom ConsoleSize Annotations CapAdd CapDrop CgroupnsMode Dns " +
    "DnsOptions DnsSearch ExtraHosts GroupAdd IpcMode Cgroup Links OomScoreAdj PidMode Privileged " +
    "PublishAllPorts ReadonlyRootfs SecurityOpt StorageOpt Tmpfs UTSMode UsernsMode ShmSize Sysctls " +
    "Runtime Isolation CpuShares Memory NanoCpus CgroupParent BlkioWeight BlkioWeightDevice " +
    "BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps CpuPeriod " +
    "CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpusetCpus CpusetMems Devices DeviceCgroupRules " +
    "DeviceRequests MemoryReservation MemorySwap MemorySwappiness OomKillDisable PidsLimit Ulimits " +
    "CpuCount CpuPercent IOMaximumIOps IOMaximumBandwidth Mounts MaskedPaths ReadonlyPaths Init")
    .split(" ") as (keyof HostConfig)[];

/** Maps, which Go writes by key. */
const MAPS = new Set<keyof HostConfig>([
  "Annotations",
  "PortBindings",
  "StorageOpt",
  "Sysctls",
  "Tmpfs",
]);

/** Go leaves these out where they are empty; all others it shows. */
const OMIT_EMPTY = new Set<keyof HostConfig>([
  "Annotations",
  "StorageOpt",
  "Tmpfs",
  "Sysctls",
  "Mounts",
  "Init",
]);

function orderHostConfig(hostConfig: HostConfig): HostConfig {
  const entries = HOST_CONFIG_ORDER.flatMap((key) => {
    const value = hostConfig[key];
    if (OMIT_EMPTY.has(key) && isEmpty(value)) return [];
    return [[
      key,
      value && MAPS.has(key) ? sorted(value as Record<string, unknown>) : value ?? null,
    ]];
  });
  return Object.fromEntries(entries);
}

/** The same by key, as Go writes maps. */
function sorted<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => a < b ? -1 : 1));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** As docker keeps them: `/db:/web/data`. */
function shownLinks({ name, hostConfig }: ContainerRecord): string[] | null {
  return hostConfig.Links?.map((link) => {
    const [target, alias = target] = link.split(":");
    return `/${target}:/${name}/${alias}`;
  }) ?? null;
}

/** The fields at the top are those of the default bridge network. */
function networkSettings(
  record: ContainerRecord,
  state: State,
  networks: Record<string, EndpointSettings>,
  ports: NetworkSettings["Ports"],
): NetworkSettings {
  const { bridge } = networks;
  const sharesNamespace = record.hostConfig.NetworkMode.startsWith("container:");
  const isOwn = state.pid > 0 && !sharesNamespace;
  return {
    Bridge: "",
    SandboxID: isOwn ? pseudoEndpointId(record.id, `sandbox/${state.startedAt}`) : "",
    SandboxKey: isOwn ? `/proc/${state.pid}/ns/net` : "",
    Ports: ports,
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.EndpointID ?? "",
    Gateway: bridge?.Gateway ?? "",
    GlobalIPv6Address: bridge?.GlobalIPv6Address ?? "",
    GlobalIPv6PrefixLen: bridge?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge?.IPAddress ?? "",
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: bridge?.IPv6Gateway ?? "",
    MacAddress: bridge && state.pid > 0 ? bridge.MacAddress : "",
    Networks: networks,
  };
}
