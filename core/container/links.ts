/**
 * `--link`: what a container is told of the containers it is linked to. On the default bridge those are lines of its hosts
 * file and environment variables; on other networks only a name.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { endpointRequests, readEndpoints } from "./endpoints.ts";
import { containerDirectory, type ContainerRecord, findContainer, readRecord } from "./record.ts";
import { isRunning, readState } from "./state.ts";

/** What a container learns of those it is linked to. */
export interface Links {
  /** Lines of its hosts file. */
  hosts: string[];
  /** Of its environment. */
  env: string[];
}

/**
 * What the links of a container about to start come to.
 *
 * @throws {DhowError} `conflict` if a container linked to on the default bridge does not run, in docker's words.
 */
export function resolveLinks(paths: StorePaths, record: ContainerRecord): Links {
  const links: Links = { hosts: [], env: [] };
  for (const link of record.hostConfig.Links ?? []) {
    const [name, alias = name] = link.split(":") as [string, string?];
    const target = readRecord(paths, findContainer(paths, name));
    const address = addressOf(paths, target, "bridge");
    if (address === undefined) {
      throw new DhowError(
        "conflict",
        `Cannot link to a non running container: /${target.name} AS /${record.name}/${alias}`,
      );
    }
    const names = [alias, target.config.Hostname, ...alias === target.name ? [] : [target.name]];
    links.hosts.push(`${address}\t${names.join(" ")}`);
    links.env.push(...linkEnvironment(record, alias, { target, address }));
  }
  links.hosts.push(...aliasHosts(paths, record));
  return links;
}

/** Who is not there yet has no line. */
function aliasHosts(paths: StorePaths, record: ContainerRecord): string[] {
  const requests = Object.entries(endpointRequests(paths, record));
  return requests.flatMap(([network, { links = [] }]) =>
    links.flatMap((link) => {
      const [name, alias = name] = link.split(":") as [string, string?];
      try {
        const target = readRecord(paths, findContainer(paths, name));
        const address = addressOf(paths, target, network);
        return address === undefined ? [] : [`${address}\t${alias}`];
      } catch (error) {
        if (error instanceof DhowError) return [];
        throw error;
      }
    })
  );
}

/** The address of a running container in a network. */
function addressOf(
  paths: StorePaths,
  { id }: ContainerRecord,
  network: string,
): string | undefined {
  if (!isRunning(readState(containerDirectory(paths, id)).status)) return undefined;
  const endpoint = readEndpoints(paths, id).find((one) => one.network === network);
  return endpoint?.ipv4 ?? endpoint?.ipv6;
}

/** Docker's variables: where each exposed port is, and the other's own variables. */
function linkEnvironment(
  record: ContainerRecord,
  alias: string,
  { target, address }: { target: ContainerRecord; address: string },
): string[] {
  const prefix = alias.replaceAll("-", "_").toUpperCase();
  const ports = Object.keys(target.config.ExposedPorts ?? {}).map((port) => {
    const [number, protocol = "tcp"] = port.split("/") as [string, string?];
    return { number, protocol, url: `${protocol}://${address}:${number}` };
  }).sort(tcpFirst);
  return [
    ...ports.slice(0, 1).map(({ url }) => `${prefix}_PORT=${url}`),
    ...ports.flatMap(({ number, protocol, url }) => {
      const name = `${prefix}_PORT_${number}_${protocol.toUpperCase()}`;
      return [
        `${name}=${url}`,
        `${name}_ADDR=${address}`,
        `${name}_PORT=${number}`,
        `${name}_PROTO=${protocol}`,
      ];
    }),
    `${prefix}_NAME=/${record.name}/${alias}`,
    ...(target.config.Env ?? []).filter((variable) => !/^(HOME|PATH)=/.test(variable))
      .map((variable) => `${prefix}_ENV_${variable}`),
  ];
}

interface Port {
  number: string;
  protocol: string;
}

function tcpFirst(a: Port, b: Port): number {
  return Number(b.protocol === "tcp") - Number(a.protocol === "tcp") ||
    Number(a.number) - Number(b.number);
}
