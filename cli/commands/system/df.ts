/**
 * `dhow system df`.
 *
 * @module
 */
import type { CacheRecord } from "../../../core/build/prune_cache.ts";
import { formatHumanDuration } from "../../../core/lib/duration.ts";
import { printable } from "../../../core/lib/printable.ts";
import { formatSize } from "../../../core/lib/units.ts";
import type { DiskUsage, UsageTotal, VolumeUsage } from "../../../core/spec/docker_api.ts";
import { command } from "../../command.ts";
import { containerHeaders, toContainerRow } from "../../output/container_row.ts";
import { FORMAT_HELP } from "../../output/format_help.ts";
import { imageHeaders, toImageRows } from "../../output/image_row.ts";
import { formatJsonRow } from "../../output/json.ts";
import { formatRows, type Row } from "../../output/rows.ts";

const HEADERS = {
  Type: "TYPE",
  TotalCount: "TOTAL",
  Active: "ACTIVE",
  Size: "SIZE",
  Reclaimable: "RECLAIMABLE",
};
const VOLUME_HEADERS = { Name: "VOLUME NAME", Links: "LINKS", Size: "SIZE" };
const CACHE_HEADERS = {
  ID: "CACHE ID",
  CacheType: "CACHE TYPE",
  Size: "SIZE",
  CreatedSince: "CREATED",
  LastUsedSince: "LAST USED",
  UsageCount: "USAGE",
  Shared: "SHARED",
};

/** Show disk usage. */
export const diskUsage = command({
  name: "df",
  summary: "Show dhow disk usage",
  args: "",
  flags: {
    format: { type: "string", help: FORMAT_HELP },
    verbose: { type: "bool", short: "v", help: "Show detailed information on space usage" },
  },
  async run({ flags, engine, out }) {
    const usage = await engine.system.diskUsage();
    if (!flags.verbose) return out.write(await totals(usage, flags.format));
    const cache = (await engine.builder.diskUsage()).map(cacheRow);
    out.write(await verbose(usage, { format: flags.format, cache }));
  },
});

async function totals(usage: DiskUsage, format: string): Promise<string> {
  const rows = [
    totalRow("Images", usage.images),
    totalRow("Containers", usage.containers),
    totalRow("Local Volumes", usage.volumes),
    totalRow("Build Cache", usage.buildCache),
  ];
  return await formatRows(rows, {
    format,
    columns: ["Type", "TotalCount", "Active", "Size", "Reclaimable"],
    headers: HEADERS,
    typeName: "*formatter.diskUsageImagesContext",
  });
}

function totalRow(type: string, { count, active, bytes, reclaimableBytes }: UsageTotal): Row {
  const percent = bytes > 0 ? ` (${Math.trunc(reclaimableBytes * 100 / bytes)}%)` : "";
  return {
    Active: String(active),
    Reclaimable: formatSize(reclaimableBytes, 4) + percent,
    Size: formatSize(bytes, 4),
    TotalCount: String(count),
    Type: type,
  };
}

async function verbose(
  usage: DiskUsage,
  { format, cache }: { format: string; cache: Row[] },
): Promise<string> {
  const truncate = format === "";
  const images = usage.images.items.flatMap((image) =>
    toImageRows(image, { truncate }).map((row) => ({
      ...row,
      Containers: String(image.Containers),
      SharedSize: formatSize(image.SharedSize, 4),
      UniqueSize: formatSize(image.UniqueSize, 4),
    }))
  );
  const containers = usage.containers.items.map((one) => {
    const { Label: _, ...row } = toContainerRow(one, { truncate });
    return { ...row, Size: formatSize(one.SizeRw ?? 0, 4) };
  });
  const volumes = usage.volumes.items.map(volumeRow);
  if (format === "json") {
    return formatJsonRow({
      Images: images,
      Containers: containers,
      Volumes: volumes,
      BuildCache: cache,
    }) + "\n";
  }
  const table = (rows: Row[], columns: string[], headers: Readonly<Record<string, unknown>>) =>
    formatRows(rows, { format: "", columns, headers, typeName: "" });
  const imageColumns = "Repository Tag ID CreatedSince Size SharedSize UniqueSize Containers";
  const containerColumns = "ID Image Command LocalVolumes Size RunningFor Status Names";
  return `Images space usage:\n\n${await table(images, imageColumns.split(" "), imageHeaders)}` +
    `\nContainers space usage:\n\n${await table(
      containers,
      containerColumns.split(" "),
      containerHeaders,
    )}\nLocal Volumes space usage:\n\n${await table(
      volumes,
      Object.keys(VOLUME_HEADERS),
      VOLUME_HEADERS,
    )}\nBuild cache usage: ${formatSize(usage.buildCache.bytes, 4)}\n\n${await table(
      cache.map((row) => ({ ...row, ID: String(row.ID).slice(0, 12) })),
      Object.keys(CACHE_HEADERS),
      CACHE_HEADERS,
    )}`;
}

function cacheRow(record: CacheRecord): Row {
  const since = (ms: number) => `${formatHumanDuration((Date.now() - ms) / 1000)} ago`;
  return {
    CacheType: record.type,
    CreatedSince: since(Date.parse(record.createdAt)),
    Description: printable(record.description),
    ID: record.id,
    InUse: String(record.isInUse),
    LastUsedSince: since(record.lastUsedMs),
    Shared: String(record.isShared),
    Size: formatSize(record.sizeBytes, 4),
    // Uses are not counted.
    UsageCount: "-",
  };
}

function volumeRow({ Name, Driver, Mountpoint, Labels, UsageData }: VolumeUsage): Row {
  return {
    Availability: "N/A",
    Driver,
    Group: "N/A",
    Labels: Object.entries(Labels).map(([key, value]) => `${key}=${value}`).sort().join(","),
    Links: String(UsageData.RefCount),
    Mountpoint,
    Name,
    Scope: "local",
    Size: formatSize(UsageData.Size, 4),
    Status: "N/A",
  };
}
