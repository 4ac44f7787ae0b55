/**
 * `--subnet` and its company: checked, completed and taken from the addresses that are free.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import type { IPAMConfig, NetworkCreate } from "../spec/docker_api.ts";
import { freeSubnet, hostSubnets } from "./address_pools.ts";
import type { AddressPool } from "./record.ts";
import {
  contains,
  formatAddress,
  formatSubnet,
  isHostAddress,
  lastOf,
  overlaps,
  parseAddress,
  parseCidr,
  parseSubnet,
  type Subnet,
} from "./subnet.ts";

/** Refuses what is no configuration of addresses. @throws {DhowError} `invalid_argument`, in docker's words. */
export function assertIpamConfig(configs: readonly IPAMConfig[], enableIPv6: boolean): void {
  const errors = configs.flatMap((config) => configErrors(config, enableIPv6));
  if (errors.length > 0) throw invalid(`invalid network config:\n${errors.join("\n")}`);
}

function configErrors(config: IPAMConfig, enableIPv6: boolean): string[] {
  const { Subnet: text = "", IPRange, Gateway, AuxiliaryAddresses = {} } = config;
  if (text === "") return [];
  const parsed = parseCidr(text);
  if (parsed === undefined) return [`invalid subnet ${text}: invalid CIDR block notation`];
  const { subnet, address } = parsed;
  if (subnet.version === 6 && !enableIPv6) return [];
  const errors: string[] = [];
  if (address.value !== subnet.base) {
    errors.push(`invalid subnet ${text}: it should be ${formatSubnet(subnet)}`);
  }
  errors.push(...rangeErrors(IPRange, subnet).map((why) => `invalid ip-range ${IPRange}: ${why}`));
  const wrong = addressError(Gateway, subnet);
  if (wrong !== undefined) errors.push(`invalid gateway ${Gateway}: ${wrong}`);
  for (const [name, text] of Object.entries(AuxiliaryAddresses)) {
    const wrong = addressError(text, subnet);
    if (wrong !== undefined) errors.push(`invalid auxiliary address ${name}: ${wrong}`);
  }
  return errors;
}

function rangeErrors(text: string | undefined, subnet: Subnet): string[] {
  if (!text) return [];
  const range = parseCidr(text);
  if (range === undefined) return ["invalid CIDR block notation"];
  if (range.subnet.version !== subnet.version) {
    return [`parent subnet is an IPv${subnet.version} block`];
  }
  const errors: string[] = [];
  if (range.subnet.prefix < subnet.prefix) {
    errors.push(`CIDR block is bigger than its parent subnet ${formatSubnet(subnet)}`);
  }
  if (range.address.value !== range.subnet.base) {
    errors.push(`it should be ${formatSubnet(range.subnet)}`);
  }
  if (!overlaps(range.subnet, subnet)) {
    errors.push(`parent subnet ${formatSubnet(subnet)} doesn't contain ip-range`);
  }
  return errors;
}

function addressError(text: string | undefined, subnet: Subnet): string | undefined {
  if (!text) return undefined;
  const address = parseAddress(text);
  if (address === undefined) return "invalid address";
  if (address.version !== subnet.version) return `parent subnet is an IPv${subnet.version} block`;
  if (contains(subnet, address)) return undefined;
  return `parent subnet ${formatSubnet(subnet)} doesn't contain this address`;
}

/**
 * The pools of a network to be made: those asked for, and one for each version of IP that none was asked for.
 *
 * @param taken The subnets of all other networks.
 * @throws {DhowError} `conflict` if they overlap, `invalid_argument`; in docker's words.
 */
export function choosePools(
  paths: StorePaths,
  request: NetworkCreate,
  taken: readonly Subnet[],
): AddressPool[] {
  const { EnableIPv4 = true, EnableIPv6 = false } = request;
  const configs = (request.IPAM?.Config ?? []).filter(({ Subnet }) => Subnet);
  const pools: AddressPool[] = [];
  for (const version of [4, 6] as const) {
    if (!(version === 4 ? EnableIPv4 : EnableIPv6)) continue;
    const wanted = configs.filter(({ Subnet }) => parseSubnet(Subnet!)?.version === version);
    if (wanted.length > 1) throw invalid("bridge driver doesn't support multiple subnets");
    if (wanted[0] === undefined) pools.push(automaticPool(paths, version, taken));
    else pools.push(wantedPool(wanted[0], taken));
  }
  return pools;
}

function automaticPool(paths: StorePaths, version: 4 | 6, taken: readonly Subnet[]): AddressPool {
  const subnet = freeSubnet(paths, version, [...taken, ...hostSubnets()]);
  const gateway = formatAddress({ version, value: subnet.base + 1n });
  return { subnet: formatSubnet(subnet), gateway, isAutomatic: true };
}

function wantedPool(config: IPAMConfig, taken: readonly Subnet[]): AddressPool {
  const { Subnet: text, IPRange, Gateway, AuxiliaryAddresses = {} } = config;
  const subnet = parseSubnet(text!)!;
  if (taken.some((other) => overlaps(other, subnet))) {
    throw new DhowError(
      "conflict",
      "invalid pool request: Pool overlaps with other one on this address space",
    );
  }
  const gateway = Gateway
    ? wantedGateway(subnet, Gateway)
    : firstAddress(parseSubnet(IPRange || text!)!, subnet);
  const reserved = new Set([gateway]);
  const aux: Record<string, string> = {};
  for (const [name, text] of Object.entries(AuxiliaryAddresses)) {
    const address = parseAddress(text)!;
    const canonical = formatAddress(address);
    if (reserved.has(canonical) || !isHostAddress(subnet, address)) {
      throw inUse(`failed to allocate secondary ip address (${name}:${text})`);
    }
    reserved.add(canonical);
    aux[name] = canonical;
  }
  return {
    subnet: formatSubnet(subnet),
    gateway,
    ...IPRange && { ipRange: IPRange },
    ...Object.keys(aux).length > 0 && { auxAddresses: aux },
  };
}

function wantedGateway(subnet: Subnet, text: string): string {
  const address = parseAddress(text)!;
  if (!isHostAddress(subnet, address)) throw inUse(`failed to allocate gateway (${text})`);
  return formatAddress(address);
}

/** The first address of a range that a host can have. */
function firstAddress(range: Subnet, subnet: Subnet): string {
  const { version } = subnet;
  for (let value = range.base; value <= lastOf(range); value++) {
    if (isHostAddress(subnet, { version, value })) return formatAddress({ version, value });
  }
  throw inUse(`failed to allocate gateway ()`);
}

function inUse(what: string): DhowError {
  return new DhowError("conflict", `${what}: Address already in use`);
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}
