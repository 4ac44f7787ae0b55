/**
 * Sets of processors as text.
 *
 * @see man 7 cpuset, "List format"
 * @module
 */

/** The largest number that is taken: more than any machine has. */
const MAX_CPUS = 8192;

/** Reads `0-3,7`; undefined if it is no set of numbers. */
export function parseCpuSet(text: string): number[] | undefined {
  if (text === "") return [];
  const numbers: number[] = [];
  for (const part of text.split(",")) {
    const [, from, to = from] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim()) ?? [];
    const first = Number(from), last = Number(to);
    if (from === undefined || last < first || last >= MAX_CPUS) return undefined;
    for (let number = first; number <= last; number++) numbers.push(number);
  }
  return numbers;
}
