/**
 * Spoils documents: spoiled bytes are seldom JSON at all, and would get no further than the parser.
 *
 * @module
 */
import { type Input, textOf } from "./target.ts";

const ODD: readonly unknown[] = [
  ...[null, 0, -1, 1.5, 1e300, true, "", "a", "\x1b[2J\0", "..", "/", [], {}, [null], [[]], [{}]],
  ...[{ toString: 1 }, { length: 3 }, "x".repeat(2000), "__proto__", "sha256:00"],
];

/** The document that the input is, or else one of `documents` with what the input's bytes make of it. */
export function spoilJson(documents: readonly unknown[], input: Input): unknown {
  try {
    return JSON.parse(textOf(input));
  } catch {
    // Then the bytes choose.
  }
  let at = 0;
  const next = () => input[at++] ?? 255;
  return spoil(documents[next() % documents.length]);

  function spoil(value: unknown): unknown {
    const choice = next();
    if (choice < 20) return ODD[next() % ODD.length];
    if (Array.isArray(value)) {
      const items = value.map(spoil);
      return choice < 25 ? [...items, ...items] : items;
    }
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [key, spoil(inner)]);
    return Object.fromEntries(choice < 30 ? entries.slice(1) : entries);
  }
}

/** Bytes that choose: from nothing at all to much. */
export function choosingSeeds(): Input[] {
  return [16, 64, 200].flatMap((length) =>
    [7, 13, 29, 53].map((step) =>
      Uint8Array.from({ length }, (_, index) => (index * step * step + step) % 256 | 16)
    )
  );
}

/** Bytes that replace, and those that let stand. */
export const CHOICES: readonly string[] = [
  "\0",
  "\x01",
  "\x02",
  "\x05",
  "\x13",
  "\x18",
  "~",
  "~~~~",
];
