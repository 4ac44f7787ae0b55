/**
 * What counts as a blank in a Dockerfile.
 *
 * @module
 */

/** Unicode's white space: other than JavaScript's `\s`, with the next-line control and without the byte order mark. */
const CLASS = "\\t\\n\\v\\f\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

const ONE = new RegExp(`^[${CLASS}]$`);
const SOME = new RegExp(`[${CLASS}]+`);
const LEADING = new RegExp(`^[${CLASS}]+`);

/** Whether `character` is a blank. */
export function isBlank(character: string): boolean {
  const code = character.charCodeAt(0);
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return ONE.test(character);
}

/** Without the blanks at its start. */
export function trimStart(text: string): string {
  return text.replace(LEADING, "");
}

/** Without the blanks at both ends. */
export function trim(text: string): string {
  return trimStart(trimEnd(text, isBlank));
}

/** Without what goes at the end. A regular expression would look at each run of it from each of its characters. */
export function trimEnd(text: string, goes: (character: string) => boolean): string {
  let end = text.length;
  while (end > 0 && goes(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** What is between blanks; empty where a blank is at an end. */
export function splitAtBlanks(text: string): string[] {
  if (text.length === 1) return isBlank(text) ? ["", ""] : [text];
  return text.split(SOME);
}

/** Words between blanks; a line feed is none. */
export function splitBlanks(text: string): string[] {
  return text.split(/[\t\v\f\r ]+/);
}
