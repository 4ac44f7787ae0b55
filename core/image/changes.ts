/**
 * `--change`: Dockerfile instructions that alter an image's config without a build.
 *
 * @see https://docs.docker.com/reference/cli/docker/image/import/#change
 * @module
 */
import { DhowError } from "../errors.ts";
import { parseDuration } from "../lib/duration.ts";
import type { Healthcheck, ImageRunConfig } from "../spec/image.ts";

type Apply = (config: ImageRunConfig, rest: string) => void;

const INSTRUCTIONS: Record<string, Apply> = {
  CMD: (config, rest) => config.Cmd = commandForm(rest),
  ENTRYPOINT: (config, rest) => config.Entrypoint = commandForm(rest),
  ENV: (config, rest) => {
    for (const [key, value] of pairs("ENV", rest)) setEnv(config, key, value);
  },
  EXPOSE: (config, rest) => {
    for (const word of words(rest)) for (const port of ports(word)) expose(config, port);
  },
  HEALTHCHECK: (config, rest) => config.Healthcheck = healthcheck(rest),
  LABEL: (config, rest) => {
    for (const [key, value] of pairs("LABEL", rest)) (config.Labels ??= {})[key] = value;
  },
  ONBUILD: (config, rest) => (config.OnBuild ??= []).push(onBuild(rest)),
  STOPSIGNAL: (config, rest) => config.StopSignal = single("STOPSIGNAL", rest),
  USER: (config, rest) => config.User = single("USER", rest),
  VOLUME: (config, rest) => {
    for (const path of jsonForm(rest) ?? words(rest)) {
      if (path.trim() === "") throw invalid("VOLUME specified can not be an empty string");
      (config.Volumes ??= {})[path] = {};
    }
  },
  WORKDIR: (config, rest) => config.WorkingDir = workDirectory(config, single("WORKDIR", rest)),
};

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}

/**
 * Applies instructions in order to a copy of `config`.
 *
 * @throws {DhowError} `invalid_argument`, in docker's words.
 */
export function applyChanges(config: ImageRunConfig, changes: readonly string[]): ImageRunConfig {
  const changed = structuredClone(config);
  const names = new Set<string>();
  for (const change of changes) {
    for (const line of change.replaceAll(/\\\r?\n/g, "").split("\n")) {
      const match = /^\s*(\S+)\s*(.*?)\s*$/.exec(line);
      if (match === null || match[1]!.startsWith("#")) continue;
      applyInstruction(changed, match[1]!, match[2]!);
      names.add(match[1]!.toUpperCase());
    }
  }
  // The old command was meant for the old entrypoint.
  if (names.has("ENTRYPOINT") && !names.has("CMD")) delete changed.Cmd;
  return changed;
}

function applyInstruction(config: ImageRunConfig, word: string, rest: string): void {
  const name = word.toUpperCase();
  const apply = Object.hasOwn(INSTRUCTIONS, name) ? INSTRUCTIONS[name] : undefined;
  if (apply === undefined) throw invalid(`${word} is not a valid change command`);
  if (rest === "" && name !== "CMD" && name !== "ENTRYPOINT") {
    throw invalid(`${name} requires at least one argument`);
  }
  apply(config, rest);
}

/** `["a", "b"]`; undefined if it is no JSON array of strings. */
function jsonForm(rest: string): string[] | undefined {
  if (!rest.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(rest);
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  } catch {
    // Then it is the shell form, as for docker.
  }
  return undefined;
}

function commandForm(rest: string): string[] | null {
  return jsonForm(rest) ?? (rest === "" ? null : ["/bin/sh", "-c", rest]);
}

/** Splits at blanks outside quotes, and takes quotes and backslashes away. */
function words(text: string): string[] {
  return rawWords(text).map(unquote);
}

function rawWords(text: string): string[] {
  return text.match(/(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s\\])+/g) ?? [];
}

