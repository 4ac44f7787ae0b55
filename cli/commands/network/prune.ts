/**
 * `dhow network prune`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { toFilters } from "../../output/rows.ts";
import { mayPrune, pruneFlags, reportPruned } from "../../prune.ts";

/** Remove all unused networks. */
export const pruneNetworks = command({
  name: "prune",
  summary: "Remove all unused networks",
  args: "",
  flags: pruneFlags,
  async run({ flags, engine, out }) {
    const what = "This will remove all custom networks not used by at least one container.";
    if (!await mayPrune(what, flags.force, out)) return;
    const removed = await engine.networks.prune(toFilters(flags.filter));
    reportPruned("Deleted Networks", { removed, reclaimedBytes: 0 }, out);
  },
});
