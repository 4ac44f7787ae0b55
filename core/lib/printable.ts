/**
 * Text of strangers, made safe to show on a terminal.
 *
 * @module
 */

/** Controls, marks that turn the direction of writing, and characters of no width. */
const UNSEEN =
  // deno-lint-ignore no-control-regex
  /[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]/g;

/**
 * `text` without escape sequences, other control characters and marks that turn the direction of writing; line feeds and
 * tabs become blanks.
 *
 * @param max Characters that are kept.
 */
export function printable(text: string, max: number = Infinity): string {
  const clean = text
    .slice(0, max === Infinity ? undefined : max * 16)
    // OSC, DCS and their like up to the terminator; CSI up to the final byte; any other escape of two characters.
    // deno-lint-ignore no-control-regex
    .replace(/(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)/g, "")
    // deno-lint-ignore no-control-regex
    .replace(/(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]/g, "")
    // deno-lint-ignore no-control-regex
    .replace(/\x1b[ -/]*[0-~]?/g, "")
    .replace(/[\t\n\r]+/g, " ")
    .replace(UNSEEN, "");
  const characters = max === Infinity || clean.length <= max ? undefined : [...clean];
  return characters === undefined ? clean : characters.slice(0, max).join("");
}
