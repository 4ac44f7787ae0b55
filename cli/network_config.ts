/**
 * `--subnet`, `--ip-range`, `--gateway` and `--aux-address` brought together, as docker's client does it.
 *
 * @module
 */
import { DhowError } from "../core/errors.ts";
import { contains, parseAddress, parseCidr, type Subnet } from "../core/network/subnet.ts";
import type { IPAMConfig } from "../core/spec/docker_api.ts";

/** What the command line says of addresses. */
export interface AddressFlags {
  subnets: readonly string[];
  ipRanges: readonly string[];
  gateways: readonly string[];
  auxAddresses: Readonly<Record<string, string>>;
}

/**
 * Gives every subnet the range, the gateway and the reserved addresses that are in it.
 *
 * @throws {DhowError} `invalid_argument`, in docker's words.
 */
export function toIpamConfig(flags: AddressFlags): IPAMConfig[] {
  const { subnets, ipRanges, gateways, auxAddresses } = flags;
  if (subnets.length < ipRanges.length || subnets.length < gateways.length) {
    throw invalid("every ip-range or gateway must have a corresponding subnet");
  }
  const configs: Required<IPAMConfig>[] = [];
  for (const Subnet of subnets) {
    if (configs.some((other) => isIn(other.Subnet, Subnet) || isIn(Subnet, other.Subnet))) {
      throw invalid("multiple overlapping subnet configuration is not supported");
    }
    configs.push({ Subnet, IPRange: "", Gateway: "", AuxiliaryAddresses: {} });
  }
  for (const range of ipRanges) {
    parse(range, "");
    const config = matching(configs, range, "range");
    if (config.IPRange !== "") throw severalFor("ranges", range, config.IPRange, config.Subnet);
    config.IPRange = range;
  }
  for (const gateway of gateways) {
    const config = matching(configs, gateway, "gateway");
    if (config.Gateway !== "") throw severalFor("gateways", gateway, config.Gateway, config.Subnet);
    config.Gateway = gateway;
  }
  for (const [name, address] of Object.entries(auxAddresses)) {
    matching(configs, address, "aux-address").AuxiliaryAddresses[name] = address;
  }
  return configs;
}

function matching(
  configs: readonly Required<IPAMConfig>[],
  text: string,
  what: string,
): Required<IPAMConfig> {
  const config = configs.find(({ Subnet }) => isIn(Subnet, text));
  if (config === undefined) throw invalid(`no matching subnet for ${what} ${text}`);
  return config;
}

function severalFor(what: string, one: string, other: string, subnet: string): DhowError {
  return invalid(
    `cannot configure multiple ${what} (${one}, ${other}) ${
      what === "ranges" ? "on" : "for"
    } the same subnet (${subnet})`,
  );
}

/** Whether an address, or the beginning of a block, is in a subnet. */
function isIn(subnet: string, text: string): boolean {
  const { subnet: block } = parse(subnet, "invalid subnet: ");
  const address = text.includes("/") ? parse(text, "").address : parseAddress(text);
  return address !== undefined && contains(block, address);
}

function parse(text: string, prefix: string): { subnet: Subnet; address: Address } {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw invalid(`${prefix}invalid CIDR address: ${text}`);
  return parsed;
}

type Address = NonNullable<ReturnType<typeof parseAddress>>;

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}
