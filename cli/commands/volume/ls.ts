/**
 * `dhow volume ls`.
 *
 * @module
 */
import type { VolumeInspect } from "../../../core/spec/docker_api.ts";
import { command } from "../../command.ts";
import { checkFilter } from "../../flag_checks.ts";
import { FORMAT_HELP } from "../../output/format_help.ts";
import { formatRows, type Row, toFilters } from "../../output/rows.ts";

const HEADERS = {
  Availability: "AVAILABILITY",
  Driver: "DRIVER",
  Group: "GROUP",
  Labels: "LABELS",
  Links: "LINKS",
  Mountpoint: "MOUNTPOINT",
  Name: "VOLUME NAME",
  Scope: "SCOPE",
  Size: "SIZE",
  Status: "STATUS",
} as const;

/** List volumes. */
export const listVolumes = command({
  name: "ls",
  summary: "List volumes",
  args: "",
  flags: {
    filter: {
      type: "list",
      short: "f",
      hint: "filter",
      help: 'Provide filter values (e.g. "dangling=true")',
      check: checkFilter,
    },
    format: { type: "string", help: FORMAT_HELP },
    quiet: { type: "bool", short: "q", help: "Only display volume names" },
  },
  async run({ flags, engine, out }) {
    const volumes = await engine.volumes.list({ filters: toFilters(flags.filter) });
    const format = flags.quiet && ["", "table"].includes(flags.format) ? "{{.Name}}" : flags.format;
    out.write(
      await formatRows(volumes.map(toRow), {
        format,
        columns: ["Driver", "Name"],
        headers: HEADERS,
        typeName: "*formatter.volumeContext",
      }),
    );
  },
});

/** What only swarms and `system df` know is `N/A`, as in docker. */
function toRow({ Driver, Labels, Mountpoint, Name, Scope }: VolumeInspect): Row {
  const labels = Labels ?? {};
  return {
    Availability: "N/A",
    Driver,
    Group: "N/A",
    Label: (key: string) => labels[key] ?? "",
    Labels: Object.entries(labels).map(([key, value]) => `${key}=${value}`).sort().join(","),
    Links: "N/A",
    Mountpoint,
    Name,
    Scope,
    Size: "N/A",
    Status: "N/A",
  };
}
