/**
 * The flags of `run` and `create`, all that docker has.
 *
 * @module
 */
import { parseDuration } from "../core/lib/duration.ts";
import { parseBytes } from "../core/lib/units.ts";
import { parseMount } from "../core/volume/parse_mount.ts";
import * as checks from "./flag_checks.ts";
import type { FlagTable, FlagValues } from "./flags.ts";
import { checkNetwork } from "./network_flags.ts";

const duration = { type: "custom", hint: "duration", parse: parseDuration } as const;
const bytes = { type: "custom", hint: "bytes", parse: parseBytes } as const;
const swapBytes = {
  type: "custom",
  hint: "bytes",
  parse: (text: string) => text === "-1" ? -1 : parseBytes(text),
} as const;
const list = { type: "list" } as const;
const string = { type: "string" } as const;
const int = { type: "int" } as const;
const bool = { type: "bool" } as const;

/** Flags of `create`, which `run` has too. */
export const createFlags = {
  addHost: {
    ...list,
    help: "Add a custom host-to-IP mapping (host:ip)",
    check: checks.checkAddHost,
  },
  annotation: {
    type: "map",
    help: "Add an annotation to the container (passed through to the OCI runtime)",
  },
  attach: {
    ...list,
    short: "a",
    help: "Attach to STDIN, STDOUT or STDERR",
    check: checks.checkAttach,
  },
  blkioWeight: {
    type: "uint16",
    help: "Block IO (relative weight), between 10 and 1000, or 0 to disable",
  },
  blkioWeightDevice: { ...list, help: "Block IO weight (relative device weight)" },
  capAdd: { ...list, help: "Add Linux capabilities" },
  capDrop: { ...list, help: "Drop Linux capabilities" },
  cgroupParent: { ...string, help: "Optional parent cgroup for the container" },
  cgroupns: {
    ...string,
    help: "Cgroup namespace to use (host|private)\n" +
      "'host':    Run the container in the host's cgroup namespace\n" +
      "'private': Run the container in its own private cgroup namespace\n" +
      "'':        Use the default, private",
  },
  cidfile: { ...string, help: "Write the container ID to the file" },
  cpuPeriod: { ...int, help: "Limit CPU CFS (Completely Fair Scheduler) period" },
  cpuQuota: { ...int, help: "Limit CPU CFS (Completely Fair Scheduler) quota" },
  cpuRtPeriod: { ...int, help: "Limit CPU real-time period in microseconds" },
  cpuRtRuntime: { ...int, help: "Limit CPU real-time runtime in microseconds" },
  cpuShares: { ...int, short: "c", help: "CPU shares (relative weight)" },
  cpus: { ...string, hint: "decimal", help: "Number of CPUs", check: checks.checkDecimal },
  cpusetCpus: { ...string, help: "CPUs in which to allow execution (0-3, 0,1)" },
  cpusetMems: { ...string, help: "MEMs in which to allow execution (0-3, 0,1)" },
  device: { ...list, help: "Add a host device to the container" },
  deviceCgroupRule: { ...list, help: "Add a rule to the cgroup allowed devices list" },
  deviceReadBps: { ...list, help: "Limit read rate (bytes per second) from a device" },
  deviceReadIops: { ...list, help: "Limit read rate (IO per second) from a device" },
  deviceWriteBps: { ...list, help: "Limit write rate (bytes per second) to a device" },
  deviceWriteIops: { ...list, help: "Limit write rate (IO per second) to a device" },
  disableContentTrust: { ...bool, default: true, hidden: true, help: "Skip image verification" },
  dns: { ...list, help: "Set custom DNS servers", check: checks.checkIp },
  dnsOption: { ...list, aliases: ["dns-opt"], help: "Set DNS options" },
  dnsSearch: { ...list, help: "Set custom DNS search domains", check: checks.checkDnsSearch },
  domainname: { ...string, help: "Container NIS domain name" },
  entrypoint: { ...string, help: "Overwrite the default ENTRYPOINT of the image" },
  env: { ...list, short: "e", help: "Set environment variables", check: checks.checkEnv },
  envFile: { ...list, help: "Read in a file of environment variables" },
  expose: { ...list, help: "Expose a port or a range of ports" },
  gpus: {
    ...string,
    hint: "gpu-request",
    help: "GPU devices to add to the container ('all' to pass all GPUs)",
  },
  groupAdd: { ...list, help: "Add additional groups to join" },
  healthCmd: { ...string, help: "Command to run to check health" },
  healthInterval: { ...duration, help: "Time between running the check (ms|s|m|h)" },
  healthRetries: { ...int, help: "Consecutive failures needed to report unhealthy" },
  healthStartInterval: {
    ...duration,
    help: "Time between running the check during the start period (ms|s|m|h)",
  },
  healthStartPeriod: {
    ...duration,
    help:
      "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)",
  },
  healthTimeout: { ...duration, help: "Maximum time to allow one check to run (ms|s|m|h)" },
  hostname: { ...string, short: "h", help: "Container host name" },
  init: {
    ...bool,
    help: "Run an init inside the container that forwards signals and reaps processes",
  },
  interactive: { ...bool, short: "i", help: "Keep STDIN open even if not attached" },
  ip: { ...string, help: "IPv4 address (e.g., 172.30.100.104)" },
  ip6: { ...string, help: "IPv6 address (e.g., 2001:db8::33)" },
  ipc: { ...string, help: "IPC mode to use" },
  isolation: { ...string, help: "Container isolation technology" },
  kernelMemory: { ...bytes, hidden: true, help: "Kernel memory limit" },
  label: { ...list, short: "l", help: "Set meta data on a container", check: checks.checkLabel },
  labelFile: { ...list, help: "Read in a line delimited file of labels" },
  link: { ...list, help: "Add link to another container", check: checks.checkLink },
  linkLocalIp: { ...list, help: "Container IPv4/IPv6 link-local addresses", check: checks.checkIp },
  logDriver: { ...string, help: "Logging driver for the container" },
  logOpt: { ...list, help: "Log driver options" },
  macAddress: { ...string, help: "Container MAC address (e.g., 92:d0:c6:0a:29:33)" },
  memory: { ...bytes, short: "m", help: "Memory limit" },
  memoryReservation: { ...bytes, help: "Memory soft limit" },
  memorySwap: {
    ...swapBytes,
    help: "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
  },
  memorySwappiness: { ...int, default: -1, help: "Tune container memory swappiness (0 to 100)" },
  mount: {
    ...list,
    hint: "mount",
    help: "Attach a filesystem mount to the container",
    check: (text: string) => void parseMount(text, (path) => path),
  },
  name: { ...string, help: "Assign a name to the container" },
  network: {
    ...list,
    hint: "network",
    aliases: ["net"],
    check: checkNetwork,
    help: "Connect a container to a network",
  },
  networkAlias: {
    ...list,
    aliases: ["net-alias"],
    help: "Add network-scoped alias for the container",
  },
  noHealthcheck: { ...bool, help: "Disable any container-specified HEALTHCHECK" },
  oomKillDisable: { ...bool, help: "Disable OOM Killer" },
  oomScoreAdj: { ...int, help: "Tune host's OOM preferences (-1000 to 1000)" },
  pid: { ...string, help: "PID namespace to use" },
  pidsLimit: { ...int, help: "Tune container pids limit (set -1 for unlimited)" },
  platform: { ...string, help: "Set platform if the image is multi-platform" },
  privileged: { ...bool, help: "Give extended privileges to this container" },
  publish: { ...list, short: "p", help: "Publish a container's port(s) to the host" },
  publishAll: { ...bool, short: "P", help: "Publish all exposed ports to random ports" },
  pull: {
    ...string,
    default: "missing",
    help: 'Pull image before running ("always", "missing", "never")',
  },
  quiet: { ...bool, short: "q", help: "Suppress the pull output" },
  readOnly: { ...bool, help: "Mount the container's root filesystem as read only" },
  restart: { ...string, default: "no", help: "Restart policy to apply when a container exits" },
  rm: {
    ...bool,
    help: "Automatically remove the container and its associated anonymous volumes when it exits",
  },
  runtime: { ...string, help: "Runtime to use for this container" },
  securityOpt: { ...list, help: "Security Options" },
  shmSize: { ...bytes, help: "Size of /dev/shm" },
  stopSignal: { ...string, help: "Signal to stop the container" },
  stopTimeout: { ...int, help: "Timeout (in seconds) to stop a container" },
  storageOpt: { ...list, help: "Storage driver options for the container" },
  sysctl: { type: "map", help: "Sysctl options", check: checks.checkSysctl },
  tmpfs: { ...list, help: "Mount a tmpfs directory" },
  tty: { ...bool, short: "t", help: "Allocate a pseudo-TTY" },
  ulimit: {
    ...list,
    hint: "ulimit",
    help: "Ulimit options",
    check: (text: string) => void checks.parseUlimit(text),
  },
  useApiSocket: { ...bool, help: "Bind mount Docker API socket and required auth" },
  user: {
    ...string,
    short: "u",
    help: "Username or UID (format: <name|uid>[:<group|gid>])",
  },
  userns: {
    ...string,
    help: "User namespace to use (host|keep-id[:uid=,gid=]|nomap|auto[:size=])\n" +
      "'host':    The one that containers share, with the caller as root\n" +
      "'keep-id': One in which the caller keeps its ids\n" +
      "'nomap':   One in which the caller has no place\n" +
      "'auto':    One with ids that no other container has",
  },
  uts: { ...string, help: "UTS namespace to use" },
  volume: { ...list, short: "v", help: "Bind mount a volume" },
  volumeDriver: { ...string, help: "Optional volume driver for the container" },
  volumesFrom: { ...list, help: "Mount volumes from the specified container(s)" },
  workdir: { ...string, short: "w", help: "Working directory inside the container" },
} as const satisfies FlagTable;

/** Values of the flags `run` and `create` share. */
export type CreateFlags = FlagValues<typeof createFlags>;
