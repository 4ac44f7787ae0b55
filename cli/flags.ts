/**
 * The flag parser: docker's (that is, pflag's) rules over a typed table of declarations.
 *
 * A flag's key is its name in camelCase: `detachKeys` declares `--detach-keys`.
 *
 * @module
 */
import { FlagError } from "./errors.ts";

/** What all flags have. */
interface FlagBase {
  /** One letter. */
  short?: string;
  /** What `--help` says of it. */
  help: string;
  /** Word for the value in help, where it is not the type's name. */
  hint?: string;
  /** Other names, kept for compatibility and not shown. */
  aliases?: readonly string[];
  /** Left out of help. */
  hidden?: boolean;
  /** Throws an `Error` with docker's words if the value is not acceptable; may return a canonical spelling. */
  check?: (value: string) => string | void;
}

/** One declaration; the default of a list is empty, of a map too. */
export type FlagSpec =
  & FlagBase
  & (
    | { type: "bool"; default?: boolean }
    | { type: "string"; default?: string }
    | { type: "int"; default?: number }
    | { type: "uint16"; default?: number }
    | { type: "list" }
    | { type: "map" }
    | { type: "custom"; default?: number; parse: (value: string) => number }
  );

/** Declarations by camelCase name. */
export type FlagTable = Readonly<Record<string, FlagSpec>>;

/** What a parsed flag holds, by its declared type. */
export type FlagValue<S> = S extends { type: "bool" } ? boolean
  : S extends { type: "int" | "uint16" | "custom" } ? number
  : S extends { type: "list" } ? string[]
  : S extends { type: "map" } ? Record<string, string>
  : string;

/** Values of every declared flag, defaults filled in. */
export type FlagValues<F extends FlagTable> = { -readonly [K in keyof F]: FlagValue<F[K]> };

/** A command line taken apart. */
export interface ParsedFlags<F extends FlagTable> {
  flags: FlagValues<F>;
  /** Names (camelCase) of the flags the command line set. */
  given: Set<string>;
  /** What was no flag. */
  args: string[];
  /** `--help` was there; nothing after it was looked at. */
  help: boolean;
}

/** How to parse. */
export interface ParseOptions {
  /**
   * Whether flags may follow positional arguments.
   * @default {true}
   */
  interspersed?: boolean;
}

/**
 * Parses `argv` by `table`.
 *
 * @throws {FlagError} With docker's wording.
 */
export function parseFlags<F extends FlagTable>(
  table: F,
  argv: readonly string[],
  options: ParseOptions = {},
): ParsedFlags<F> {
  const flags: Record<string, unknown> = {};
  for (const key in table) flags[key] = initialValue(table[key] as FlagSpec);
  const state: State = { table, flags, given: new Set(), argv, next: 0, help: false };
  const args: string[] = [];
  while (state.next < argv.length && !state.help) {
    const word = argv[state.next++]!;
    if (word === "--") break;
    if (word.startsWith("--")) parseLong(state, word);
    else if (word.startsWith("-") && word.length > 1) parseShort(state, word);
    else {
      args.push(word);
      if (options.interspersed === false) break;
    }
  }
  for (let i = state.next; i < argv.length; i++) args.push(argv[i]!);
  return { flags: flags as FlagValues<F>, given: state.given, args, help: state.help };
}

/** `detachKeys` as the user types it: `detach-keys`. */
export function flagName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());
}

interface State {
  table: FlagTable;
  flags: Record<string, unknown>;
  given: Set<string>;
  argv: readonly string[];
  next: number;
  help: boolean;
}

function initialValue(spec: FlagSpec): unknown {
  switch (spec.type) {
    case "bool":
      return spec.default ?? false;
    case "string":
      return spec.default ?? "";
    case "int":
    case "uint16":
    case "custom":
      return spec.default ?? 0;
    case "list":
      return [];
    case "map":
      return {};
  }
}

