/**
 * `dhow system prune`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import { toFilters } from "../../output/rows.ts";
import { mayPrune, pruneFlags, reportPruned, reportReclaimed } from "../../prune.ts";

/** Remove unused data. */
export const pruneSystem = command({
  name: "prune",
  summary: "Remove unused data",
  args: "",
  flags: {
    all: { type: "bool", short: "a", help: "Remove all unused images not just dangling ones" },
    ...pruneFlags,
    filter: { ...pruneFlags.filter, help: 'Provide filter values (e.g. "label=<key>=<value>")' },
    volumes: { type: "bool", help: "Prune anonymous volumes" },
  },
  async run({ flags, engine, out }) {
    const { all, volumes } = flags;
    const filters = toFilters(flags.filter);
    if (volumes && filters.until !== undefined) {
      throw new ExitError(1, 'ERROR: The "until" filter is not supported with "--volumes"');
    }
    if (!await mayPrune(warning(flags), flags.force, out)) return;
    const report = await engine.system.prune({ all, volumes, filters });
    reportPruned("Deleted Containers", report.containers, out);
    reportPruned("Deleted Networks", { removed: report.networks, reclaimedBytes: 0 }, out);
    reportPruned("Deleted Volumes", report.volumes, out);
    reportPruned("Deleted Images", report.images, out);
    reportPruned("Deleted build cache objects", report.buildCache, out);
    const kinds = [report.containers, report.volumes, report.images, report.buildCache];
    reportReclaimed(kinds.reduce((sum, { reclaimedBytes }) => sum + reclaimedBytes, 0), out);
  },
});

function warning(flags: { all: boolean; volumes: boolean; filter: string[] }): string {
  const lines = [
    "all stopped containers",
    "all networks not used by at least one container",
    ...flags.volumes ? ["all anonymous volumes not used by at least one container"] : [],
    flags.all
      ? "all images without at least one container associated to them"
      : "all dangling images",
    flags.all ? "all build cache" : "unused build cache",
  ].map((line) => `  - ${line}\n`);
  const filters = flags.filter.toSorted().map((filter) => `  - ${filter}\n`);
  const note = filters.length === 0
    ? ""
    : `\n  Items to be pruned will be filtered with:\n${filters.join("")}`;
  return `This will remove:\n${lines.join("")}${note}`;
}
