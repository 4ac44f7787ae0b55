/**
 * Values as Go's fmt package writes them: an image's history is in its words.
 *
 * @module
 */

/** `%q` of a string. */
export function goQuote(text: string): string {
  return `"${[...text].map((char) => char === '"' ? '\\"' : escaped(char)).join("")}"`;
}

/** `%q` of a list: `["a" "b"]`. */
export function goQuoteList(values: readonly string[]): string {
  return `[${values.map(goQuote).join(" ")}]`;
}

/** `%q` of a number: the character of that number. */
export function goQuoteRune(code: number): string {
  const char = String.fromCodePoint(code);
  return `'${char === "'" ? "\\'" : escaped(char)}'`;
}

/** A duration: `1m30s`, `500ms`. */
export function goDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1e9) {
    const [unit, size] = nanoseconds < 1e3
      ? ["ns", 1]
      : nanoseconds < 1e6
      ? ["µs", 1e3]
      : ["ms", 1e6];
    return `${nanoseconds / (size as number)}${unit}`;
  }
  const seconds = nanoseconds / 1e9;
  const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;
  const rest = `${Number((seconds % 60).toFixed(9))}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

function escaped(char: string): string {
  const known = ESCAPES[char];
  if (known !== undefined) return known;
  const code = char.codePointAt(0)!;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, "0")}`;
  return char;
}
