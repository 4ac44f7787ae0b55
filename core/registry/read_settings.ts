/**
 * The user's config file, `$XDG_CONFIG_HOME/dhow/config.yaml`: registries, their mirrors, and whom to trust.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { lazy } from "../lib/lazy.ts";
import { NO_SETTINGS, type RegistrySettings, type Settings } from "./settings.ts";
import type { YamlNode } from "./yaml.ts";

/** Where the file is: `$DHOW_CONFIG`, else below `$XDG_CONFIG_HOME` or `~/.config`; for undefined there is no home. */
export function settingsPath(): string | undefined {
  const env = (name: string) => Deno.env.get(name) || undefined;
  if (env("DHOW_CONFIG") !== undefined) return env("DHOW_CONFIG");
  const config = env("XDG_CONFIG_HOME") ?? (env("HOME") && `${env("HOME")}/.config`);
  return config && `${config}/dhow/config.yaml`;
}

/**
 * Reads the file; without one there are no settings.
 *
 * @throws {DhowError} `invalid_argument` with the line, what is wrong there and what is allowed.
 */
export async function readSettings(path: string | undefined = settingsPath()): Promise<Settings> {
  if (path === undefined) return NO_SETTINGS;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    const { name, message } = cause as Error;
    if (name === "NotFound" || name === "NotADirectory") return NO_SETTINGS;
    throw new DhowError("invalid_argument", `Cannot read config file "${path}": ${message}`, {
      cause,
    });
  }
  const { parseYaml } = await loadYaml(path);
  try {
    return readRoot(parseYaml(text));
  } catch (cause) {
    const { line, message } = cause as Error & { line?: number };
    if (line === undefined) throw cause;
    throw new DhowError(
      "invalid_argument",
      `Invalid config file "${path}", line ${line}: ${message}`,
      { cause },
    );
  }
}

/** The package comes from npm the first time, and from Deno's cache from then on. */
async function loadYaml(path: string): Promise<typeof import("./yaml.ts")> {
  try {
    return await lazy<typeof import("./yaml.ts")>("./yaml.ts", import.meta.url);
  } catch (cause) {
    throw new DhowError(
      "unavailable",
      `Cannot read config file "${path}": the package that reads YAML could not be loaded; ` +
        "where npm's registry can be reached, any command that talks to a registry loads it for good: " +
        (cause as Error).message.split("\n")[0],
      { cause },
    );
  }
}

/** Stops reading: what is wrong in which line. */
function wrong(line: number, message: string): never {
  throw Object.assign(new Error(message), { line });
}

type Reader = (node: YamlNode, name: string) => unknown;

/** Reads a map whose keys are known. */
function readMap(
  node: YamlNode,
  name: string,
  readers: Readonly<Record<string, Reader>>,
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const { key, line, value } of entriesOf(node, name)) {
    const reader = Object.hasOwn(readers, key) ? readers[key] : undefined;
    const path = name === "" ? key : `${name}.${key}`;
    if (reader === undefined) {
      const allowed = Object.keys(readers).join(", ");
      wrong(line, `unknown key ${JSON.stringify(path)}; allowed here are ${allowed}`);
    }
    found[key] = reader(value, path);
  }
  return found;
}

function entriesOf(
  node: YamlNode,
  name: string,
): { key: string; line: number; value: YamlNode }[] {
  const { value, line } = node;
  if (value.kind === "map") return value.entries;
  if (value.kind === "scalar" && value.scalar === null) return [];
  return wrong(line, `${name === "" ? "the file" : JSON.stringify(name)} must be a map`);
}

function readRoot(root: YamlNode): Settings {
  const { registries, defaults } = readMap(root, "", {
    registries: readRegistries,
    defaults: (node, name) => readRegistry(node, name, COMMON),
  });
  return {
    registries: registries as Settings["registries"] ?? NO_SETTINGS.registries,
    defaults: defaults as Settings["defaults"] ?? {},
  };
}

function readRegistries(node: YamlNode, name: string): ReadonlyMap<string, RegistrySettings> {
  const registries = new Map<string, RegistrySettings>();
  for (const { key, line, value } of entriesOf(node, name)) {
    if (!HOST.test(key)) {
      wrong(line, `${JSON.stringify(key)} is no registry; write its name and port: host:5000`);
    }
    registries.set(key, readRegistry(value, `${name}.${key}`, { mirrors: readMirrors, ...COMMON }));
  }
  return registries;
}

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/;
const MIRROR =
  /^(?:https?:\/\/)?(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?(?:\/[a-z0-9._/-]*)?$/;

const COMMON: Readonly<Record<string, Reader>> = {
  insecure: readBoolean,
  timeout: readTimeout,
  attempts: readAttempts,
};

function readRegistry(
  node: YamlNode,
  name: string,
  readers: Readonly<Record<string, Reader>>,
): RegistrySettings {
  const { timeout, ...rest } = readMap(node, name, readers);
  return { ...rest, ...timeout !== undefined && { timeoutMs: timeout as number } };
}

function scalarOf(node: YamlNode): unknown {
  return node.value.kind === "scalar" ? node.value.scalar : undefined;
}

function readBoolean(node: YamlNode, name: string): boolean {
  const value = scalarOf(node);
  if (typeof value === "boolean") return value;
  return wrong(node.line, `${JSON.stringify(name)} must be true or false`);
}

function readAttempts(node: YamlNode, name: string): number {
  const value = scalarOf(node);
  if (Number.isInteger(value) && value as number >= 1 && value as number <= 100) {
    return value as number;
  }
  return wrong(node.line, `${JSON.stringify(name)} must be a whole number from 1 to 100`);
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

function readTimeout(node: YamlNode, name: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(String(scalarOf(node))) ?? [];
  const ms = Number(number) * (UNITS[unit ?? ""] ?? NaN);
  if (ms >= 1 && ms <= 3_600_000) return ms;
  return wrong(node.line, `${JSON.stringify(name)} must be a duration such as 500ms, 30s or 2m`);
}

function readMirrors(node: YamlNode, name: string): string[] {
  if (node.value.kind !== "list") {
    return wrong(node.line, `${JSON.stringify(name)} must be a list of registries`);
  }
  return node.value.items.map((item) => {
    const mirror = scalarOf(item);
    if (typeof mirror === "string" && MIRROR.test(mirror)) return mirror;
    return wrong(
      item.line,
      `${
        JSON.stringify(name)
      } must list registries such as mirror.example or http://localhost:5000`,
    );
  });
}
