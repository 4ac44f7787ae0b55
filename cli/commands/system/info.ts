/**
 * `dhow system info`.
 *
 * @module
 */
import { formatBinarySize } from "../../../core/lib/units.ts";
import { command } from "../../command.ts";
import { INSPECT_FORMAT_HELP } from "../../output/format_help.ts";
import { VERSION as version } from "../../../core/version.ts";
import { render } from "../../output/render.ts";

/** Lines of the default output: title, indentation and the field they show. */
const LINES: readonly (readonly [title: string, field: string])[] = [
  ["Containers", "Containers"],
  [" Running", "ContainersRunning"],
  [" Paused", "ContainersPaused"],
  [" Stopped", "ContainersStopped"],
  ["Images", "Images"],
  ["Server Version", "ServerVersion"],
  ["Storage Driver", "Driver"],
  ["Logging Driver", "LoggingDriver"],
  ["Cgroup Driver", "CgroupDriver"],
  ["Cgroup Version", "CgroupVersion"],
  ["Default Runtime", "DefaultRuntime"],
  ["Init Binary", "InitBinary"],
  ["Security Options", "SecurityOptions"],
  ["Kernel Version", "KernelVersion"],
  ["Operating System", "OperatingSystem"],
  ["OSType", "OSType"],
  ["Architecture", "Architecture"],
  ["CPUs", "NCPU"],
  ["Total Memory", "MemTotal"],
  ["Name", "Name"],
  ["ID", "ID"],
  ["Docker Root Dir", "DockerRootDir"],
];

/** Display system-wide information. */
export const info = command({
  name: "info",
  summary: "Display system-wide information",
  args: "",
  flags: { format: { type: "string", short: "f", help: INSPECT_FORMAT_HELP } },
  async run({ flags, engine, out, err }) {
    const info = await engine.system.info();
    if (flags.format === "json") return out.line(JSON.stringify(info));
    if (flags.format !== "") return out.line(await render(flags.format, info));
    out.line(`Client:\n Version:    ${version}\n Context:    default\n\nServer:`);
    for (const [title, field] of LINES) {
      const value = info[field];
      if (value === undefined || value === "") continue;
      if (field === "SecurityOptions") {
        out.line(` ${title}:`);
        for (const option of value as string[]) out.line(`  ${option.replace(/^name=/, "")}`);
      } else if (field === "MemTotal") out.line(` ${title}: ${formatBinarySize(Number(value))}`);
      else out.line(` ${title}: ${value}`);
      if (field === "Driver") {
        for (const [name, text] of (info["DriverStatus"] as string[][] | undefined) ?? []) {
          out.line(`  ${name}: ${text}`);
        }
      }
    }
    for (const warning of (info["Warnings"] as string[] | undefined) ?? []) err.line(warning);
  },
});
