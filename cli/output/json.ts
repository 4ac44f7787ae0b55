/**
 * JSON as docker's commands print it.
 *
 * @module
 */

/** Indented by four blanks, as `docker inspect` does. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value, undefined, 4);
}

/** On one line with sorted keys, as docker's formatters print a row (`ps --format json`). */
export function formatJsonRow(row: Readonly<Record<string, unknown>>): string {
  const sorted: Record<string, unknown> = {};
  for (const key of Object.keys(row).sort()) sorted[key] = row[key];
  // Go's encoder escapes these for HTML, and so do docker's rows.
  return JSON.stringify(sorted).replaceAll(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}
