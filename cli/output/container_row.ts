/**
 * A container as `ps` shows it.
 *
 * @module
 */
import { formatHumanDuration } from "../../core/lib/duration.ts";
import { formatSize } from "../../core/lib/units.ts";
import type { ContainerSummary } from "../../core/spec/docker_api.ts";
import { formatPorts } from "./ports.ts";
import { ellipsis, type Row, shortId } from "./rows.ts";
import { formatGoTime } from "./time.ts";

/** Titles of the columns. */
export const containerHeaders = {
  ID: "CONTAINER ID",
  Names: "NAMES",
  Image: "IMAGE",
  Command: "COMMAND",
  CreatedAt: "CREATED AT",
  RunningFor: "CREATED",
  Ports: "PORTS",
  State: "STATE",
  Status: "STATUS",
  Size: "SIZE",
  Labels: "LABELS",
  Mounts: "MOUNTS",
  LocalVolumes: "LOCAL VOLUMES",
  Networks: "NETWORKS",
  Platform: "PLATFORM",
  Label: (name: string) => name.slice(name.lastIndexOf(".") + 1).replace(/[-_]/g, " "),
} as const;

/** Fields of docker's default table. */
export const containerColumns: readonly string[] = [
  "ID",
  "Image",
  "Command",
  "RunningFor",
  "Status",
  "Ports",
  "Names",
];

/** Everything `--format` can show of a container. */
export function toContainerRow(summary: ContainerSummary, options: { truncate: boolean }): Row {
  const { truncate } = options;
  const short = (text: string, max: number) => truncate ? ellipsis(text, max) : text;
  const image = summary.Image === "" ? "<no image>" : summary.Image;
  const mounts = summary.Mounts.map((mount) => short(mount.Name || mount.Source, 15));
  const labels = Object.entries(summary.Labels).map(([name, value]) => `${name}=${value}`);
  return {
    Command: JSON.stringify(short(summary.Command, 20)),
    CreatedAt: formatGoTime(summary.Created),
    ID: truncate ? shortId(summary.Id) : summary.Id,
    Image: truncate && image.startsWith("sha256:") ? shortId(image) : image,
    Labels: labels.sort().join(","),
    LocalVolumes: String(summary.Mounts.filter((mount) => mount.Driver === "local").length),
    Mounts: mounts.join(","),
    Names: summary.Names.map((name) => name.replace(/^\//, ""))
      .filter((name) => !truncate || !name.includes("/")).join(","),
    Networks: Object.keys(summary.NetworkSettings.Networks).sort().join(","),
    Platform: null,
    Ports: formatPorts(summary.Ports),
    RunningFor: formatHumanDuration(Date.now() / 1000 - summary.Created) + " ago",
    Size: formatSizes(summary),
    State: summary.State,
    Status: summary.Status,
    Label: (name: string) => summary.Labels[name] ?? "",
  };
}

function formatSizes({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  const own = formatSize(SizeRw);
  return SizeRootFs > 0 ? `${own} (virtual ${formatSize(SizeRootFs)})` : own;
}
