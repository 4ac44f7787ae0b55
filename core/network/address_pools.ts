/**
 * Subnets for networks nobody gave one: docker's default pools, without what the host itself can reach.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { sha256Hex } from "../lib/sha256.ts";
import { overlaps, parseAddress, parseSubnet, sizeOf, type Subnet } from "./subnet.ts";

/** Where IPv4 subnets are cut from, and how long their prefix is. */
const POOLS: readonly (readonly [pool: string, prefix: number])[] = [
  ...Array.from({ length: 15 }, (_, i) => [`172.${17 + i}.0.0/16`, 16] as const),
  ["192.168.0.0/16", 20],
];

/** Bits that the subnets of the user's own IPv6 network have. */
const PREFIX_V6 = 64;

/**
 * The first subnet that overlaps none of `busy`.
 *
 * @throws {DhowError} `conflict` if there is none.
 */
export function freeSubnet(paths: StorePaths, version: 4 | 6, busy: readonly Subnet[]): Subnet {
  const candidates = version === 4 ? subnetsV4() : subnetsV6(paths);
  for (const candidate of candidates) {
    if (!busy.some((other) => overlaps(candidate, other))) return candidate;
  }
  throw new DhowError(
    "conflict",
    "all predefined address pools have been fully subnetted: remove networks that are not used (dhow network prune), or choose a --subnet",
  );
}

function* subnetsV4(): Generator<Subnet> {
  for (const [text, prefix] of POOLS) yield* cut(parseSubnet(text)!, prefix);
}

/** Of a unique local network (RFC 4193) that is this store's own. */
function subnetsV6(paths: StorePaths): Generator<Subnet> {
  const digits = sha256Hex(new TextEncoder().encode(`${paths.root}/ula`)).slice(0, 10);
  const base = BigInt(`0xfd${digits}`) << 80n;
  return cut({ version: 6, base, prefix: 48 }, PREFIX_V6);
}

function* cut(pool: Subnet, prefix: number): Generator<Subnet> {
  const step = sizeOf({ ...pool, prefix });
  for (let base = pool.base; base < pool.base + sizeOf(pool); base += step) {
    yield { version: pool.version, base, prefix };
  }
}

/** The subnets that this host has routes to, and the addresses of its name servers. */
export function hostSubnets(): Subnet[] {
  return [
    ...routesV4(readLines("/proc/net/route").slice(1)),
    ...routesV6(readLines("/proc/net/ipv6_route")),
    ...nameServers(readLines("/etc/resolv.conf")),
  ];
}

/** Lines of `/proc/net/route`: addresses are hexadecimal, lowest byte first. */
export function routesV4(lines: readonly string[]): Subnet[] {
  return lines.map((line) => line.split(/\s+/)).flatMap((fields) => {
    const [base, mask] = [swapped(fields[1]), swapped(fields[7])];
    if (base === undefined || !mask) return []; // the default route
    const prefix = mask.toString(2).replaceAll("0", "").length;
    return [{ version: 4, base: BigInt(base), prefix } as const];
  });
}

function swapped(digits: string | undefined): number | undefined {
  if (digits === undefined || !/^[0-9A-F]{8}$/.test(digits)) return undefined;
  return parseInt(digits.match(/../g)!.reverse().join(""), 16);
}

/** Lines of `/proc/net/ipv6_route`: destination and the length of its prefix, hexadecimal. */
export function routesV6(lines: readonly string[]): Subnet[] {
  return lines.map((line) => line.split(/\s+/)).flatMap(([digits = "", length = "", ...rest]) => {
    const prefix = parseInt(length, 16);
    if (!/^[0-9a-f]{32}$/.test(digits) || prefix === 0 || rest.at(-1) === "lo") return [];
    return [{ version: 6, base: BigInt(`0x${digits}`), prefix } as const];
  });
}

function nameServers(lines: readonly string[]): Subnet[] {
  return lines.map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? "")
    .map(parseAddress).filter((address) => address !== undefined)
    .map(({ version, value }) => ({ version, base: value, prefix: version === 4 ? 32 : 128 }));
}

function readLines(path: string): string[] {
  try {
    return Deno.readTextFileSync(path).split("\n");
  } catch {
    return [];
  }
}
