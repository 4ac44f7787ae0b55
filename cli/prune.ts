/**
 * What the prune commands share: flags, the question, the report.
 *
 * @module
 */
import type { PruneReport } from "../core/engine/engine.ts";
import { formatSize } from "../core/lib/units.ts";
import { confirm } from "./confirm.ts";
import { checkFilter } from "./flag_checks.ts";
import type { FlagTable } from "./flags.ts";
import type { Output } from "./output/stream.ts";

/** Flags of every prune command. */
export const pruneFlags = {
  filter: {
    type: "list",
    hint: "filter",
    help: 'Provide filter values (e.g. "until=<timestamp>")',
    check: checkFilter,
  },
  force: { type: "bool", short: "f", help: "Do not prompt for confirmation" },
} as const satisfies FlagTable;

/** Asks unless forced. @param what The sentence after `WARNING!`. */
export async function mayPrune(what: string, force: boolean, out: Output): Promise<boolean> {
  return force || await confirm(`WARNING! ${what}\nAre you sure you want to continue?`, out);
}

/** Prints a list of what has gone, if there is anything. @param title `Deleted Containers`. */
export function reportPruned(title: string, { removed }: PruneReport, out: Output): void {
  if (removed.length > 0) out.line(`${title}:\n${removed.join("\n")}\n`);
}

/** Prints the last line. */
export function reportReclaimed(bytes: number, out: Output): void {
  out.line(`Total reclaimed space: ${formatSize(bytes, 4)}`);
}
