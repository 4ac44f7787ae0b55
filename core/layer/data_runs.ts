/**
 * Blocks of zeros need not be written: what is skipped is a hole, and reads the same.
 *
 * @module
 */

/** What file systems keep or leave out as a whole. */
const BLOCK = 4096;

/**
 * The parts of `bytes` that are worth writing, as offsets within it: all but whole blocks of zeros.
 *
 * @param offset Where in the file `bytes` begin.
 */
export function dataRuns(bytes: Uint8Array, offset: number): [from: number, to: number][] {
  const runs: [number, number][] = [];
  let from = 0;
  let at = Math.min((BLOCK - offset % BLOCK) % BLOCK, bytes.length);
  for (; at + BLOCK <= bytes.length; at += BLOCK) {
    // Most blocks are told by their first byte.
    if (bytes[at] !== 0 || !isZero(bytes, at, at + BLOCK)) continue;
    if (at > from) runs.push([from, at]);
    from = at + BLOCK;
  }
  if (from < bytes.length) runs.push([from, bytes.length]);
  return runs;
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false;
  return true;
}
