/**
 * The options of the bridge driver, `-o`, as far as they have to be looked at.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { parseAddress } from "./subnet.ts";

const PREFIX = "com.docker.network.bridge.";
/** Interfaces that there are in the router namespace, and names that the kernel's settings have a meaning for. */
const RESERVED = /^(lo|tap\d*|veth.*|all|default)$/;
const GATEWAY_MODES = ["nat", "nat-unprotected", "routed", "isolated"];

/** What is wrong with a value, by option; options that are not here are kept and mean nothing. */
const CHECKS: Readonly<Record<string, (value: string) => string | undefined>> = {
  "com.docker.network.driver.mtu": (value) =>
    /^[+-]?\d+$/.test(value) ? undefined : `strconv.Atoi: parsing "${value}": invalid syntax`,
  [`${PREFIX}enable_icc`]: notBoolean,
  [`${PREFIX}enable_ip_masquerade`]: notBoolean,
  [`${PREFIX}inhibit_ipv4`]: notBoolean,
  [`${PREFIX}host_binding_ipv4`]: (value) =>
    parseAddress(value)?.version === 4 ? undefined : "nil ip",
  [`${PREFIX}gateway_mode_ipv4`]: notGatewayMode,
  [`${PREFIX}gateway_mode_ipv6`]: notGatewayMode,
};

function notBoolean(value: string): string | undefined {
  return /^(1|0|t|f|T|F|TRUE|FALSE|true|false|True|False)$/.test(value)
    ? undefined
    : `strconv.ParseBool: parsing "${value}": invalid syntax`;
}

function notGatewayMode(value: string): string | undefined {
  return GATEWAY_MODES.includes(value) ? undefined : `unknown gateway mode ${value}`;
}

/** Refuses values that mean nothing. @throws {DhowError} `invalid_argument`, in docker's words. */
export function assertBridgeOptions(options: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(options)) {
    const wrong = CHECKS[name]?.(value);
    if (wrong !== undefined) throw invalid(`failed to parse ${name} value: ${value} (${wrong})`);
  }
  const mtu = options["com.docker.network.driver.mtu"];
  if (mtu !== undefined && (Number(mtu) < 0 || Number(mtu) > 65535)) {
    throw invalid(`invalid MTU number: ${mtu}`);
  }
  const name = options[`${PREFIX}name`] ?? "";
  if (name !== "" && !/^[\w.-]{1,15}$/.test(name) || /^\.{1,2}$/.test(name)) {
    throw invalid(
      `invalid bridge name "${name}": it has at most 15 characters, letters, digits and _.-`,
    );
  }
  const prefix = options["com.docker.network.container_iface_prefix"] ?? "";
  if (prefix !== "" && !/^[\w.-]{1,12}$/.test(prefix)) {
    throw invalid(
      `invalid interface prefix "${prefix}": it has at most 12 characters, letters, digits and _.-`,
    );
  }
  if (RESERVED.test(name)) {
    throw invalid(`invalid bridge name "${name}": another interface is called so`);
  }
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}
