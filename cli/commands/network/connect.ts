/**
 * `dhow network connect`.
 *
 * @module
 */
import { DhowError } from "../../../core/errors.ts";
import type { EndpointConfig } from "../../../core/spec/docker_api.ts";
import { command } from "../../command.ts";
import { checkLink } from "../../flag_checks.ts";

const strings = { type: "list", hint: "strings" } as const;

/** Connect a container to a network. */
export const connectNetwork = command({
  name: "connect",
  summary: "Connect a container to a network",
  args: "NETWORK CONTAINER",
  flags: {
    alias: { ...strings, help: "Add network-scoped alias for the container" },
    driverOpt: { ...strings, help: "driver options for the network" },
    gwPriority: {
      type: "int",
      help:
        "Highest gw-priority provides the default gateway. Accepts positive and negative values.",
    },
    ip: { type: "string", help: 'IPv4 address (e.g., "172.30.100.104")' },
    ip6: { type: "string", help: 'IPv6 address (e.g., "2001:db8::33")' },
    link: { type: "list", help: "Add link to another container", check: checkLink },
    linkLocalIp: { ...strings, help: "Add a link-local address for the container" },
  },
  async run({ args, flags, engine }) {
    const config: EndpointConfig = {
      IPAMConfig: {
        ...flags.ip !== "" && { IPv4Address: flags.ip },
        ...flags.ip6 !== "" && { IPv6Address: flags.ip6 },
        ...flags.linkLocalIp.length > 0 && { LinkLocalIPs: split(flags.linkLocalIp) },
      },
      Links: flags.link,
      Aliases: split(flags.alias),
      DriverOpts: Object.fromEntries(split(flags.driverOpt).map(driverOption)),
      GwPriority: flags.gwPriority,
    };
    await engine.networks.connect(args[0]!, args[1]!, config);
  },
});

/** Several values may stand in one flag, with commas. */
function split(values: readonly string[]): string[] {
  return values.flatMap((value) => value === "" ? [] : value.split(","));
}

function driverOption(text: string): [string, string] {
  const equals = text.indexOf("=");
  if (equals < 0) {
    throw new DhowError("invalid_argument", "invalid key/value pair format in driver options");
  }
  return [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
}
