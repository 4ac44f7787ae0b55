/**
 * Whether keywords are written in capitals.
 *
 * @module
 */

/** Whether `text` has no capitals. */
export function isLowerCase(text: string): boolean {
  return text === text.toLowerCase();
}

/** Whether `text` has capitals only. */
export function isUpperCase(text: string): boolean {
  return text === text.toUpperCase();
}

/** The first word of an instruction, as it was written. */
export function keywordOf(original: string): string {
  return /^\S*/.exec(original)![0];
}
