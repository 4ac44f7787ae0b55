/**
 * Values of `run`'s flags that have a form of their own: devices, ports, restart policies, security options, mounts.
 *
 * @module
 */
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from "../core/container/system_paths.ts";
import { DhowError } from "../core/errors.ts";
import type { DeviceMapping, HostConfig, MountSpec } from "../core/spec/docker_api.ts";
import type { Healthcheck } from "../core/spec/image.ts";
import { splitVolume } from "../core/volume/mount_spec.ts";
import { parseMount } from "../core/volume/parse_mount.ts";
import type { CreateFlags } from "./run_flags.ts";

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}

/** Parses `--device SOURCE[:TARGET[:rwm]]`. */
export function parseDevice(spec: string): DeviceMapping {
  const parts = spec.split(":");
  const isMode = (text: string) => /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length;
  const [source = "", second = "", third] = parts;
  if (parts.length > 3 || source === "") throw invalid(`bad format for path: ${spec}`);
  let target = source;
  let mode = "rwm";
  if (parts.length === 2 && isMode(second)) mode = second;
  else if (second !== "") target = second;
  if (third !== undefined) mode = third;
  if (!isMode(mode)) throw invalid(`bad mode specified: ${mode}`);
  for (const path of [target, source]) {
    if (!path.startsWith("/")) throw invalid(`${path} is not an absolute path`);
  }
  return { PathOnHost: source, PathInContainer: target, CgroupPermissions: mode };
}

/** Parses `--expose PORT[-PORT][/PROTOCOL]` into `80/tcp` keys. */
export function parseExpose(spec: string): string[] {
  if (spec.includes(":")) throw invalid(`invalid port format for --expose: ${spec}`);
  const [range = "", protocol = "tcp"] = spec.split("/");
  const fail = (why: string) =>
    invalid(`invalid range format for --expose: ${spec}, error: ${why}`);
  if (range === "") throw fail("empty string specified for ports.");
  const [start, end] = range.split("-").map((text) => {
    if (!/^\d+$/.test(text) || Number(text) > 0xffff) {
      const why = /^\d+$/.test(text) ? "value out of range" : "invalid syntax";
      throw fail(`strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`);
    }
    return Number(text);
  }) as [number, number?];
  if (end !== undefined && end < start) {
    throw fail(`Invalid range specified for the Port: ${range}`);
  }
  const ports: string[] = [];
  for (let port = start; port <= (end ?? start); port++) {
    ports.push(`${port}/${protocol.toLowerCase()}`);
  }
  return ports;
}

/** Parses `--restart NAME[:COUNT]`; whether the name exists is for the engine to say. */
export function parseRestartPolicy(text: string): HostConfig["RestartPolicy"] {
  if (text === "") return { Name: "", MaximumRetryCount: 0 };
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  if (name === "") {
    throw invalid("invalid restart policy format: no policy provided before colon");
  }
  const count = colon < 0 ? "" : text.slice(colon + 1);
  if (count !== "" && !/^[+-]?\d+$/.test(count)) {
    throw invalid("invalid restart policy format: maximum retry count must be an integer");
  }
  return { Name: name, MaximumRetryCount: Number(count) };
}

/** Checks `--security-opt`s and puts the content of seccomp profiles in the place of their paths. */
export function readSecurityOptions(options: readonly string[]): string[] {
  return options.map((option) => {
    const at = option.includes("=") ? option.indexOf("=") : option.indexOf(":");
    const key = at < 0 ? option : option.slice(0, at);
    const value = at < 0 ? "" : option.slice(at + 1);
    if (key !== "no-new-privileges" && value === "") {
      throw invalid(`Invalid --security-opt: ${JSON.stringify(option)}`);
    }
    if (key !== "seccomp" || value === "unconfined" || value === "builtin") return option;
    return "seccomp=" + readSeccompProfile(value);
  });
}

/**
 * Takes the options about paths out of `--security-opt`: docker's `systempaths=unconfined`, and podman's `mask=PATH:...` and
 * `unmask=PATH:...` or `unmask=ALL`.
 *
 * @returns `null` for docker's own paths, and the options that are left.
 */
