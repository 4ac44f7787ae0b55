/**
 * `dhow volume prune`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import { toFilters } from "../../output/rows.ts";
import { mayPrune, pruneFlags, reportPruned, reportReclaimed } from "../../prune.ts";

/** Remove unused local volumes. */
export const pruneVolumes = command({
  name: "prune",
  summary: "Remove unused local volumes",
  args: "",
  flags: {
    all: { type: "bool", short: "a", help: "Remove all unused volumes, not just anonymous ones" },
    ...pruneFlags,
    filter: { ...pruneFlags.filter, help: 'Provide filter values (e.g. "label=<label>")' },
  },
  async run({ flags, engine, out }) {
    const filters = toFilters(flags.filter);
    if (flags.all) {
      if (filters.all !== undefined) {
        throw new ExitError(1, "conflicting options: cannot specify both --all and --filter all=1");
      }
      filters.all = ["true"];
    }
    const which = flags.all ? "all" : "anonymous";
    const what = `This will remove ${which} local volumes not used by at least one container.`;
    if (!await mayPrune(what, flags.force, out)) return;
    const report = await engine.volumes.prune(filters);
    reportPruned("Deleted Volumes", report, out);
    reportReclaimed(report.reclaimedBytes, out);
  },
});
