/**
 * Functions of `--format` templates: Go's own and those docker adds; and Go's printing of values.
 *
 * @module
 */

/** A null whose Go type is known, so that it prints as Go would (`[]`, `map[]`, `<nil>`). */
export class TypedNil {
  /** What `{{.Field}}` prints. */
  readonly text: string;
  /** The field's name, if the data does not even have it. */
  readonly missing: string | undefined;

  constructor(text: string, missing?: string) {
    this.text = text;
    this.missing = missing;
  }

  /** JSON knows only one null. */
  toJSON(): null {
    return null;
  }
}

/** What a template can call. */
export type TemplateFunctions = Readonly<Record<string, (...args: unknown[]) => unknown>>;

/** Go's predefined functions (except `and`, `or`, which do not evaluate all arguments) and docker's. */
export const templateFunctions: TemplateFunctions = {
  not: (value) => !isTrue(value),
  len: (value) => sizeOf(value),
  index: (value, ...keys) => keys.reduce((inner, key) => indexOne(inner, key), value),
  slice: (value, from = 0, to) =>
    (value as string | unknown[]).slice(from as number, to as number | undefined),
  print: (...values) => print(values),
  println: (...values) => values.map(formatValue).join(" ") + "\n",
  printf: (format, ...values) => printf(String(format), values),
  html: (...values) => print(values).replace(/[&<>'"]/g, (c) => `&#${c.charCodeAt(0)};`),
  urlquery: (...values) => encodeURIComponent(print(values)).replaceAll("%20", "+"),
  eq: (first, ...others) => others.some((other) => compare(first, other) === 0),
  ne: (a, b) => compare(a, b) !== 0,
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  json: (value) => JSON.stringify(value instanceof TypedNil ? null : value ?? null),
  split: (text, separator) => String(text).split(String(separator)),
  join: (list, separator) =>
    isEmptyNil(list) ? "" : (list as unknown[]).map(formatValue).join(String(separator)),
  title: (text) => String(text).replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (all) => all.toUpperCase()),
  lower: (text) => String(text).toLowerCase(),
  upper: (text) => String(text).toUpperCase(),
  pad: (text, before, after) => {
    const shown = String(text);
    if (shown === "") return "";
    return " ".repeat(Number(before)) + shown + " ".repeat(Number(after));
  },
  truncate: (text, length) => [...String(text)].slice(0, Number(length)).join(""),
};

/** Whether Go calls the value true: anything but the zero value and empty collections. */
export function isTrue(value: unknown): boolean {
  if (isEmptyNil(value)) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object") return Object.keys(value!).length > 0;
  return Boolean(value);
}

/** Whether there is no value. */
export function isEmptyNil(value: unknown): boolean {
  return value === null || value === undefined || value instanceof TypedNil;
}

/** Prints as Go's fmt `%v`: `[a b]`, `map[k:v]` with sorted keys, `<nil>`. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (value instanceof TypedNil) return value.text;
  if (Array.isArray(value)) return `[${value.map(formatValue).join(" ")}]`;
  if (typeof value === "object") {
    const entries = Object.keys(value).sort()
      .map((key) => `${key}:${formatValue((value as Record<string, unknown>)[key])}`);
    return `map[${entries.join(" ")}]`;
  }
  return String(value);
}

/** Go's name for the type of a value, as error messages say it. */
export function typeName(value: unknown): string {
  if (isEmptyNil(value)) return "nil";
  if (Array.isArray(value)) return "[]interface {}";
  switch (typeof value) {
    case "object":
      return "map[string]interface {}";
    case "boolean":
      return "bool";
    case "number":
      return Number.isInteger(value) ? "int" : "float64";
    default:
      return typeof value;
  }
}

function sizeOf(value: unknown): number {
  if (value instanceof TypedNil) return 0;
  if (value === null || value === undefined) throw new Error("len of nil pointer");
  if (typeof value === "string") return new TextEncoder().encode(value).length;
  if (Array.isArray(value)) return value.length;
  if (typeof value === "object") return Object.keys(value).length;
  throw new Error(`len of type ${typeName(value)}`);
}

function indexOne(value: unknown, key: unknown): unknown {
  if (isEmptyNil(value)) {
    if (value instanceof TypedNil && value.text === "map[]") return undefined;
    throw new Error("index of untyped nil");
  }
  if (Array.isArray(value)) {
    const index = Number(key);
    if (!Number.isInteger(index)) throw new Error(`cannot index slice/array with type string`);
    if (index < 0 || index >= value.length) throw new Error(`index out of range: ${index}`);
    return value[index];
  }
  if (typeof value === "object") {
    const map = value as Record<string, unknown>;
    return Object.hasOwn(map, String(key)) ? map[String(key)] : undefined;
  }
  if (typeof value === "string") return new TextEncoder().encode(value)[Number(key)];
  throw new Error(`can't index item of type ${typeName(value)}`);
}

function compare(a: unknown, b: unknown): number {
  if (isEmptyNil(a) || isEmptyNil(b)) return isEmptyNil(a) === isEmptyNil(b) ? 0 : 1;
  if (typeof a !== typeof b) throw new Error("incompatible types for comparison");
  if (typeof a === "object") throw new Error("non-comparable type " + typeName(a));
  if (a === b) return 0;
  return (a as string) < (b as string) ? -1 : 1;
}

/** Go's Sprint: a blank only between two operands of which neither is a string. */
function print(values: unknown[]): string {
  let text = "";
  for (const [index, value] of values.entries()) {
    const previous = values[index - 1];
    if (index > 0 && typeof value !== "string" && typeof previous !== "string") text += " ";
    text += formatValue(value);
  }
  return text;
}

function printf(format: string, values: unknown[]): string {
  let next = 0;
  const text = format.replace(
    /%([-+# 0]*)(\d+|\*)?(?:\.(\d+))?([a-zA-Z%])/g,
    (_, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      const columns = width === "*" ? Number(values[next++]) : Number(width ?? 0);
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const shown = formatVerb(verb, values[next++], { flags, precision });
      if (flags.includes("-")) return shown.padEnd(columns);
      return flags.includes("0") && /[dxXf]/.test(verb)
        ? shown.padStart(columns, "0")
        : shown.padStart(columns);
    },
  );
  if (next >= values.length) return text;
  const extra = values.slice(next).map((value) => `${typeName(value)}=${formatValue(value)}`);
  return `${text}%!(EXTRA ${extra.join(", ")})`;
}

function formatVerb(
  verb: string,
  value: unknown,
  options: { flags: string; precision: string | undefined },
): string {
  const { flags, precision } = options;
  const isNumber = typeof value === "number";
  switch (verb) {
    case "v":
      return formatValue(value);
    case "s": {
      const text = formatValue(value);
      if (isNumber || typeof value === "boolean") return `%!s(${typeName(value)}=${text})`;
      return precision === undefined ? text : [...text].slice(0, Number(precision)).join("");
    }
    case "q":
      return JSON.stringify(formatValue(value));
    case "t":
      if (typeof value === "boolean") return String(value);
      break;
    case "d":
      if (isNumber) return (flags.includes("+") && value >= 0 ? "+" : "") + String(value);
      break;
    case "f":
      if (isNumber) return value.toFixed(Number(precision ?? 6));
      break;
    case "x":
    case "X": {
      const hex = isNumber ? value.toString(16) : new TextEncoder().encode(formatValue(value))
        .reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "");
      return verb === "X" ? hex.toUpperCase() : hex;
    }
    case "T":
      return typeName(value);
  }
  return `%!${verb}(${typeName(value)}=${formatValue(value)})`;
}
