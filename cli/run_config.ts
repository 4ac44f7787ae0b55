/**
 * From the flags of `run` and `create` to the body of `POST /containers/create`, as docker's own client builds it.
 *
 * What docker leaves empty for the daemon to fill in is left empty for the engine.
 *
 * @module
 */
import { DEFAULT_HOST_CONFIG } from "../core/container/default_host_config.ts";
import { DhowError } from "../core/errors.ts";
import { parsePublish, type PortBindings } from "../core/network/port_spec.ts";
import { parseUsernsMode } from "../core/host/nested_ids.ts";
import type { ContainerConfig, ContainerCreate, HostConfig } from "../core/spec/docker_api.ts";
import { collectEnv, collectLabels } from "./env_file.ts";
import { parseUlimit } from "./flag_checks.ts";
import { flagName } from "./flags.ts";
import { toLimits } from "./limit_values.ts";
import { type NetworkFlags, readNetworkFlags } from "./network_flags.ts";
import type { CreateFlags } from "./run_flags.ts";
import * as values from "./run_values.ts";

/** Flags dhow knows and does not serve yet, with what they wait for. */
const UNSUPPORTED: Readonly<Record<string, readonly (keyof CreateFlags)[]>> = {
  "it needs a device driver of its own": ["gpus"],
  "dhow has one storage driver": ["storageOpt"],
  "there is no API socket yet": ["useApiSocket"],
};

/** What of the command line the request is made of. */
export interface RunArguments {
  flags: CreateFlags;
  given: (flag: keyof CreateFlags & string) => boolean;
  /** Image and command. */
  args: readonly string[];
}

/**
 * Builds the request.
 *
 * @throws {DhowError} `invalid_argument` in docker's words, `unsupported` for what is still to come.
 */
export function buildCreateRequest(run: RunArguments): ContainerCreate {
  const { flags, given } = run;
  assertNamespaceModes(flags);
  assertSupported(run);
  const network = readNetworkFlags(flags);
  const published = parsePublish(flags.publish);
  const hostConfig = toHostConfig(run, network, published);
  if (hostConfig.AutoRemove && !["", "no"].includes(hostConfig.RestartPolicy.Name)) {
    throw invalid("conflicting options: cannot specify both --restart and --rm");
  }
  const config = toConfig(run, published);
  if (network.macAddress !== "") config.MacAddress = network.macAddress;
  const request: ContainerCreate = { config, hostConfig };
  if (network.endpoints !== undefined) {
    request.networkingConfig = { EndpointsConfig: network.endpoints };
  }
  if (given("name")) request.name = flags.name;
  if (flags.platform !== "") request.platform = parsePlatform(flags.platform);
  return request;
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}

function assertNamespaceModes(flags: CreateFlags): void {
  const isContainer = (mode: string) => /^container:.+/.test(mode);
  if (!["", "host", "private"].includes(flags.pid) && !isContainer(flags.pid)) {
    throw invalid("--pid: invalid PID mode");
  }
  if (!["", "host", "private"].includes(flags.uts)) throw invalid("--uts: invalid UTS mode");
  parseUsernsMode(flags.userns);
  if (!["", "host", "private"].includes(flags.cgroupns)) {
    throw invalid("--cgroupns: invalid CGROUP mode");
  }
  if (!["always", "missing", "never"].includes(flags.pull)) {
    throw invalid(
      `invalid pull option: '${flags.pull}': must be one of "always", "missing" or "never"`,
    );
  }
}

function assertSupported({ flags, given }: RunArguments): void {
  for (const [why, names] of Object.entries(UNSUPPORTED)) {
    const name = names.find((name) => given(name));
    if (name !== undefined) throw unsupported(`--${flagName(name)} is not supported yet: ${why}`);
  }
  const { volumeDriver, runtime, isolation } = flags;
  if (!["", "local"].includes(volumeDriver)) {
    throw unsupported(`--volume-driver ${volumeDriver} is not supported: dhow has only "local"`);
  }
  if (!["", "runc", "dhow"].includes(runtime)) {
    throw unsupported(`--runtime ${runtime} is not supported: dhow starts containers itself`);
  }
  if (!["", "default"].includes(isolation)) {
    throw invalid(`invalid isolation ("${isolation}"): only "default" is supported on linux`);
  }
}

function unsupported(message: string): DhowError {
  return new DhowError("unsupported", message);
}

/** What docker knows of operating systems and architectures, as far as a bare word can name one. */
const PLATFORM_WORDS =
  /^(linux|windows|darwin|freebsd|amd64|x86_64|x86-64|arm64|aarch64|arm|armhf|armel|386|i386|ppc64le|s390x|riscv64|mips64le|loong64)$/;