function parseLong(state: State, word: string): void {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  if (name === "" || name.startsWith("-")) throw new FlagError(`bad flag syntax: ${word}`);
  const key = findLong(state.table, name);
  if (key === undefined) {
    if (name === "help") {
      state.help = true;
      return;
    }
    throw new FlagError(`unknown flag: --${name}${suggestion(state.table, name)}`);
  }
  if (equals >= 0) assign(state, key, word.slice(equals + 1));
  else if (state.table[key]!.type === "bool") assign(state, key, "true");
  else if (state.next < state.argv.length) assign(state, key, state.argv[state.next++]!);
  else throw new FlagError(`flag needs an argument: --${name}`);
}

function parseShort(state: State, word: string): void {
  let rest = word.slice(1);
  while (rest !== "") {
    const letter = rest[0]!;
    const key = findShort(state.table, letter);
    if (key === undefined) {
      if (letter === "h") {
        state.help = true;
        return;
      }
      throw new FlagError(`unknown shorthand flag: '${letter}' in -${rest}`);
    }
    if (rest.length > 2 && rest[1] === "=") return assign(state, key, rest.slice(2));
    if (state.table[key]!.type === "bool") {
      assign(state, key, "true");
      rest = rest.slice(1);
      continue;
    }
    if (rest.length > 1) return assign(state, key, rest.slice(1));
    if (state.next < state.argv.length) return assign(state, key, state.argv[state.next++]!);
    throw new FlagError(`flag needs an argument: '${letter}' in -${rest}`);
  }
}

function findLong(table: FlagTable, name: string): string | undefined {
  const key = name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  if (Object.hasOwn(table, key) && flagName(key) === name) return key;
  return Object.keys(table).find((key) => table[key]!.aliases?.includes(name));
}

function findShort(table: FlagTable, letter: string): string | undefined {
  for (const key in table) if (table[key]!.short === letter) return key;
  return undefined;
}

function assign(state: State, key: string, text: string): void {
  const spec = state.table[key]!;
  try {
    const value = spec.check?.(text) ?? text;
    switch (spec.type) {
      case "bool":
        state.flags[key] = parseBool(value);
        break;
      case "string":
        state.flags[key] = value;
        break;
      case "int":
        state.flags[key] = parseInteger(value, "ParseInt");
        break;
      case "uint16":
        state.flags[key] = parseInteger(value, "ParseUint");
        break;
      case "custom":
        state.flags[key] = spec.parse(value);
        break;
      case "list":
        (state.flags[key] as string[]).push(value);
        break;
      case "map": {
        const equals = value.indexOf("=");
        const map = state.flags[key] as Record<string, string>;
        if (equals < 0) map[value] = "";
        else map[value.slice(0, equals)] = value.slice(equals + 1);
        break;
      }
    }
  } catch (error) {
    const shown = spec.short === undefined
      ? `--${flagName(key)}`
      : `-${spec.short}, --${flagName(key)}`;
    throw new FlagError(
      `invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${(error as Error).message}`,
    );
  }
  state.given.add(key);
}

function parseBool(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function parseInteger(text: string, call: "ParseInt" | "ParseUint"): number {
  const form = call === "ParseInt"
    ? /^[+-]?(\d+|0x[\da-f]+|0o?[0-7]+|0b[01]+)$/i
    : /^(\d+|0x[\da-f]+)$/i;
  if (!form.test(text)) {
    throw new Error(`strconv.${call}: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const magnitude = Number(text.replace(/^[+-]/, "").replace(/^0([0-7]+)$/, "0o$1"));
  const value = text.startsWith("-") ? -magnitude : magnitude;
  if (call === "ParseUint" ? value > 0xffff : Math.abs(value) >= 2 ** 63) {
    throw new Error(`strconv.${call}: parsing ${JSON.stringify(text)}: value out of range`);
  }
  return value;
}

function suggestion(table: FlagTable, name: string): string {
  const names = Object.keys(table).map(flagName);
  const near = closest(name, names);
  return near === undefined ? "" : `\nDid you mean --${near}?`;
}

/** The one of `known` a user who typed `word` most likely meant: at most two slips, fewer for short words. */
export function closest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.ceil(word.length / 3) + 1);
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Optimal string alignment: a swap of neighbours is one slip. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, rows[i - 2]![j - 2]! + 1);
      }
      row.push(cost);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
