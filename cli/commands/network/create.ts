/**
 * `dhow network create`.
 *
 * @module
 */
import type { NetworkCreate } from "../../../core/spec/docker_api.ts";
import { command } from "../../command.ts";
import { collectLabels } from "../../env_file.ts";
import { checkLabel } from "../../flag_checks.ts";
import { toIpamConfig } from "../../network_config.ts";

const strings = { type: "list", hint: "strings" } as const;

/** Create a network. */
export const createNetwork = command({
  name: "create",
  summary: "Create a network",
  args: "NETWORK",
  flags: {
    attachable: { type: "bool", help: "Enable manual container attachment" },
    auxAddress: {
      type: "map",
      help: "Auxiliary IPv4 or IPv6 addresses used by Network driver (default map[])",
    },
    configFrom: {
      type: "string",
      help: "The network from which to copy the configuration",
    },
    configOnly: { type: "bool", help: "Create a configuration only network" },
    driver: {
      type: "string",
      short: "d",
      default: "bridge",
      help: "Driver to manage the Network",
    },
    gateway: { ...strings, help: "IPv4 or IPv6 Gateway for the master subnet" },
    ingress: { type: "bool", help: "Create swarm routing-mesh network" },
    internal: { type: "bool", help: "Restrict external access to the network" },
    ipRange: { ...strings, help: "Allocate container ip from a sub-range" },
    ipamDriver: { type: "string", default: "default", help: "IP Address Management Driver" },
    ipamOpt: { type: "map", help: "Set IPAM driver specific options (default map[])" },
    ipv4: { type: "bool", default: true, help: "Enable or disable IPv4 address assignment" },
    ipv6: { type: "bool", help: "Enable or disable IPv6 address assignment" },
    label: { type: "list", help: "Set metadata on a network", check: checkLabel },
    opt: { type: "map", short: "o", help: "Set driver specific options (default map[])" },
    scope: { type: "string", help: "Control the network's scope" },
    subnet: { ...strings, help: "Subnet in CIDR format that represents a network segment" },
  },
  async run({ args, flags, engine, out, err }) {
    const request: NetworkCreate = {
      Driver: flags.driver,
      Scope: flags.scope,
      EnableIPv4: flags.ipv4,
      EnableIPv6: flags.ipv6,
      Internal: flags.internal,
      Attachable: flags.attachable,
      Ingress: flags.ingress,
      ConfigOnly: flags.configOnly,
      IPAM: {
        Driver: flags.ipamDriver,
        Options: flags.ipamOpt,
        Config: toIpamConfig({
          subnets: split(flags.subnet),
          ipRanges: split(flags.ipRange),
          gateways: split(flags.gateway),
          auxAddresses: flags.auxAddress,
        }),
      },
      Options: flags.opt,
      Labels: collectLabels([], flags.label),
    };
    if (flags.configFrom !== "") request.ConfigFrom = { Network: flags.configFrom };
    const { id, warnings } = await engine.networks.create(args[0]!, request);
    for (const warning of warnings) err.line(`WARNING: ${warning}`);
    out.line(id);
  },
});

/** Several values may stand in one flag, with commas. */
function split(values: readonly string[]): string[] {
  return values.flatMap((value) => value === "" ? [] : value.split(","));
}
