/**
 * Writing 64-bit words without making a bigint of each, which a cold start has no time for.
 *
 * @module
 */

const TWO_32 = 4294967296;

/** Writes `value`, two's complement and little-endian, at byte `at` (8-aligned) of `words`. */
export function putWord(words: Int32Array, at: number, value: number | bigint): void {
  const index = at >> 2;
  if (typeof value === "bigint") {
    words[index] = Number(BigInt.asIntN(32, value));
    words[index + 1] = Number(BigInt.asIntN(32, value >> 32n));
    return;
  }
  const high = Math.floor(value / TWO_32);
  words[index] = (value - high * TWO_32) | 0;
  words[index + 1] = high | 0;
}