function parsePlatform(text: string): string {
  const parts = text.toLowerCase().split("/");
  const fail = (why: string) =>
    invalid(`error parsing specified platform: ${JSON.stringify(text)}: ${why}: invalid argument`);
  if (parts.length > 3) throw fail("cannot parse platform specifier");
  if (parts.some((part) => !/^[a-z0-9_-]+$/.test(part))) throw fail("invalid component");
  if (parts.length === 1 && !PLATFORM_WORDS.test(parts[0]!)) {
    throw fail("unknown operating system or architecture");
  }
  return text.toLowerCase();
}

function toConfig(
  { flags, given, args }: RunArguments,
  published: PortBindings,
): ContainerConfig {
  const attached = flags.attach.length === 0 ? ["stdout", "stderr"] : flags.attach;
  const attachStdin = flags.interactive || attached.includes("stdin");
  const config: ContainerConfig = {
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    User: flags.user,
    AttachStdin: attachStdin,
    AttachStdout: attached.includes("stdout"),
    AttachStderr: attached.includes("stderr"),
    Tty: flags.tty,
    OpenStdin: flags.interactive,
    StdinOnce: flags.interactive && attachStdin,
    Env: collectEnv(flags.envFile, flags.env),
    Cmd: args.length > 1 ? args.slice(1) : null,
    Image: args[0]!,
    Volumes: null,
    WorkingDir: flags.workdir,
    Entrypoint: null,
    OnBuild: null,
    Labels: collectLabels(flags.labelFile, flags.label),
  };
  const { volumes } = values.splitVolumes(flags.volume);
  if (Object.keys(volumes).length > 0) config.Volumes = volumes;
  if (given("entrypoint")) config.Entrypoint = [flags.entrypoint];
  const ports = [...Object.keys(published), ...flags.expose.flatMap(values.parseExpose)];
  if (ports.length > 0) config.ExposedPorts = Object.fromEntries(ports.map((port) => [port, {}]));
  const healthcheck = values.toHealthcheck(flags);
  if (healthcheck !== undefined) config.Healthcheck = healthcheck;
  if (flags.stopSignal !== "") config.StopSignal = flags.stopSignal;
  if (given("stopTimeout")) config.StopTimeout = flags.stopTimeout;
  return config;
}

const orNull = <T>(list: T[]): T[] | null => list.length === 0 ? null : list;

function toHostConfig(
  { flags, given }: RunArguments,
  network: NetworkFlags,
  published: PortBindings,
): HostConfig {
  const { binds } = values.splitVolumes(flags.volume);
  const { rest: security, ...paths } = values.readPathOptions(flags.securityOpt);
  const config: HostConfig = {
    ...DEFAULT_HOST_CONFIG,
    Binds: orNull(binds),
    ContainerIDFile: flags.cidfile,
    LogConfig: values.parseLogConfig(flags.logDriver, flags.logOpt),
    NetworkMode: network.mode,
    PortBindings: published,
    RestartPolicy: values.parseRestartPolicy(flags.restart),
    AutoRemove: flags.rm,
    VolumeDriver: flags.volumeDriver,
    VolumesFrom: orNull(flags.volumesFrom),
    CapAdd: orNull(flags.capAdd),
    CapDrop: orNull(flags.capDrop),
    CgroupnsMode: flags.cgroupns,
    Dns: flags.dns,
    DnsOptions: flags.dnsOption,
    DnsSearch: flags.dnsSearch,
    ExtraHosts: orNull(flags.addHost),
    GroupAdd: orNull(flags.groupAdd),
    IpcMode: flags.ipc,
    Links: network.links,
    OomScoreAdj: flags.oomScoreAdj,
    PidMode: flags.pid === "private" ? "" : flags.pid,
    Privileged: flags.privileged,
    PublishAllPorts: flags.publishAll,
    ReadonlyRootfs: flags.readOnly,
    SecurityOpt: orNull(values.readSecurityOptions(security)),
    UTSMode: flags.uts === "private" ? "" : flags.uts,
    UsernsMode: flags.userns,
    ShmSize: flags.shmSize,
    Runtime: flags.runtime,
    Isolation: flags.isolation,
    Devices: flags.device.map(values.parseDevice),
    Ulimits: flags.ulimit.map(parseUlimit),
    ...paths,
    ...toLimits(flags, given),
  };
  if (given("annotation")) config.Annotations = flags.annotation;
  if (flags.tmpfs.length > 0) config.Tmpfs = values.toMap(flags.tmpfs, ":");
  if (given("sysctl")) config.Sysctls = flags.sysctl;
  const mounts = values.parseMounts(flags.mount);
  if (mounts.length > 0) config.Mounts = mounts;
  if (given("init")) config.Init = flags.init;
  return config;
}
