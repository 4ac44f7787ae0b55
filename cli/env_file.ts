/**
 * Reads `--env-file` and `--label-file`, and fills in names that stand for the caller's own environment.
 *
 * @module
 */
import { DhowError } from "../core/errors.ts";

/**
 * Reads `NAME=value` lines; blank lines and those that begin with `#` are skipped, nothing is unquoted.
 *
 * @throws {DhowError} `not_found` or `invalid_argument` with docker's wording.
 */
export function readEnvFile(path: string): string[] {
  const lines = readText(path).replace(/^\ufeff/, "").split(/\r?\n/);
  const entries: string[] = [];
  for (const raw of lines) {
    const line = raw.trimStart();
    if (line === "" || line.startsWith("#")) continue;
    const equals = line.indexOf("=");
    const name = equals < 0 ? line.trimEnd() : line.slice(0, equals);
    const fail = (what: string) =>
      new DhowError("invalid_argument", `invalid env file (${path}): ${what}`);
    if (name === "") throw fail(`no variable name on line '${line}'`);
    if (/\s/.test(name)) throw fail(`variable '${name}' contains whitespaces`);
    entries.push(equals < 0 ? name : line);
  }
  return entries;
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new DhowError("not_found", `open ${path}: no such file or directory`);
    }
    throw new DhowError("invalid_argument", `open ${path}: ${(error as Error).message}`);
  }
}

/** The environment of `--env-file`s and `--env`s, in this order; a bare name takes its value from the caller. */
export function collectEnv(files: readonly string[], flags: readonly string[]): string[] {
  const fromFiles = files.flatMap(readEnvFile);
  const env: string[] = [];
  for (const entry of fromFiles) {
    if (entry.includes("=")) env.push(entry);
    else {
      const value = Deno.env.get(entry);
      if (value !== undefined) env.push(`${entry}=${value}`);
    }
  }
  for (const entry of flags) {
    const value = entry.includes("=") ? undefined : Deno.env.get(entry);
    env.push(value === undefined ? entry : `${entry}=${value}`);
  }
  return env;
}

/** Labels of `--label-file`s and `--label`s, sorted by name. */
export function collectLabels(
  files: readonly string[],
  flags: readonly string[],
): Record<string, string> {
  const found = new Map<string, string>();
  for (const entry of [...files.flatMap(readEnvFile), ...flags]) {
    const equals = entry.indexOf("=");
    if (equals < 0) found.set(entry, "");
    else found.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return Object.fromEntries([...found].sort(([a], [b]) => a < b ? -1 : 1));
}
