/**
 * One line of the benchmark: what was measured, on both sides, and what was to be reached.
 *
 * @module
 */

/** Times in milliseconds, or sizes in kB. */
export interface Sample {
  median: number;
  min: number;
}

/** A line. */
export interface Row {
  name: string;
  unit: "ms" | "kB";
  dhow: Sample;
  /** Who it is compared with; absent where there is no such tool. */
  peer?: Sample & { name: string };
  /** The largest ratio of the medians, or the largest value, that is good. */
  target: { kind: "ratio"; max: number } | { kind: "value"; max: number };
  /** What went wrong meanwhile; a row with any has missed its target. */
  failures?: string[];
}

/** dhow's median in relation to the peer's. */
export function ratio(row: Row): number | undefined {
  return row.peer && row.dhow.median / row.peer.median;
}

/** Whether the target was reached; undefined where nothing is there to compare with. */
export function isReached(row: Row): boolean | undefined {
  if (row.failures?.length) return false;
  const value = row.target.kind === "value" ? row.dhow.median : ratio(row);
  return value === undefined ? undefined : value <= row.target.max;
}

/** Median and minimum of some measurements. */
export function sample(values: readonly number[]): Sample {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [(sorted.length - 1) >> 1, sorted.length >> 1].map((i) => sorted[i] ?? NaN);
  return { median: (low! + high!) / 2, min: sorted[0] ?? NaN };
}

const WIDTHS = [38, 22, 30, 8, 10];

/** The table's head. */
export function formatHead(): string {
  return columns(["", "dhow: median (min)", "peer: median (min)", "ratio", "target", ""]);
}

/** A row as text. */
export function formatRow(row: Row): string {
  const value = ({ median, min }: Sample) => `${median.toFixed(1)} ${row.unit} (${min.toFixed(1)})`;
  const reached = isReached(row);
  const line = columns([
    row.name,
    value(row.dhow),
    row.peer ? `${row.peer.name} ${value(row.peer)}` : "-",
    ratio(row)?.toFixed(2) ?? "-",
    row.target.kind === "ratio" ? `<= ${row.target.max}` : `<= ${row.target.max} ${row.unit}`,
    reached === undefined ? "" : reached ? "ok" : "MISSED",
  ]);
  return [line, ...(row.failures ?? []).map((text) => `  failed: ${text}`)].join("\n");
}

function columns(cells: readonly string[]): string {
  return cells.map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0)).join("  ").trimEnd();
}
