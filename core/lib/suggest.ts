/**
 * What was probably meant by a name that nobody knows.
 *
 * @module
 */

/** As many slips of the pen are forgiven. */
const MAX_DISTANCE = 2;

/**
 * The one of `names` that is nearest to `name`, at most two changes of a character away.
 *
 * @param options `ignoreCase`: the answer is then written in capitals if `name` is.
 * @returns Undefined if none is near, or if `name` is one of them.
 */
export function suggest(
  name: string,
  names: Iterable<string>,
  options: { ignoreCase?: boolean } = {},
): string | undefined {
  const ignoreCase = options.ignoreCase ?? false;
  const wanted = ignoreCase ? name.toLowerCase() : name;
  let nearest: string | undefined;
  let nearestDistance = MAX_DISTANCE + 1;
  for (const candidate of names) {
    const known = ignoreCase ? candidate.toLowerCase() : candidate;
    if (known === wanted) return undefined;
    const distance = editDistance(wanted, known, nearestDistance);
    if (distance >= nearestDistance) continue;
    nearest = candidate;
    nearestDistance = distance;
  }
  if (nearest === undefined || !ignoreCase) return nearest;
  if (name === name.toLowerCase()) return nearest.toLowerCase();
  return name === name.toUpperCase() ? nearest.toUpperCase() : nearest.toLowerCase();
}

/** `(did you mean NAME?)` with a blank before it, or nothing. */
export function didYouMean(...parameters: Parameters<typeof suggest>): string {
  const nearest = suggest(...parameters);
  return nearest === undefined ? "" : ` (did you mean ${nearest}?)`;
}

/** Levenshtein's; any number from `limit` on stands for "too far". */
function editDistance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) return limit;
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const substitution = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
    if (Math.min(...row) >= limit) return limit;
  }
  return row[to.length]!;
}
