/**
 * `dhow version`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { INSPECT_FORMAT_HELP } from "../../output/format_help.ts";
import { VERSION } from "../../../core/version.ts";
import { render } from "../../output/render.ts";

/** Show the dhow version information. */
export const version = command({
  name: "version",
  summary: "Show the dhow version information",
  args: "",
  flags: { format: { type: "string", short: "f", help: INSPECT_FORMAT_HELP } },
  async run({ flags, engine, out }) {
    const server = await engine.system.version();
    const arch = Deno.build.arch === "x86_64" ? "amd64" : "arm64";
    const client = {
      Version: VERSION,
      ApiVersion: server["ApiVersion"] ?? "1.51",
      DefaultAPIVersion: server["ApiVersion"] ?? "1.51",
      DenoVersion: Deno.version.deno,
      Os: "linux",
      Arch: arch,
      Context: "default",
    };
    const data = { Client: client, Server: server };
    if (flags.format === "json") return out.line(JSON.stringify(data));
    if (flags.format !== "") return out.line(await render(flags.format, data));
    out.line("Client:");
    writeFields(out, [
      ["Version:", client.Version],
      ["API version:", client.ApiVersion],
      ["Deno version:", client.DenoVersion],
      ["OS/Arch:", `${client.Os}/${client.Arch}`],
      ["Context:", client.Context],
    ]);
    out.line("\nServer: none needed; the engine is part of the client");
    writeFields(out, [
      ["Version:", server["Version"] ?? client.Version],
      ["API version:", server["ApiVersion"] ?? client.ApiVersion],
      ["Kernel:", server["KernelVersion"] ?? Deno.osRelease()],
    ]);
  },
});

function writeFields(out: { line(text: string): void }, fields: [string, unknown][]): void {
  for (const [name, value] of fields) out.line(` ${name.padEnd(18)} ${value}`);
}
