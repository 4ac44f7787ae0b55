/**
 * The filters that every `prune` has: `until`, `label` and `label!`.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { parseTimestamp } from "./duration.ts";
import { matchesLabel } from "./labels.ts";

/**
 * Which of the things that can be pruned pass the filters every prune has.
 *
 * @throws {DhowError} `invalid_argument` in docker's words.
 */
export function pruneFilter(
  filters: Record<string, string[]>,
): (createdMs: number, labels: Record<string, string>) => boolean {
  const unknown = Object.keys(filters).find((name) => !["until", "label", "label!"].includes(name));
  if (unknown !== undefined) {
    throw new DhowError("invalid_argument", `invalid filter '${unknown}'`);
  }
  const until = filters.until ?? [];
  if (until.length > 1) {
    throw new DhowError("invalid_argument", "more than one until filter specified");
  }
  const untilMs = until.map(parseUntil)[0] ?? Infinity;
  const wanted = filters.label ?? [], unwanted = filters["label!"] ?? [];
  return (createdMs, labels) =>
    createdMs < untilMs && wanted.every((label) => matchesLabel(label, labels)) &&
    !unwanted.some((label) => matchesLabel(label, labels));
}

function parseUntil(text: string): number {
  try {
    return Number(parseTimestamp(text, Date.now()) / 1_000_000n);
  } catch (cause) {
    throw new DhowError("invalid_argument", (cause as Error).message, { cause });
  }
}
