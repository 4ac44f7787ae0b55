/**
 * `dhow image prune`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { toFilters } from "../../output/rows.ts";
import { mayPrune, pruneFlags, reportPruned, reportReclaimed } from "../../prune.ts";

/** Remove unused images. */
export const pruneImages = command({
  name: "prune",
  summary: "Remove unused images",
  args: "",
  flags: {
    all: { type: "bool", short: "a", help: "Remove all unused images, not just dangling ones" },
    ...pruneFlags,
  },
  async run({ flags, engine, out }) {
    const what = flags.all
      ? "This will remove all images without at least one container associated to them."
      : "This will remove all dangling images.";
    if (!await mayPrune(what, flags.force, out)) return;
    const report = await engine.images.prune({
      all: flags.all,
      filters: toFilters(flags.filter),
    });
    reportPruned("Deleted Images", report, out);
    reportReclaimed(report.reclaimedBytes, out);
  },
});
