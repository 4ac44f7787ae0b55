/**
 * `dhow builder du`.
 *
 * @module
 */
import type { CacheRecord } from "../../../core/build/prune_cache.ts";
import { formatHumanDuration } from "../../../core/lib/duration.ts";
import { printable } from "../../../core/lib/printable.ts";
import { formatSize } from "../../../core/lib/units.ts";
import { command } from "../../command.ts";
import { formatRows } from "../../output/rows.ts";

const HEADERS = {
  ID: "ID",
  Reclaimable: "RECLAIMABLE",
  Size: "SIZE",
  LastAccessed: "LAST ACCESSED",
};

/** Disk usage. */
export const builderUsage = command({
  name: "du",
  summary: "Disk usage",
  args: "",
  flags: { verbose: { type: "bool", help: "Provide a more verbose output" } },
  async run({ flags, engine, out }) {
    const records = await engine.builder.diskUsage();
    if (flags.verbose) { for (const record of records) out.line(describe(record)); }
    else {
      const rows = records.map((record) => ({
        ID: record.id,
        Reclaimable: String(isReclaimable(record)),
        Size: formatSize(record.sizeBytes, 4) + (record.isShared ? "*" : ""),
        LastAccessed: `${formatHumanDuration((Date.now() - record.lastUsedMs) / 1000)} ago`,
      }));
      const columns = Object.keys(HEADERS);
      out.write(await formatRows(rows, { format: "", columns, headers: HEADERS, typeName: "" }));
    }
    const total = (some: readonly CacheRecord[]) =>
      formatSize(some.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), 4);
    const shared = records.filter(({ isShared }) => isShared);
    if (shared.length > 0) out.line(`Shared:\t\t${total(shared)}`);
    out.line(`Reclaimable:\t${total(records.filter(isReclaimable))}`);
    out.line(`Total:\t\t${total(records)}`);
  },
});

/** What an image is made of stays, whether the cache knows it or not. */
function isReclaimable({ isShared, isInUse }: CacheRecord): boolean {
  return !isShared && !isInUse;
}

function describe(record: CacheRecord): string {
  const lines = {
    "ID": record.id,
    "Created at": record.createdAt,
    "Reclaimable": String(isReclaimable(record)),
    "Shared": String(record.isShared),
    "Size": formatSize(record.sizeBytes, 4),
    "Description": printable(record.description),
    "Last used": new Date(record.lastUsedMs).toISOString(),
    "Type": record.type,
  };
  return Object.entries(lines).map(([name, value]) => `${`${name}:`.padEnd(16)}${value}\n`).join(
    "",
  );
}
