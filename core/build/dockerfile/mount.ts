/**
 * `RUN --mount=type=cache,target=/root/.npm`.
 *
 * @see https://docs.docker.com/reference/dockerfile/#run---mount
 * @module
 */
import { splitCsv } from "../../lib/csv.ts";
import { didYouMean } from "../../lib/suggest.ts";
import { parseBytes } from "../../lib/units.ts";
import type { RunMount } from "./ast.ts";
import { FormError } from "./error.ts";

const TYPES = ["bind", "cache", "tmpfs", "secret", "ssh"] as const;
const SHARINGS = ["shared", "private", "locked"] as const;

/** Other names of keys. */
const ALIASES: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
  rw: "readwrite",
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Reads what stands behind `--mount=`.
 *
 * @param expand Gives values their variables. Without, what holds variables is left out, and only what can be told
 *   without their values is checked.
 * @throws {Error} BuildKit's words.
 */
export function parseMount(option: string, expand?: (value: string) => string): RunMount {
  const mount: Mutable<RunMount> = { type: "bind", option };
  let isOpen = false;
  for (const field of readFields(option)) {
    const equals = field.indexOf("=");
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const written = equals < 0 ? undefined : field.slice(equals + 1);
    if (expand === undefined && written?.includes("$")) {
      if (key === "from" && !written.endsWith("$")) {
        throw new Error("'from' doesn't support variable expansion, define alias stage instead");
      }
      isOpen = true;
      continue;
    }
    const value = written === undefined || expand === undefined ? written : expand(written);
    setField(mount, { field, key, value });
  }
  if (!isOpen) assertMount(mount);
  return mount;
}

function readFields(option: string): string[] {
  try {
    return splitCsv(option);
  } catch (error) {
    throw new Error(`failed to parse csv mounts: ${(error as Error).message}`, { cause: error });
  }
}

function setField(
  mount: Mutable<RunMount>,
  { field, key, value }: { field: string; key: string; value: string | undefined },
): void {
  const name = ALIASES[key] ?? key;
  if (value === undefined) {
    if (name === "readonly") mount.readonly = true;
    else if (name === "readwrite") mount.readonly = false;
    else if (name === "required") setRequired(mount, key, "true");
    else throw new FormError(`invalid field '${field}' must be a key=value pair`);
    return;
  }
  switch (name) {
    case "type":
      mount.type = oneOf(value, TYPES, `unsupported mount type ${JSON.stringify(value)}`);
      break;
    case "sharing":
      mount.sharing = oneOf(value, SHARINGS, `unsupported sharing value ${JSON.stringify(value)}`);
      break;
    case "from":
    case "source":
    case "target":
    case "id":
    case "env":
      mount[name] = value;
      break;
    case "readonly":
      mount.readonly = parseSwitch(key, value);
      break;
    case "readwrite":
      mount.readonly = !parseSwitch(key, value);
      break;
    case "required":
      setRequired(mount, key, value);
      break;
    case "size":
      if (mount.type !== "tmpfs") throw unexpectedKey(key, mount);
      mount.sizeBytes = parseSize(key, value);
      break;
    case "mode":
      mount.mode = parseNumber(name, value, 8);
      break;
    case "uid":
    case "gid":
      mount[name] = parseNumber(name, value, 10);
      break;
    default:
      throw new FormError(`unexpected key '${key}' in '${field}'${didYouMean(key, KEYS)}`);
  }
}

const KEYS = [
  ...["type", "from", "source", "target", "readonly", "id", "sharing", "required", "size", "mode"],
  ...["uid", "gid", "src", "dst", "destination", "ro", "rw", "readwrite", "env"],
];

function setRequired(mount: Mutable<RunMount>, key: string, value: string): void {
  if (mount.type !== "secret" && mount.type !== "ssh") throw unexpectedKey(key, mount);
  mount.required = parseSwitch(key, value);
}

function assertMount(mount: RunMount): void {
  if (mount.type === "bind" || mount.type === "tmpfs") {
    for (const name of ["mode", "uid", "gid"] as const) {
      if (mount[name] === undefined) continue;
      throw new FormError(`${name} not allowed for ${JSON.stringify(mount.type)} type mounts`);
    }
  }
  if (mount.type === "secret") {
    if (mount.from) throw new FormError("secret mount should not have a from");
    if (mount.sharing) throw new FormError("secret mount should not define sharing");
    if (!mount.source && !mount.target && !mount.id) {
      throw new FormError("invalid secret mount. one of source, target required");
    }
    if (mount.source && mount.id) throw new FormError("both source and id can't be set");
  }
  if (mount.sharing !== undefined && mount.type !== "cache") {
    throw new FormError(`invalid cache sharing set for ${mount.type} mount`);
  }
}

function unexpectedKey(key: string, mount: RunMount): Error {
  return new FormError(`unexpected key '${key}' for mount type '${mount.type}'`);
}

function oneOf<T extends string>(value: string, known: readonly T[], fault: string): T {
  const found = known.find((entry) => entry === value.toLowerCase());
  if (found === undefined) throw new FormError(`${fault}${didYouMean(value, known)}`);
  return found;
}

/** What Go takes for a truth value. */
function parseSwitch(key: string, value: string): boolean {
  if (/^(?:1|t|T|true|TRUE|True)$/.test(value)) return true;
  if (/^(?:0|f|F|false|FALSE|False)$/.test(value)) return false;
  throw new FormError(`invalid value for ${key}: ${value}`);
}

function parseSize(key: string, value: string): number {
  try {
    return parseBytes(value);
  } catch {
    throw new FormError(`invalid value for ${key}: ${value}`);
  }
}

function parseNumber(name: string, value: string, base: 8 | 10): number {
  const number = (base === 8 ? /^[0-7]+$/ : /^\d+$/).test(value) ? parseInt(value, base) : NaN;
  if (!(number < 2 ** 32)) throw new FormError(`invalid value ${value} for ${name}`);
  return number;
}
