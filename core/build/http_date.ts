/**
 * Times as HTTP writes them.
 *
 * @module
 */

/** Unix seconds of a `Last-Modified`; undefined if it is no time. */
export function parseTimestamp(text: string): number | undefined {
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}
