/**
 * The PORTS column, grouped as docker groups it.
 *
 * @module
 */
import type { ContainerSummary } from "../../core/spec/docker_api.ts";

type Ports = ContainerSummary["Ports"];
type Port = Ports[number];

/** Neighbours that are published at their own numbers are one range; what is mapped to another number comes last. */
export function formatPorts(ports: Ports): string {
  const groups = new Map<string, { first: number; last: number }>();
  const full: string[] = [], mapped: string[] = [];
  for (const port of ports.toSorted(compare)) {
    const { IP, PrivatePort, PublicPort, Type } = port;
    if (IP !== undefined && PublicPort !== PrivatePort) {
      mapped.push(`${formatIp(IP)}:${PublicPort}->${PrivatePort}/${Type}`);
      continue;
    }
    const key = `${IP ?? ""}/${Type}`;
    const group = groups.get(key);
    if (group !== undefined && PrivatePort === group.last + 1) group.last = PrivatePort;
    else {
      if (group !== undefined) full.push(formatGroup(key, group));
      groups.set(key, { first: PrivatePort, last: PrivatePort });
    }
  }
  const last = [...groups].map(([key, group]) => formatGroup(key, group));
  return [...full, ...last, ...mapped].join(", ");
}

function compare(a: Port, b: Port): number {
  const order = (x: string, y: string) => x < y ? -1 : x > y ? 1 : 0;
  return a.PrivatePort - b.PrivatePort || order(a.IP ?? "", b.IP ?? "") ||
    (a.PublicPort ?? 0) - (b.PublicPort ?? 0) || order(a.Type, b.Type);
}

function formatGroup(key: string, { first, last }: { first: number; last: number }): string {
  const [ip = "", type] = key.split("/");
  const range = first === last ? String(first) : `${first}-${last}`;
  return ip === "" ? `${range}/${type}` : `${formatIp(ip)}:${range}->${range}/${type}`;
}

function formatIp(ip: string): string {
  return ip.includes(":") ? `[${ip}]` : ip;
}
