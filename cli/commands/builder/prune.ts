/**
 * `dhow builder prune`.
 *
 * @module
 */
import { parseBytes } from "../../../core/lib/units.ts";
import { command } from "../../command.ts";
import { toFilters } from "../../output/rows.ts";
import { mayPrune, pruneFlags, reportPruned, reportReclaimed } from "../../prune.ts";

const bytes = { type: "custom", hint: "bytes", parse: parseBytes } as const;

/** Remove build cache. */
export const pruneBuilder = command({
  name: "prune",
  summary: "Remove build cache",
  args: "",
  flags: {
    ...pruneFlags,
    all: {
      type: "bool",
      short: "a",
      help: "Remove all unused build cache, not just dangling ones",
    },
    filter: { ...pruneFlags.filter, help: 'Provide filter values (e.g. "until=24h")' },
    keepStorage: {
      ...bytes,
      aliases: ["max-used-space", "reserved-space"],
      help: "Amount of disk space to keep for cache",
    },
  },
  async run({ flags, given, engine, out }) {
    const what = flags.all
      ? "This will remove all build cache."
      : "This will remove all dangling build cache.";
    if (!await mayPrune(what, flags.force, out)) return;
    const report = await engine.builder.prune({
      all: flags.all,
      filters: toFilters(flags.filter),
      ...given("keepStorage") && { keepStorageBytes: flags.keepStorage },
    });
    reportPruned("Deleted build cache objects", report, out);
    reportReclaimed(report.reclaimedBytes, out);
  },
});
