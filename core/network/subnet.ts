/**
 * IP addresses and subnets as numbers: parsed strictly, written as everybody writes them.
 *
 * @module
 */
import { ipBytes } from "./ip_bytes.ts";

/** An address. */
export interface Address {
  version: 4 | 6;
  value: bigint;
}

/** A range of addresses with a common beginning. */
export interface Subnet {
  version: 4 | 6;
  /** Its first address, as a number. */
  base: bigint;
  /** Bits that all its addresses have in common. */
  prefix: number;
}

const BITS = { 4: 32, 6: 128 } as const;

/** Reads an address; undefined if it is none. Zones, leading zeros and the like are none. */
export function parseAddress(text: string): Address | undefined {
  const dot = text.indexOf(".");
  if (dot >= 0 && text.lastIndexOf(":") > dot) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = ipBytes(text);
  } catch {
    return undefined;
  }
  let value = 0n;
  for (const byte of bytes) value = value << 8n | BigInt(byte);
  return { version: bytes.length === 4 ? 4 : 6, value };
}

/** The text of an address's 4 or 16 bytes. */
export function formatBytes(bytes: Uint8Array): string {
  let value = 0n;
  for (const byte of bytes) value = value << 8n | BigInt(byte);
  return formatAddress({ version: bytes.length === 4 ? 4 : 6, value });
}

/** An address as text; IPv6 as RFC 5952 has it. */
export function formatAddress({ version, value }: Address): string {
  if (version === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => String(value >> shift & 0xffn)).join(".");
  }
  if (value >> 32n === 0xffffn) {
    return `::ffff:${formatAddress({ version: 4, value: value & 0xffffffffn })}`;
  }
  const words = Array.from({ length: 8 }, (_, i) => value >> BigInt(112 - 16 * i) & 0xffffn);
  const { start, length } = longestZeros(words);
  const text = (some: bigint[]) => some.map((word) => word.toString(16)).join(":");
  if (length < 2) return text(words);
  return `${text(words.slice(0, start))}::${text(words.slice(start + length))}`;
}

function longestZeros(words: readonly bigint[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < words.length; start++) {
    let length = 0;
    while (words[start + length] === 0n) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** An address as {@linkcode formatAddress} writes it; undefined if it is none. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}

/** A CIDR block taken apart, with the address as it was written: `10.1.2.3/16` has bits behind the prefix. */
export function parseCidr(text: string): { subnet: Subnet; address: Address } | undefined {
  const slash = text.indexOf("/");
  const address = slash < 0 ? undefined : parseAddress(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9]\d{0,2})$/.test(digits)) return undefined;
  const prefix = Number(digits);
  if (prefix > BITS[address.version]) return undefined;
  return { subnet: subnetAround(address, prefix), address };
}

/** Reads a subnet: its address has no bits behind the prefix. Undefined if it is none. */
export function parseSubnet(text: string): Subnet | undefined {
  const parsed = parseCidr(text);
  return parsed?.subnet.base === parsed?.address.value ? parsed?.subnet : undefined;
}

/** The subnet of that length which an address is in. */
export function subnetAround({ version, value }: Address, prefix: number): Subnet {
  const hostBits = BigInt(BITS[version] - prefix);
  return { version, base: value >> hostBits << hostBits, prefix };
}

/** `10.1.0.0/16`. */
export function formatSubnet({ version, base, prefix }: Subnet): string {
  return `${formatAddress({ version, value: base })}/${prefix}`;
}

/** How many addresses a subnet has. */
export function sizeOf({ version, prefix }: Subnet): bigint {
  return 1n << BigInt(BITS[version] - prefix);
}

/** The last address of a subnet, as a number. */
export function lastOf(subnet: Subnet): bigint {
  return subnet.base + sizeOf(subnet) - 1n;
}

/** Whether an address is in a subnet. */
export function contains(subnet: Subnet, { version, value }: Address): boolean {
  return version === subnet.version && value >= subnet.base && value <= lastOf(subnet);
}

/** Whether two subnets have an address in common. */
export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.version === b.version && a.base <= lastOf(b) && b.base <= lastOf(a);
}

/** Whether an address is one that a host in the subnet can have: neither the subnet's own nor the broadcast address. */
export function isHostAddress(subnet: Subnet, address: Address): boolean {
  if (!contains(subnet, address)) return false;
  const { value } = address;
  // RFC 3021: a pair of addresses has room for nothing else.
  if (sizeOf(subnet) <= 2n) return true;
  return value !== subnet.base && (subnet.version === 6 || value !== lastOf(subnet));
}
