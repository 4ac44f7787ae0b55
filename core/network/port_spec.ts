/**
 * Ports as they are asked for: `-p`, in all of docker's forms, and what a container's settings make of it.
 *
 * @see https://docs.docker.com/engine/network/port-publishing/
 * @module
 */
import { DhowError } from "../errors.ts";
import type { PortRequest } from "./proxy.ts";
import { canonicalAddress } from "./subnet.ts";

/** Docker's `PortBindings`. */
export type PortBindings = Record<string, { HostIp: string; HostPort: string }[]>;

/** Ports from one number to another, both included. */
interface Range {
  first: number;
  last: number;
}

/** Reads `80` or `8000-8010`; undefined if it is neither. */
export function parsePortRange(text: string): Range | undefined {
  const [from, to = from] = text.split("-");
  const [first, last] = [from, to].map((part) => /^\d+$/.test(part!) ? Number(part) : Infinity);
  return last! > 0xffff || first! > last! ? undefined : { first: first!, last: last! };
}

/**
 * Reads the values of `--publish`: `[[IP:][HOST]:]CONTAINER[/PROTOCOL]`, ranges on both sides, or
 * `published=8080,target=80,protocol=tcp`.
 *
 * @throws {DhowError} `invalid_argument` in docker's words.
 */
export function parsePublish(specs: readonly string[]): PortBindings {
  const bindings: PortBindings = {};
  for (const spec of specs) {
    for (const { port, hostIp, hostPort } of parseOne(shortForm(spec))) {
      const list = bindings[port] ??= [];
      list.push({ HostIp: hostIp, HostPort: hostPort });
    }
  }
  return bindings;
}

/** `target=80,published=8080,protocol=udp` is `8080:80/udp`. */
function shortForm(spec: string): string {
  if (!spec.includes("=")) return spec;
  const fields: Record<string, string> = { target: "", published: "", protocol: "tcp" };
  for (const field of spec.split(",")) {
    const [name, value] = field.split("=");
    if (value === undefined) {
      throw invalid(`invalid publish opts format (should be name=value but got '${field}')`);
    }
    fields[name!] = value;
  }
  return `${fields.published}:${fields.target}/${fields.protocol}`;
}

function parseOne(spec: string): { port: string; hostIp: string; hostPort: string }[] {
  const parts = spec.split(":");
  const inside = parts.pop()!, outside = parts.pop() ?? "";
  const hostIp = parseHostIp(parts.join(":"));
  const [ports = "", protocolText = ""] = inside.split("/", 2);
  if (ports === "") throw invalid(`No port specified: ${spec}<empty>`);
  const container = parsePortRange(ports);
  if (container === undefined) throw invalid(`Invalid containerPort: ${ports}`);
  const host = outside === "" ? undefined : parsePortRange(outside);
  if (outside !== "" && host === undefined) throw invalid(`Invalid hostPort: ${outside}`);
  const count = container.last - container.first + 1;
  const hostCount = host === undefined ? count : host.last - host.first + 1;
  if (count !== hostCount && count > 1) {
    throw invalid(
      `Invalid ranges specified for container and host Ports: ${ports} and ${outside}`,
    );
  }
  const protocol = (protocolText || "tcp").toLowerCase();
  if (!["tcp", "udp", "sctp"].includes(protocol)) throw invalid(`Invalid proto: ${protocol}`);
  return Array.from({ length: count }, (_, i) => ({
    port: `${container.first + i}/${protocol}`,
    hostIp,
    hostPort: host === undefined
      ? ""
      : count === 1 && hostCount > 1
      ? `${host.first}-${host.last}`
      : String(host.first + i),
  }));
}

function parseHostIp(text: string): string {
  if (text === "") return "";
  let address = text;
  if (text.startsWith("[")) {
    if (!text.endsWith("]")) {
      throw invalid(`Invalid ip address ${text}: address ${text}:: missing ']' in address`);
    }
    address = text.slice(1, -1);
  }
  if (address === text && text.includes(":")) {
    throw invalid(`Invalid ip address ${text}: address ${text}:: too many colons in address`);
  }
  if (canonicalAddress(address) === undefined) throw invalid(`Invalid ip address: ${address}`);
  return address;
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}

/** What of a container's settings says which ports are published. */
export interface PublishedSettings {
  exposed: Readonly<Record<string, unknown>>;
  bindings: Readonly<PortBindings>;
  /** All that are exposed, at ports of our choice. */
  all: boolean;
}

/**
 * What is to be opened for a container about to start.
 *
 * @throws {DhowError} `unsupported` for SCTP, `invalid_argument` for what is no port or address.
 */
export function portRequests({ exposed, bindings, all }: PublishedSettings): PortRequest[] {
  const wanted: PortBindings = { ...bindings };
  if (all) {
    for (const key of Object.keys(exposed)) {
      if (!wanted[key]?.length) wanted[key] = [{ HostIp: "", HostPort: "" }];
    }
  }
  return Object.entries(wanted).flatMap(([key, hosts]) => hosts.map((host) => request(key, host)));
}

function request(key: string, { HostIp, HostPort }: PortBindings[string][number]): PortRequest {
  const [text = "", protocol = "tcp"] = key.split("/");
  const range = parsePortRange(text), host = parsePortRange(HostPort || "0");
  if (protocol === "sctp") {
    throw new DhowError(
      "unsupported",
      `Cannot publish port ${key}: only TCP and UDP ports can be published`,
    );
  }
  if (range === undefined || range.first === 0) {
    throw invalid(`invalid port specification: "${key}"`);
  }
  if (host === undefined) throw invalid(`invalid port specification: "${HostPort}"`);
  const hostIp = HostIp === "" ? "" : canonicalAddress(HostIp);
  if (hostIp === undefined) throw invalid(`invalid host IP "${HostIp}"`);
  if (protocol !== "tcp" && protocol !== "udp") throw invalid(`Invalid proto: ${protocol}`);
  return { port: range.first, protocol, hostIp, ...host };
}
