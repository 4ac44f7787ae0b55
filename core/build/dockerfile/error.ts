/**
 * What is wrong with a Dockerfile, and where: errors that show the lines they speak of.
 *
 * @module
 */
import { DhowError, type ErrorCode } from "../../errors.ts";
import { printable } from "../../lib/printable.ts";
import type { SourceRange } from "./ast.ts";

/** Characters of a line that are shown. */
const MAX_SHOWN = 2000;

/** Where text came from. */
export interface Source {
  /** `Dockerfile`. */
  name: string;
  lines: readonly string[];
}

/** Is told without `dockerfile parse error on line N: `, as docker tells faults of form. */
export class FormError extends Error {}

/** Something in a Dockerfile cannot be built. The message begins with `failed to solve: `, as docker's. */
export class DockerfileError extends DhowError {
  /** Where, if it is anywhere. */
  readonly range: SourceRange | undefined;
  /** File, line and the source lines, ending in a line feed; empty if it is nowhere. Goes above the message. */
  readonly excerpt: string;

  /** @param message Without `failed to solve: `. */
  constructor(
    message: string,
    place: { source?: Source; range?: SourceRange } = {},
    options: ErrorOptions & { code?: ErrorCode } = {},
  ) {
    super(
      options.code ?? "invalid_argument",
      `failed to solve: ${printableLines(message)}`,
      options,
    );
    this.range = place.range;
    this.excerpt = place.source !== undefined && place.range !== undefined
      ? formatExcerpt(place.source, place.range)
      : "";
  }

  /** By what it has: a program may hold this class twice, once from the bundle and once from the sources. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof DhowError && "excerpt" in value;
  }
}

/**
 * The lines of `range` and some around them, those in it marked:
 *
 * ```text
 * Dockerfile:2
 * --------------------
 *    1 |     FROM busybox
 *    2 | >>> RUNN echo
 * --------------------
 * ```
 *
 * @returns Empty if there are no such lines.
 */
export function formatExcerpt(source: Source, range: SourceRange): string {
  const count = source.lines.length;
  if (range.start < 1 || range.start > count) return "";
  let first = range.start;
  let last = Math.min(Math.max(range.end, range.start), count);
  const marked = last;
  const wanted = first === last ? 4 : 2;
  // Lines are added above and below in turn; a turn that adds none counts too.
  for (let added = 0; added < wanted; added++) {
    if (first > 1) {
      first--;
      added++;
    }
    if (last < count) {
      last++;
      added++;
    }
  }
  const rule = "-".repeat(20);
  const rows: string[] = [];
  for (let line = first; line <= last; line++) {
    const mark = line >= range.start && line <= marked ? ">>>" : "   ";
    rows.push(` ${String(line).padStart(3)} | ${mark} ${printableLine(source.lines[line - 1]!)}`);
  }
  return [`${printable(source.name)}:${range.start}`, rule, ...rows, rule, ""].join("\n");
}

function printableLines(text: string): string {
  return text.split("\n").map((line) => printable(line, MAX_SHOWN)).join("\n");
}

/** Tabs stay. */
function printableLine(line: string): string {
  const shown = line.slice(0, MAX_SHOWN).split("\t");
  return shown.map((part) => printable(part.replaceAll("\r", ""))).join("\t");
}
