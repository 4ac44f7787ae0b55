/**
 * What `build --check` prints, as docker prints it.
 *
 * @module
 */
import type { BuildWarning } from "./ast.ts";
import { formatExcerpt, type Source } from "./error.ts";

/**
 * The report of all warnings, in the order of their lines, ending in a line feed.
 *
 * @param source The Dockerfile, by the name that is to be shown.
 */
export function formatCheck(source: Source, warnings: readonly BuildWarning[]): string {
  const count = warnings.length;
  if (count === 0) return "Check complete, no warnings found.\n";
  const found = count === 1 ? "1 warning has" : `${count} warnings have`;
  const sorted = [...warnings].sort((a, b) => (a.range?.start ?? 0) - (b.range?.start ?? 0));
  const parts = sorted.map(({ rule, url, message, range }) => {
    const excerpt = range === undefined ? "" : formatExcerpt(source, range);
    return `\nWARNING: ${rule} - ${url}\n${message}\n${excerpt}`;
  });
  return `Check complete, ${found} been found!\n${parts.join("")}`;
}
