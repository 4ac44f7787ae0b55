/**
 * A container's own /etc/hosts, /etc/hostname and /etc/resolv.conf.
 *
 * @module
 */
import type { ContainerRecord } from "./record.ts";

const LOOPBACK = "127.0.0.1\tlocalhost\n";
const IPV6 = [
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::\tip6-localnet",
  "ff00::\tip6-mcastprefix",
  "ff02::1\tip6-allnodes",
  "ff02::2\tip6-allrouters",
].join("\n") + "\n";

/** What the files need to know beside the record. */
export interface NetworkFacts {
  /** The container's addresses. */
  addresses?: readonly string[];
  /** The host, as the container reaches it: what `host-gateway` and host.docker.internal stand for. */
  hostGateway?: string;
  /** Asks the host's resolvers, where they are on the host's loopback interface. */
  nameServer?: string;
  /** The name server of a user-defined network. */
  namesAt?: string;
  /** Lines of the hosts file for containers it is linked to. */
  links?: readonly string[];
}

/** Writes the files of a container about to start. With `--network host` they are the host's own. */
export function writeNetworkFiles(
  directory: string,
  record: ContainerRecord,
  facts: NetworkFacts = {},
): void {
  const { config, hostConfig } = record;
  Deno.writeTextFileSync(`${directory}/hostname`, `${config.Hostname}\n`);
  const usesHost = hostConfig.NetworkMode === "host";
  const hosts = usesHost ? readHost("/etc/hosts") : hostsFile(record, facts);
  Deno.writeTextFileSync(`${directory}/hosts`, hosts + extraHosts(record, facts));
  Deno.writeTextFileSync(`${directory}/resolv.conf`, resolvConf(record, facts));
}

/** Adds an address to the hosts file of a running container, or takes it out. The file is mounted, so it is rewritten. */
export function changeHosts(
  directory: string,
  { config }: ContainerRecord,
  change: { add?: readonly string[]; remove?: readonly string[] },
): void {
  const path = `${directory}/hosts`;
  const gone = change.remove ?? [];
  const kept = Deno.readTextFileSync(path).split("\n")
    .filter((line) => !gone.includes(line.split("\t")[0]!)).join("\n");
  const added = (change.add ?? []).map((address) => `${address}\t${hostNames(config)}\n`);
  Deno.writeTextFileSync(path, kept + added.join(""));
}

/** Rewrites the resolv.conf of a running container whose networks have changed, unless somebody else has changed it. */
export function changeResolvConf(
  directory: string,
  record: ContainerRecord,
  before: NetworkFacts,
  now: NetworkFacts,
): void {
  const path = `${directory}/resolv.conf`;
  if (Deno.readTextFileSync(path) !== resolvConf(record, before)) return;
  Deno.writeTextFileSync(path, resolvConf(record, now));
}

function hostNames({ Hostname, Domainname }: ContainerRecord["config"]): string {
  return Domainname ? `${Hostname}.${Domainname} ${Hostname}` : Hostname;
}

/** The names by which containers reach services on the host. */
const HOST_NAMES = "host.docker.internal host.containers.internal";

function hostsFile(
  { config }: ContainerRecord,
  { addresses = [], hostGateway, links = [] }: NetworkFacts,
): string {
  const linked = links.map((line) => `${line}\n`).join("");
  const own = addresses.map((address) => `${address}\t${hostNames(config)}\n`).join("");
  const host = hostGateway === undefined ? "" : `${hostGateway}\t${HOST_NAMES}\n`;
  return LOOPBACK + IPV6 + linked + own + host;
}

function extraHosts({ hostConfig }: ContainerRecord, { hostGateway }: NetworkFacts): string {
  return (hostConfig.ExtraHosts ?? []).map((entry) => {
    const separator = entry.search(/[:=]/);
    const name = entry.slice(0, separator), ip = entry.slice(separator + 1);
    return `${ip === "host-gateway" ? hostGateway ?? "127.0.0.1" : ip}\t${name}\n`;
  }).join("");
}

/** The host's resolvers, unless told otherwise. Those on the host's loopback interface are asked through the uplink. */
function resolvConf(
  { hostConfig }: ContainerRecord,
  { addresses, nameServer, namesAt }: NetworkFacts,
): string {
  const host = readHost("/etc/resolv.conf");
  const { Dns, DnsSearch, DnsOptions } = hostConfig;
  const words = (keyword: string) =>
    host.split("\n").map((line) => line.trim().split(/\s+/))
      .filter((parts) => parts[0] === keyword).flatMap((parts) => parts.slice(1));
  if (namesAt !== undefined) {
    const search = DnsSearch?.length
      ? DnsSearch.filter((domain) => domain !== ".")
      : words("search");
    const options = DnsOptions?.length ? DnsOptions : words("options");
    const own = options.some((option) => option.startsWith("ndots:"))
      ? options
      : [...options, "ndots:0"];
    return [
      `nameserver ${namesAt}`,
      ...search.length > 0 ? [`search ${search.join(" ")}`] : [],
      `options ${own.join(" ")}`,
    ].join("\n") + "\n";
  }
  const known = words("nameserver");
  const reachable = addresses === undefined
    ? known
    : known.filter((server) => !/^(127\.|::1$)/.test(server));
  if (
    !Dns?.length && !DnsSearch?.length && !DnsOptions?.length && reachable.length === known.length
  ) return host;
  if (reachable.length === 0 && nameServer !== undefined) reachable.push(nameServer);
  const servers = Dns?.length ? Dns : reachable;
  const search = DnsSearch?.length ? DnsSearch.filter((domain) => domain !== ".") : words("search");
  const options = DnsOptions?.length ? DnsOptions : words("options");
  return [
    ...servers.map((server) => `nameserver ${server}`),
    ...search.length > 0 ? [`search ${search.join(" ")}`] : [],
    ...options.length > 0 ? [`options ${options.join(" ")}`] : [],
  ].join("\n") + "\n";
}

function readHost(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
