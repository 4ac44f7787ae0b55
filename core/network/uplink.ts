/**
 * The way out of the router namespace: pasta or slirp4netns, whichever is installed.
 *
 * @see pasta(1), slirp4netns(1)
 * @module
 */
import { isWritable } from "../../ffi/access.ts";
import { isThere } from "../host/stat.ts";
import { DhowError } from "../errors.ts";

/** The uplink's interface in the router namespace. */
export const UPLINK_INTERFACE = "tap0";

/** Stands for `/proc/PID/` of a process in the router's namespaces. */
export const ANCHOR = "/proc/ANCHOR/";

/** A program to run, and what it makes of the router namespace. */
export interface Uplink {
  kind: "pasta" | "slirp4netns";
  /** The program's path, then its arguments. */
  command: string[];
  /** The router's address on the way out. */
  address: string;
  /** Where packets go; where it is asked for, also the host's loopback interface. */
  gateway: string;
  /** Answers DNS by asking the host's resolvers, where those are on its loopback interface only. */
  nameServer?: string;
}

/** What the uplink is to be like. */
export interface UplinkOptions {
  /** Whether the gateway's address leads to services on the host's loopback interface. */
  hostLoopback: boolean;
  /** Where it is to write its pid. */
  pidFile: string;
}

const TUN = "/dev/net/tun";
const DIRECTORIES = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];

/** A program by its name: in PATH, and where administrators' programs are. */
export function findProgram(name: string): string | undefined {
  const path = (Deno.env.get("PATH") ?? "").split(":").filter((entry) => entry.startsWith("/"));
  for (const directory of [...path, ...DIRECTORIES]) {
    const file = `${directory}/${name}`;
    if (isThere(file)) return file;
  }
  return undefined;
}

/**
 * pasta where it is installed, else slirp4netns; or the one that `DHOW_UPLINK` names.
 *
 * pasta of before June 2023 gives connections that are closed from both ends at once some bytes twice, or never ends
 * them: where that is all there is, slirp4netns goes first.
 *
 * @throws {DhowError} `unsupported` if neither is installed; says which packages have them.
 */
export async function chooseUplink(options: UplinkOptions): Promise<Uplink> {
  assertTun();
  const wanted = Deno.env.get("DHOW_UPLINK");
  const pasta = wanted === "slirp4netns" ? undefined : findProgram("pasta");
  const slirp = wanted === "pasta" ? undefined : findProgram("slirp4netns");
  if (pasta !== undefined && (slirp === undefined || await isSound(pasta))) {
    return pastaUplink(pasta, options);
  }
  if (slirp !== undefined) return slirpUplink(slirp, options);
  throw new DhowError(
    "unsupported",
    "Cannot connect containers to the network: neither pasta nor slirp4netns is installed (packages passt, slirp4netns); --network none and --network host work without",
  );
}

/** Both need the device that makes interfaces. */
function assertTun(): void {
  const isThereAtAll = isThere(TUN);
  if (isThereAtAll && isWritable(TUN)) return;
  const why = isThereAtAll
    ? `${TUN} may not be opened (chmod 666 ${TUN})`
    : `there is no ${TUN} (modprobe tun; for a container around dhow: --device ${TUN})`;
  throw new DhowError(
    "unsupported",
    `Cannot connect containers to the network: ${why}; --network none and --network host work without`,
  );
}

/** The first version of pasta to trust, as its day. */
const SOUND_SINCE = 20230601;

/** Whether this pasta says that it is new enough: `pasta 2024_06_07.8a83b53`, `0.0~git20230627`. */
async function isSound(pasta: string): Promise<boolean> {
  const { stdout } = await new Deno.Command(pasta, {
    args: ["--version"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  const [day] = new TextDecoder().decode(stdout).match(/20\d\d_?\d\d_?\d\d/) ?? [];
  return day !== undefined && Number(day.replaceAll("_", "")) >= SOUND_SINCE;
}

function pastaUplink(program: string, options: UplinkOptions): Uplink {
  const address = "169.254.211.2", gateway = "169.254.211.1", nameServer = "169.254.211.53";
  const forwards = isResolverLocal();
  const command = [
    program,
    "--foreground",
    "--quiet",
    "--config-net",
    ...["--userns", `${ANCHOR}ns/user`],
    ...["--netns", `${ANCHOR}ns/net`],
    "--no-netns-quit",
    ...["--ns-ifname", UPLINK_INTERFACE],
    ...["--address", address],
    ...["--netmask", "255.255.255.0"],
    ...["--gateway", gateway],
    ...["--mtu", "65520"],
    // Only where it must be: pasta then takes every answer of the host's resolver for one of this address.
    ...forwards ? ["--dns-forward", nameServer] : [],
    ...["--pid", options.pidFile],
    ...options.hostLoopback ? [] : ["--no-map-gw"],
    ...["-t", "none", "-u", "none", "-T", "none", "-U", "none"],
  ];
  return { kind: "pasta", command, address, gateway, ...forwards && { nameServer } };
}

/** Whether all of the host's resolvers are on its loopback interface, as systemd-resolved is. */
function isResolverLocal(): boolean {
  let text = "";
  try {
    text = Deno.readTextFileSync("/etc/resolv.conf");
  } catch { /* then resolvers are looked for at localhost: resolv.conf(5) */ }
  const servers = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1]!);
  return servers.every((server) => /^(127\.|::1$)/.test(server));
}

function slirpUplink(program: string, options: UplinkOptions): Uplink {
  const command = [
    program,
    "--configure",
    "--mtu=65520",
    ...options.hostLoopback ? [] : ["--disable-host-loopback"],
    `--userns-path=${ANCHOR}ns/user`,
    "--netns-type=path",
    `${ANCHOR}ns/net`,
    UPLINK_INTERFACE,
  ];
  return {
    kind: "slirp4netns",
    command,
    address: "10.0.2.100",
    gateway: "10.0.2.2",
    nameServer: "10.0.2.3",
  };
}