export function readPathOptions(
  options: readonly string[],
): { MaskedPaths: string[] | null; ReadonlyPaths: string[] | null; rest: string[] } {
  const rest: string[] = [], masked: string[] = [], unmasked: string[] = [];
  let none = false;
  for (const option of options) {
    const [key, value = ""] = [option.split("=", 1)[0], option.slice(option.indexOf("=") + 1)];
    if (option === "systempaths=unconfined" || option.toLowerCase() === "unmask=all") none = true;
    else if (key === "mask" || key === "unmask") {
      (key === "mask" ? masked : unmasked).push(...value.split(":").map(assertAbsolute));
    } else rest.push(option);
  }
  if (!none && masked.length === 0 && unmasked.length === 0) {
    return { MaskedPaths: null, ReadonlyPaths: null, rest };
  }
  const keep = (paths: readonly string[]) =>
    none ? [] : paths.filter((path) => !unmasked.some((pattern) => covers(pattern, path)));
  return {
    MaskedPaths: [...new Set([...keep(DEFAULT_MASKED_PATHS), ...masked])],
    ReadonlyPaths: keep(DEFAULT_READONLY_PATHS),
    rest,
  };
}

function assertAbsolute(path: string): string {
  if (path.startsWith("/")) return path;
  throw invalid(`Invalid --security-opt: "${path}" is no absolute path`);
}

/** Whether `/proc/*` or `/proc/keys` means the path. */
function covers(pattern: string, path: string): boolean {
  return pattern === path || pattern.endsWith("/*") && path.startsWith(pattern.slice(0, -1));
}

function readSeccompProfile(path: string): string {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "no such file or directory"
      : (error as Error).message;
    throw invalid(`opening seccomp profile (${path}) failed: open ${path}: ${why}`);
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    throw invalid(
      `compacting json for seccomp profile (${path}) failed: ${(error as Error).message}`,
    );
  }
}

/** Parses `--log-driver` and `--log-opt`s. */
export function parseLogConfig(
  driver: string,
  options: readonly string[],
): HostConfig["LogConfig"] {
  if (driver === "none" && options.length > 0) {
    throw invalid("invalid logging opts for driver none");
  }
  return { Type: driver, Config: toMap(options) };
}

/** `a=b c` as `{a: "b", c: ""}`. */
export function toMap(entries: readonly string[], separator = "="): Record<string, string> {
  const map: Record<string, string> = {};
  for (const entry of entries) {
    const at = entry.indexOf(separator);
    map[at < 0 ? entry : entry.slice(0, at)] = at < 0 ? "" : entry.slice(at + 1);
  }
  return map;
}

/** The health check the `--health-*` flags ask for, if any. */
export function toHealthcheck(flags: CreateFlags): Healthcheck | undefined {
  const { healthCmd, healthInterval, healthTimeout, healthRetries } = flags;
  const { healthStartPeriod, healthStartInterval } = flags;
  const isSet = healthCmd !== "" || healthInterval !== 0 || healthTimeout !== 0 ||
    healthRetries !== 0 || healthStartPeriod !== 0 || healthStartInterval !== 0;
  if (flags.noHealthcheck) {
    if (isSet) throw invalid("--no-healthcheck conflicts with --health-* options");
    return { Test: ["NONE"] };
  }
  if (!isSet) return undefined;
  const check: Healthcheck = healthCmd === "" ? {} : { Test: ["CMD-SHELL", healthCmd] };
  const numbers = [
    ["Interval", healthInterval, "interval"],
    ["Timeout", healthTimeout, "timeout"],
    ["StartPeriod", healthStartPeriod, "start-period"],
    ["StartInterval", healthStartInterval, "start-interval"],
    ["Retries", healthRetries, "retries"],
  ] as const;
  for (const [field, value, flag] of numbers) {
    if (value < 0) throw invalid(`--health-${flag} cannot be negative`);
    if (value !== 0) check[field] = value;
  }
  return check;
}

/** `-v` split into what is bound and what is an anonymous volume; relative sources are made absolute. */
export function splitVolumes(
  specs: readonly string[],
): { binds: string[]; volumes: Record<string, Record<string, never>> } {
  const binds: string[] = [];
  const volumes: Record<string, Record<string, never>> = {};
  for (const spec of specs) {
    const { source, target } = parsed(() => splitVolume(spec));
    if (source === "") volumes[target] = {};
    else if (source.startsWith(".")) {
      binds.push(toAbsolute(source) + spec.slice(source.length));
    } else if (!binds.includes(spec)) binds.push(spec);
  }
  return { binds, volumes };
}

/** Parses every `--mount`. */
export function parseMounts(specs: readonly string[]): MountSpec[] {
  return specs.map((spec) => parsed(() => parseMount(spec, toAbsolute)));
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw invalid((error as Error).message);
  }
}

/** `path` relative to the working directory, without `.`, `..` and doubled slashes. */
export function toAbsolute(path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${Deno.cwd()}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return "/" + parts.join("/");
}
