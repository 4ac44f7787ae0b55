/**
 * Lists of fields in one word, as docker's flags have them: `type=bind,"source=a,b",ro`.
 *
 * @module
 */

/** One line of CSV: commas separate, double quotes protect. */
export function splitCsv(text: string): string[] {
  const fields: string[] = [];
  const pattern = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g;
  for (const [, quoted, plain] of text.matchAll(pattern)) {
    fields.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'));
  }
  return fields;
}
