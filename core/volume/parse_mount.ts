/**
 * Parses `--mount`, as docker's client does.
 *
 * @see https://docs.docker.com/engine/storage/bind-mounts/#options-for---mount
 * @module
 */
import { splitCsv } from "../lib/csv.ts";
import { parseBytes } from "../lib/units.ts";
import type { MountSpec } from "../spec/docker_api.ts";

/**
 * Parses `--mount type=bind,source=...,target=...`.
 *
 * @param toAbsolute Makes a source that starts with `.` absolute.
 * @throws {Error} With docker's wording.
 */
export function parseMount(text: string, toAbsolute: (path: string) => string): MountSpec {
  const spec: MountSpec = { Type: "volume", Target: "" };
  for (const field of splitCsv(text)) {
    const equals = field.indexOf("=");
    const key = (equals < 0 ? field : field.slice(0, equals)).trim().toLowerCase();
    let value = equals < 0 ? "" : field.slice(equals + 1);
    if (equals < 0) {
      if (!BOOLEAN_KEYS.has(key)) {
        throw new Error(`invalid field '${field}' must be a key=value pair`);
      }
      value = "true";
    }
    applyField(spec, { key, value, field, toAbsolute });
  }
  assertNotMixed(spec);
  return inOrder(spec);
}

/** With the fields in docker's order, and those that docker's client always sends. */
function inOrder(spec: MountSpec): MountSpec {
  const { Type, Source, Target, VolumeOptions, ...rest } = spec;
  return {
    Type,
    ...Source !== undefined && { Source },
    Target,
    ...rest,
    ...VolumeOptions &&
      { VolumeOptions: { ...VolumeOptions, DriverConfig: driverOf(VolumeOptions) } },
  };
}

function driverOf({ DriverConfig = {} }: NonNullable<MountSpec["VolumeOptions"]>) {
  const { Name, Options } = DriverConfig;
  return { ...Name !== undefined && { Name }, ...Options && { Options } };
}

const BOOLEAN_KEYS = new Set([
  "readonly",
  "ro",
  "volume-nocopy",
  "bind-nonrecursive",
  "bind-create-src",
]);

interface Field {
  key: string;
  value: string;
  field: string;
  toAbsolute: (path: string) => string;
}

function applyField(spec: MountSpec, { key, value, field, toAbsolute }: Field): void {
  switch (key) {
    case "type":
      spec.Type = value.toLowerCase() as MountSpec["Type"];
      return;
    case "source":
    case "src":
      spec.Source = /^\.(\/|\.|$)/.test(value) ? toAbsolute(value) : value;
      return;
    case "target":
    case "dst":
    case "destination":
      spec.Target = value;
      return;
    case "readonly":
    case "ro":
      spec.ReadOnly = parseFlagValue(key, value);
      return;
    case "consistency":
      spec.Consistency = value.toLowerCase();
      return;
    case "image-subpath":
      spec.ImageOptions = { Subpath: value };
      return;
  }
  if (key.startsWith("bind-")) return applyBindField(spec, { key, value, field, toAbsolute });
  if (key.startsWith("volume-")) return applyVolumeField(spec, { key, value, field, toAbsolute });
  if (key === "tmpfs-size" || key === "tmpfs-mode") {
    const options = spec.TmpfsOptions ??= {};
    try {
      if (key === "tmpfs-size") options.SizeBytes = parseBytes(value);
      else if (/^[0-7]+$/.test(value)) options.Mode = parseInt(value, 8);
      else throw new Error("not octal");
    } catch {
      throw new Error(`invalid value for ${key}: ${value}`);
    }
    return;
  }
  throw new Error(`unexpected key '${key}' in '${field}'`);
}

function applyBindField(spec: MountSpec, { key, value, field }: Field): void {
  const options = spec.BindOptions ??= {};
  switch (key) {
    case "bind-propagation":
      options.Propagation = value.toLowerCase();
      return;
    case "bind-nonrecursive":
      options.NonRecursive = parseFlagValue(key, value);
      return;
    case "bind-create-src":
      options.CreateMountpoint = parseFlagValue(key, value);
      return;
    case "bind-recursive":
      if (value === "disabled") options.NonRecursive = true;
      else if (value === "writable") options.ReadOnlyNonRecursive = true;
      else if (value === "readonly") options.ReadOnlyForceRecursive = true;
      else if (value !== "enabled") {
        throw new Error(
          `invalid value for ${key}: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
        );
      }
      return;
  }
  throw new Error(`unexpected key '${key}' in '${field}'`);
}

function applyVolumeField(spec: MountSpec, { key, value, field }: Field): void {
  const options = spec.VolumeOptions ??= {};
  const [name, text] = value.includes("=")
    ? [value.slice(0, value.indexOf("=")), value.slice(value.indexOf("=") + 1)]
    : [value, ""];
  switch (key) {
    case "volume-nocopy":
      options.NoCopy = parseFlagValue(key, value);
      return;
    case "volume-subpath":
      options.Subpath = value;
      return;
    case "volume-label":
      (options.Labels ??= {})[name] = text;
      return;
    case "volume-driver":
      (options.DriverConfig ??= {}).Name = value;
      return;
    case "volume-opt":
      ((options.DriverConfig ??= {}).Options ??= {})[name] = text;
      return;
  }
  throw new Error(`unexpected key '${key}' in '${field}'`);
}

function assertNotMixed(spec: MountSpec): void {
  if (spec.Target === "") throw new Error("target is required");
  const kinds = { bind: spec.BindOptions, volume: spec.VolumeOptions, tmpfs: spec.TmpfsOptions };
  for (const [kind, options] of Object.entries(kinds)) {
    if (options !== undefined && spec.Type !== kind) {
      throw new Error(`cannot mix '${kind}-*' options with mount type '${spec.Type}'`);
    }
  }
  if (spec.BindOptions?.ReadOnlyForceRecursive) {
    if (!spec.ReadOnly) {
      throw new Error(
        "option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction",
      );
    }
    if (spec.BindOptions.Propagation !== "rprivate") {
      throw new Error(
        "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
      );
    }
  }
}

function parseFlagValue(key: string, value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new Error(`invalid value for ${key}: ${value}`);
}
