/**
 * `--network` and its company, of `run` and `create`, as docker's own client understands them.
 *
 * @module
 */
import { DhowError } from "../core/errors.ts";
import { splitCsv } from "../core/lib/csv.ts";
import type { EndpointConfig } from "../core/spec/docker_api.ts";
import type { CreateFlags } from "./run_flags.ts";

/** One `--network`. */
interface NetworkOption {
  target: string;
  config: EndpointConfig & { IPAMConfig: NonNullable<EndpointConfig["IPAMConfig"]> };
}

/** What the flags come to. */
export interface NetworkFlags {
  /** The first network, or `default`. */
  mode: string;
  /** What is asked of each network; undefined if that is nothing. */
  endpoints?: Record<string, EndpointConfig>;
  /** `--link`s that are the container's and not a network's. */
  links: string[] | null;
  macAddress: string;
}

/** Checks one `--network`. @throws {Error} In docker's words. */
export function checkNetwork(text: string): void {
  parseNetworkOption(text);
}

/**
 * Reads one `--network`: `NAME`, docker's `name=NAME,ip=ADDRESS,alias=...`, or podman's `NAME:ip=ADDRESS,alias=...`.
 *
 * @throws {Error} In docker's words.
 */
export function parseNetworkOption(text: string): NetworkOption {
  const option: NetworkOption = { target: text, config: { IPAMConfig: {} } };
  const short = /^([\w.-]+):((?:ip6?|mac|alias)=.*)$/.exec(text);
  if (short === null && !/\w+=\w+/.test(text)) return option;
  option.target = short?.[1] ?? "";
  for (const field of splitCsv(short?.[2] ?? text)) readField(option, field);
  if (option.target === "") throw new Error("network name/id is not specified");
  return option;
}

function readField(option: NetworkOption, field: string): void {
  const equals = field.indexOf("=");
  if (equals <= 0) throw new Error(`invalid field ${field.toLowerCase()}`);
  const key = field.slice(0, equals).trim().toLowerCase(), value = field.slice(equals + 1).trim();
  const { config } = option;
  switch (key) {
    case "name":
      option.target = value;
      break;
    case "alias":
      (config.Aliases ??= []).push(value);
      break;
    case "ip":
      config.IPAMConfig.IPv4Address = value;
      break;
    case "ip6":
      config.IPAMConfig.IPv6Address = value;
      break;
    case "mac":
    case "mac-address":
      config.MacAddress = value;
      break;
    case "link-local-ip":
      (config.IPAMConfig.LinkLocalIPs ??= []).push(value);
      break;
    case "driver-opt": {
      const at = value.indexOf("=");
      if (at < 0) throw new Error("invalid key value pair format in driver options");
      (config.DriverOpts ??= {})[value.slice(0, at).trim()] = value.slice(at + 1).trim();
      break;
    }
    case "gw-priority":
      if (!/^[+-]?\d+$/.test(value)) {
        throw new Error(`invalid gw-priority (${value}): invalid syntax`);
      }
      config.GwPriority = Number(value);
      break;
    default:
      throw new Error(`invalid field key ${key}`);
  }
}

/** Whether a network of that name has to have been made. */
function isUserDefined(target: string): boolean {
  return !["default", "bridge", "host", "none"].includes(target) &&
    !target.startsWith("container:");
}

/**
 * Brings `--network`s and the flags for the first of them together.
 *
 * @throws {DhowError} `invalid_argument`, in docker's words.
 */
export function readNetworkFlags(flags: CreateFlags): NetworkFlags {
  const given = flags.network.map(parseNetworkOption);
  const options = given.length > 0 ? given : [parseNetworkOption("default")];
  const first = options[0]!;
  applyFlags(first, flags);
  const endpoints: Record<string, EndpointConfig> = {};
  for (const option of options) {
    const config = toEndpointConfig(option);
    if (Object.hasOwn(endpoints, option.target)) {
      throw invalid(`network "${option.target}" is specified multiple times`);
    }
    endpoints[option.target] = config;
  }
  if (new Set(options.map(({ target }) => isUserDefined(target))).size > 1) {
    throw invalid(
      "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
    );
  }
  const isPlain = options.length === 1 && Object.keys(endpoints[first.target]!).length === 0;
  return {
    mode: first.target,
    ...!isPlain && { endpoints },
    links: isUserDefined(first.target) || flags.link.length === 0 ? null : flags.link,
    macAddress: first.config.MacAddress ?? "",
  };
}

/** `--ip`, `--network-alias` and so on are for the first network, if that does not say it itself. */
function applyFlags({ target, config }: NetworkOption, flags: CreateFlags): void {
  const { IPAMConfig } = config;
  const conflicts: [isTwice: boolean, flag: string, what: string][] = [
    [both(config.Aliases?.length, flags.networkAlias.length), "network-alias", "alias"],
    [both(IPAMConfig.IPv4Address, flags.ip), "ip", "IPv4 address"],
    [both(IPAMConfig.IPv6Address, flags.ip6), "ip6", "IPv6 address"],
    [both(config.MacAddress, flags.macAddress), "mac-address", "MAC address"],
    [
      both(IPAMConfig.LinkLocalIPs?.length, flags.linkLocalIp.length),
      "link-local-ip",
      "link-local IP addresses",
    ],
  ];
  const conflict = conflicts.find(([isTwice]) => isTwice);
  if (conflict !== undefined) {
    throw invalid(
      `conflicting options: cannot specify both --${conflict[1]} and per-network ${conflict[2]}`,
    );
  }
  if (flags.networkAlias.length > 0) config.Aliases = flags.networkAlias;
  if (flags.link.length > 0 && isUserDefined(target)) config.Links = flags.link;
  if (flags.ip !== "") IPAMConfig.IPv4Address = flags.ip;
  if (flags.ip6 !== "") IPAMConfig.IPv6Address = flags.ip6;
  if (flags.macAddress !== "") config.MacAddress = flags.macAddress;
  if (flags.linkLocalIp.length > 0) IPAMConfig.LinkLocalIPs = flags.linkLocalIp;
}

function both(one: unknown, other: unknown): boolean {
  return Boolean(one) && Boolean(other);
}

function toEndpointConfig({ target, config }: NetworkOption): EndpointConfig {
  if (target.trim() === "") throw invalid("no name set for network");
  if (!isUserDefined(target) && (config.Aliases?.length ?? 0) > 0) {
    throw invalid("network-scoped aliases are only supported for user-defined networks");
  }
  const { IPAMConfig, MacAddress, ...rest } = config;
  if (MacAddress !== undefined && !isMacAddress(MacAddress)) {
    throw invalid(`${MacAddress} is not a valid mac address`);
  }
  return {
    ...rest,
    ...Object.keys(IPAMConfig).length > 0 && { IPAMConfig },
    ...MacAddress !== undefined && { MacAddress },
  };
}

/** Six bytes, with colons or dashes. */
function isMacAddress(text: string): boolean {
  return /^[\da-f]{2}(:[\da-f]{2}){5}$|^[\da-f]{2}(-[\da-f]{2}){5}$/i.test(text);
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}
