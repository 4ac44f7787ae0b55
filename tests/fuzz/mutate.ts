/**
 * Spoils inputs: the same ones for the same seed and number.
 *
 * @module
 */
import { seededRandom } from "../helpers/tar.ts";
import type { FuzzTarget, Input } from "./target.ts";

const MAX_BYTES = 4096;

/** Makes input number `index` of a run. */
export function makeInput(
  target: FuzzTarget,
  seeds: readonly Input[],
  { seed, index }: { seed: number; index: number },
): Input {
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const below = (count: number) => Math.floor(random() * count);
  let bytes = [...seeds[below(seeds.length)]!];
  const changes = 1 + below(8);
  for (let i = 0; i < changes; i++) bytes = change(bytes);
  return new Uint8Array(bytes.slice(0, target.maxBytes ?? MAX_BYTES));

  function change(bytes: number[]): number[] {
    const at = below(bytes.length + 1);
    const length = 1 + below(Math.min(32, bytes.length - at + 1));
    const put = (words: number[], replaced = 0) => [
      ...bytes.slice(0, at),
      ...words,
      ...bytes.slice(at + replaced),
    ];
    switch (below(9)) {
      case 0:
        return put([below(256)], 1);
      case 1:
        return put([], length);
      case 2:
        return put(bytes.slice(at, at + length));
      case 3:
        return put(word(), below(2) * length);
      case 4:
        return put(repeat(word(), 1 + below(below(20) === 0 ? 20_000 : 200)));
      case 5: {
        const other = [...seeds[below(seeds.length)]!];
        return put(other.slice(below(other.length + 1)));
      }
      case 6:
        return bytes.slice(0, at);
      case 7: {
        const from = below(bytes.length + 1);
        return put(bytes.slice(from, from + 1 + below(64)));
      }
      default:
        return put([...word(), ...word(), ...word()]);
    }
  }

  function word(): number[] {
    return [...new TextEncoder().encode(target.dictionary[below(target.dictionary.length)])];
  }

  function repeat(words: number[], times: number): number[] {
    return Array.from({ length: times }, () => words).flat();
  }
}
