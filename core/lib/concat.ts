/**
 * Joining bytes.
 *
 * @module
 */

/** All of `parts` in order, as one array; an only part is returned itself. */
export function concat<T extends Uint8Array>(parts: readonly T[]): T | Uint8Array<ArrayBuffer> {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
