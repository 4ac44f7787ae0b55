/**
 * A network as `network ls` shows it.
 *
 * @module
 */
import type { NetworkInspect } from "../../core/spec/docker_api.ts";
import { type Row, shortId } from "./rows.ts";

/** Titles of the columns. */
export const networkHeaders = {
  ID: "NETWORK ID",
  Name: "NAME",
  Driver: "DRIVER",
  Scope: "SCOPE",
  IPv4: "IPV4",
  IPv6: "IPV6",
  Internal: "INTERNAL",
  Labels: "LABELS",
  CreatedAt: "CREATED AT",
} as const;

/** Fields of docker's default table. */
export const networkColumns: readonly string[] = ["ID", "Name", "Driver", "Scope"];

/** Everything `--format` can show of a network. */
export function toNetworkRow(network: NetworkInspect, options: { truncate: boolean }): Row {
  const { Labels } = network;
  return {
    CreatedAt: network.Created.replace("T", " ").replace("Z", " +0000 UTC"),
    Driver: network.Driver,
    ID: options.truncate ? shortId(network.Id) : network.Id,
    IPv4: String(network.EnableIPv4),
    IPv6: String(network.EnableIPv6),
    Internal: String(network.Internal),
    Label: (name: string) => Labels[name] ?? "",
    Labels: Object.entries(Labels).map(([key, value]) => `${key}=${value}`).join(","),
    Name: network.Name,
    Scope: network.Scope,
  };
}

/** Names in the order people count: `n2` before `n10`. */
export function compareNames(a: string, b: string): number {
  const parts = (name: string) => name.match(/\d+|\D+/g) ?? [];
  const left = parts(a), right = parts(b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [one, other] = [left[i]!, right[i]!];
    if (one === other) continue;
    const byValue = /^\d/.test(one) && /^\d/.test(other) ? Number(one) - Number(other) : 0;
    if (byValue !== 0) return byValue;
    return one < other ? -1 : 1;
  }
  return left.length - right.length;
}