function unquote(word: string): string {
  return word.replaceAll(
    /\\(.)|"((?:\\.|[^"\\])*)"|'([^']*)'/g,
    (_, escaped?: string, double?: string, single?: string) =>
      escaped ?? double?.replaceAll(/\\(["\\$`])/g, "$1") ?? single ?? "",
  );
}

/** `a=b c="d e"`, or the old form `KEY the rest`. */
function pairs(instruction: string, rest: string): [string, string][] {
  const parts = rawWords(rest);
  if (!parts[0]!.includes("=")) {
    const match = /^(\S+)\s+(.+)$/.exec(rest);
    if (match === null) throw invalid(`${instruction} must have two arguments`);
    return [[match[1]!, match[2]!]];
  }
  return parts.map((part) => {
    const equals = part.indexOf("=");
    if (equals < 0) {
      throw invalid(
        `Syntax error - can't find = in "${part}". Must be of the form: name=value`,
      );
    }
    const key = unquote(part.slice(0, equals));
    if (key === "") throw invalid(`${instruction} names can not be blank`);
    return [key, unquote(part.slice(equals + 1))];
  });
}

function setEnv(config: ImageRunConfig, key: string, value: string): void {
  const env = config.Env ??= [];
  const at = env.findIndex((entry) => entry.startsWith(`${key}=`));
  if (at < 0) env.push(`${key}=${value}`);
  else env[at] = `${key}=${value}`;
}

/** `80`, `80/udp`, `100-102` to `80/tcp`, ... */
function ports(word: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? first);
  if (match === null || first > last || last > 65535) {
    throw invalid(`invalid containerPort: ${word}`);
  }
  const protocol = (match[3] ?? "tcp").toLowerCase();
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol}`);
}

function expose(config: ImageRunConfig, port: string): void {
  (config.ExposedPorts ??= {})[port] = {};
}

function single(instruction: string, rest: string): string {
  const parts = instruction === "WORKDIR" ? [unquote(rest)] : words(rest);
  if (parts.length !== 1) throw invalid(`${instruction} requires exactly one argument`);
  return parts[0]!;
}

function workDirectory(config: ImageRunConfig, path: string): string {
  const whole = path.startsWith("/") ? path : `${config.WorkingDir || ""}/${path}`;
  const parts: string[] = [];
  for (const part of whole.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function onBuild(rest: string): string {
  const trigger = /^\S+/.exec(rest)![0].toUpperCase();
  if (trigger === "ONBUILD") {
    throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  }
  if (trigger === "FROM" || trigger === "MAINTAINER") {
    throw invalid(`${trigger} isn't allowed as an ONBUILD trigger`);
  }
  return rest;
}

const HEALTH_FLAGS = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
} as const;

function healthcheck(rest: string): Healthcheck {
  const health: Healthcheck = {};
  let text = rest;
  for (
    let flag = /^--([a-z-]+)=(\S*)\s*/.exec(text);
    flag;
    flag = /^--([a-z-]+)=(\S*)\s*/.exec(text)
  ) {
    setHealthFlag(health, flag[1]!, flag[2]!);
    text = text.slice(flag[0].length);
  }
  const [, type = "", command = ""] = /^(\S+)\s*(.*)$/.exec(text) ?? [];
  switch (type.toUpperCase()) {
    case "NONE":
      if (command !== "") throw invalid("HEALTHCHECK NONE takes no arguments");
      return { Test: ["NONE"] };
    case "CMD": {
      if (command === "") throw invalid("Missing command after HEALTHCHECK CMD");
      const json = jsonForm(command);
      health.Test = json === undefined ? ["CMD-SHELL", command] : ["CMD", ...json];
      return health;
    }
    default:
      throw invalid(`Unknown type "${type.toUpperCase()}" in HEALTHCHECK (try CMD)`);
  }
}

function setHealthFlag(health: Healthcheck, name: string, value: string): void {
  if (name === "retries") {
    if (!/^\d+$/.test(value)) throw invalid(`invalid value "${value}" for --retries`);
    health.Retries = Number(value);
    return;
  }
  if (!Object.hasOwn(HEALTH_FLAGS, name)) throw invalid(`unknown flag: ${name}`);
  health[HEALTH_FLAGS[name as keyof typeof HEALTH_FLAGS]] = parseDuration(value);
}
