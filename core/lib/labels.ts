/**
 * Labels and the filters on them.
 *
 * @module
 */

/** Whether `key` or `key=value` is among `labels`. */
export function matchesLabel(wanted: string, labels: Record<string, string>): boolean {
  const equals = wanted.indexOf("=");
  if (equals < 0) return Object.hasOwn(labels, wanted);
  const key = wanted.slice(0, equals);
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(equals + 1);
}
