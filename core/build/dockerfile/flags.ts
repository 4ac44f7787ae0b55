/**
 * Flags of Dockerfile instructions: `--name=value`.
 *
 * @module
 */
import { didYouMean } from "../../lib/suggest.ts";

/** What a flag takes: one text, several, or `true` and `false`. */
export type FlagKind = "text" | "list" | "switch";

/** What was given. */
export interface FlagValues {
  text(name: string): string | undefined;
  list(name: string): string[];
  /** Undefined if it was not given. */
  switch(name: string): boolean | undefined;
}

/** @throws {Error} For unknown flags, such as are given twice, and values that do not fit. */
export function parseFlags(
  flags: readonly string[],
  known: Readonly<Record<string, FlagKind>>,
): FlagValues {
  const values = new Map<string, string[]>();
  for (const flag of flags) {
    const equals = flag.indexOf("=");
    const dashed = equals < 0 ? flag : flag.slice(0, equals);
    const value = equals < 0 ? undefined : flag.slice(equals + 1);
    const name = dashed.slice(2);
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) {
      throw new Error(`unknown flag: ${dashed}${didYouMean(name, Object.keys(known))}`);
    }
    const earlier = values.get(name);
    if (earlier !== undefined && kind !== "list") {
      throw new Error(`duplicate flag specified: ${dashed}`);
    }
    if (kind === "switch" ? value === "" : value === undefined) {
      throw new Error(`missing a value on flag: ${dashed}`);
    }
    if (kind === "switch" && !/^(?:true|false)?$/i.test(value ?? "")) {
      throw new Error(`expecting boolean value for flag ${dashed}, not: ${value}`);
    }
    if (earlier === undefined) values.set(name, [value ?? "true"]);
    else earlier.push(value ?? "true");
  }
  return {
    text: (name) => values.get(name)?.[0],
    list: (name) => values.get(name) ?? [],
    switch: (name) => {
      const value = values.get(name)?.[0];
      return value === undefined ? undefined : value.toLowerCase() === "true";
    },
  };
}
