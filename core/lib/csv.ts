/**
 * Lists of fields in one word, as docker's flags have them: `type=bind,"source=a,b",ro`.
 *
 * @module
 */

/**
 * One line of CSV: commas separate, double quotes protect; in them a quote is doubled.
 *
 * @throws {Error} Go's words, where quotes are not around a whole field.
 */
export function splitCsv(text: string): string[] {
  const fields: string[] = [];
  let position = 0;
  while (position <= text.length) {
    const isQuoted = text[position] === '"';
    const pattern = isQuoted ? /"((?:[^"]|"")*)"(?=,|$)/y : /([^,"]*)(?=,|$)/y;
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match === null) throw malformed(text, position, isQuoted);
    fields.push(isQuoted ? match[1]!.replaceAll('""', '"') : match[1]!);
    position = pattern.lastIndex + 1;
  }
  return fields;
}

function malformed(text: string, field: number, isQuoted: boolean): Error {
  const column = isQuoted ? text.length : text.indexOf('"', field) + 1;
  const fault = isQuoted ? 'extraneous or missing " in quoted-field' : 'bare " in non-quoted-field';
  return new Error(`parse error on line 1, column ${column}: ${fault}`);
}
