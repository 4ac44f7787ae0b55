/**
 * `dhow container prune`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { toFilters } from "../../output/rows.ts";
import { mayPrune, pruneFlags, reportPruned, reportReclaimed } from "../../prune.ts";

/** Remove all stopped containers. */
export const pruneContainers = command({
  name: "prune",
  summary: "Remove all stopped containers",
  args: "",
  flags: pruneFlags,
  async run({ flags, engine, out }) {
    const what = "This will remove all stopped containers.";
    if (!await mayPrune(what, flags.force, out)) return;
    const report = await engine.containers.prune(toFilters(flags.filter));
    reportPruned("Deleted Containers", report, out);
    reportReclaimed(report.reclaimedBytes, out);
  },
});
