/**
 * `dhow port`.
 *
 * @module
 */
import { DhowError } from "../../../core/errors.ts";
import { command } from "../../command.ts";

/** List port mappings or a specific mapping for the container. */
export const port = command({
  name: "port",
  summary: "List port mappings or a specific mapping for the container",
  args: "CONTAINER [PRIVATE_PORT[/PROTO]]",
  count: [1, 2],
  flags: {},
  async run({ args, engine, out }) {
    const [name, wanted] = args as [string, string?];
    const { NetworkSettings: { Ports } } = await engine.containers.inspect(name);
    const place = ({ HostIp, HostPort }: { HostIp: string; HostPort: string }) =>
      `${HostIp.includes(":") ? `[${HostIp}]` : HostIp}:${HostPort}`;
    if (wanted !== undefined) {
      const bindings = Ports[portKey(wanted)];
      if (!bindings?.length) {
        throw new DhowError("not_found", `Error: No public port '${wanted}' published for ${name}`);
      }
      for (const binding of bindings) out.line(place(binding));
      return;
    }
    const number = (key: string) => parseInt(key);
    const keys = Object.keys(Ports).sort((a, b) => number(a) - number(b) || (a < b ? -1 : 1));
    for (const key of keys) {
      for (const binding of Ports[key] ?? []) out.line(`${key} -> ${place(binding)}`);
    }
  },
});

function portKey(wanted: string): string {
  const [digits = "", protocol = "tcp"] = wanted.split("/");
  if (!/^\d+$/.test(digits) || Number(digits) > 0xffff) {
    const why = /^\d+$/.test(digits) ? "value out of range" : "invalid syntax";
    throw new DhowError(
      "invalid_argument",
      `Error: invalid port (${digits}): strconv.ParseUint: parsing ${
        JSON.stringify(digits)
      }: ${why}`,
    );
  }
  return `${Number(digits)}/${protocol}`;
}
