/**
 * Sizes as docker reads and prints them.
 *
 * @module
 */

const BINARY: Readonly<Record<string, number>> = {
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
};

/** Go's `int64` ends before it. */
const INT64_END = 2 ** 63;

/**
 * Bytes of `64`, `64b`, `512k`, `1.5g`, `2GiB`; units are powers of 1024.
 *
 * @throws {Error} `invalid size: '...'`, docker's words.
 */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?(?:([kmgtp])?i?b?)$/i.exec(text);
  if (match === null) throw new Error(`invalid size: '${text}'`);
  const bytes = Math.trunc(Number(match[1]) * (BINARY[match[2]?.toLowerCase() ?? ""] ?? 1));
  if (bytes >= INT64_END) throw new Error(`invalid size: '${text}'`);
  return bytes;
}

/** Decimal units, four significant digits: `1.984MB`; with `digits` 3 as docker's size columns, `1.98MB`. */
export function formatSize(bytes: number, digits = 3): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
  return scaled(bytes, { units, base: 1000, digits });
}

/** Binary units, four significant digits: `23.54GiB`. */
export function formatBinarySize(bytes: number, digits = 4): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  return scaled(bytes, { units, base: 1024, digits });
}

function scaled(
  bytes: number,
  scale: { units: readonly string[]; base: number; digits: number },
): string {
  let size = bytes;
  let unit = 0;
  while (size >= scale.base && unit < scale.units.length - 1) {
    size /= scale.base;
    unit++;
  }
  return formatSignificant(size, scale.digits) + scale.units[unit];
}

/** C's `%.{digits}g`. */
function formatSignificant(value: number, digits: number): string {
  const exact = value.toPrecision(digits);
  if (!exact.includes("e")) return exact.includes(".") ? exact.replace(/\.?0+$/, "") : exact;
  return exact.replace(/\.?0*e/, "e").replace(/e([+-])(\d)$/, "e$10$2");
}
