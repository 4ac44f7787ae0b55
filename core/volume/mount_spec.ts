/**
 * Parses `-v` and `--volumes-from`, and checks mounts, in docker's words.
 *
 * The command line parses what the user wrote (`splitVolume`, parse_mount.ts); the engine parses and checks what ends up
 * in HostConfig (`parseBind`, `assertMountSpec`, `parseVolumesFrom`).
 *
 * @see https://docs.docker.com/engine/storage/bind-mounts/
 * @module
 */
import { DhowError } from "../errors.ts";
import type { MountSpec } from "../spec/docker_api.ts";

const PROPAGATIONS = ["private", "rprivate", "slave", "rslave", "shared", "rshared"];
const MODE_GROUPS: readonly (readonly string[])[] = [
  ["ro", "rw"],
  ["z", "Z"],
  PROPAGATIONS,
  ["nocopy"],
  ["consistent", "cached", "delegated"],
];

/** A `-v` of HostConfig.Binds or Config.Volumes, taken apart. */
export interface BindSpec extends MountSpec {
  Type: "bind" | "volume";
  /** As written: `ro,z`; docker inspect shows it. */
  mode: string;
}

/** Splits `-v` as the command line does: a spec without source is an anonymous volume, kept whole in `target`. */
export function splitVolume(spec: string): { source: string; target: string } {
  if (spec === "") throw new Error("invalid empty volume spec");
  if (spec.length <= 2) return { source: "", target: spec };
  const parts = spec.split(":");
  if (parts.includes("")) throw new Error(`invalid spec: ${spec}: empty section between colons`);
  if (parts.length > 3) throw new Error(`invalid spec: ${spec}: too many colons`);
  if (parts.length === 1) return { source: "", target: spec };
  return { source: parts[0]!, target: parts[1]! };
}

/** Whether `mode` holds known words, at most one of each kind. */
export function isMountMode(mode: string): boolean {
  const seen = new Set<readonly string[]>();
  for (const word of mode.split(",")) {
    const group = MODE_GROUPS.find((words) => words.includes(word));
    if (group === undefined || seen.has(group)) return false;
    seen.add(group);
  }
  return true;
}

/**
 * Parses `[SOURCE:]TARGET[:MODE]` and checks it.
 *
 * @throws {DhowError} `invalid_argument` with docker's wording.
 */
export function parseBind(raw: string): BindSpec {
  const invalid = `invalid volume specification: '${raw}'`;
  const parts = raw.split(":");
  const [first, second, mode = ""] = parts;
  if (!first || parts.length > 3 || (parts.length === 2 && isMountMode(second!))) {
    throw new DhowError("invalid_argument", invalid);
  }
  if (mode !== "" && !isMountMode(mode)) {
    throw new DhowError("invalid_argument", `invalid mode: ${mode}`);
  }
  const words = mode.split(",");
  const source = second === undefined ? "" : first;
  const spec: BindSpec = {
    Type: source.startsWith("/") ? "bind" : "volume",
    Target: second ?? first,
    mode,
  };
  if (source !== "") spec.Source = source;
  if (words.includes("ro")) spec.ReadOnly = true;
  const propagation = words.find((word) => PROPAGATIONS.includes(word));
  if (propagation !== undefined) spec.BindOptions = { Propagation: propagation };
  if (words.includes("nocopy")) spec.VolumeOptions = { NoCopy: true };
  try {
    assertMountSpec(spec);
  } catch (error) {
    throw new DhowError("invalid_argument", `${invalid}: ${(error as Error).message}`);
  }
  return spec;
}

/**
 * Checks a mount, but not whether its source exists.
 *
 * @throws {DhowError} `invalid_argument` with docker's wording.
 */
export function assertMountSpec(spec: MountSpec): void {
  const problem = findProblem(spec);
  if (problem === undefined) return;
  throw new DhowError(
    "invalid_argument",
    `invalid mount config for type "${spec.Type}": ${problem}`,
  );
}

function findProblem(spec: MountSpec): string | undefined {
  const { Source: source = "", Target: target } = spec;
  if (target === "") return "field Target must not be empty";
  if (/^\/+\.?$/.test(target)) return "invalid specification: destination can't be '/'";
  if (!target.startsWith("/")) return `invalid mount path: '${target}' mount path must be absolute`;
  switch (spec.Type) {
    case "bind": {
      if (source === "") return "field Source must not be empty";
      if (!source.startsWith("/")) {
        return `invalid mount path: '${source}' mount path must be absolute`;
      }
      const propagation = spec.BindOptions?.Propagation;
      if (propagation && !PROPAGATIONS.includes(propagation)) {
        return `invalid propagation mode: ${propagation}`;
      }
      return spec.VolumeOptions && "field VolumeOptions must not be specified";
    }
    case "volume":
      if (spec.BindOptions) return "field BindOptions must not be specified";
      if (source === "" && spec.ReadOnly) {
        return "must not set ReadOnly mode when using anonymous volumes";
      }
      if (source === "" && spec.VolumeOptions?.Subpath) {
        return "must not set Subpath when using anonymous volumes";
      }
      if (leadsOut(spec.VolumeOptions?.Subpath)) {
        return "subpath must be a relative path within the volume";
      }
      return undefined;
    case "tmpfs":
      if (source !== "") return "field Source must not be specified";
      if (spec.BindOptions) return "field BindOptions must not be specified";
      return spec.VolumeOptions && "field VolumeOptions must not be specified";
    case "image":
      if (source === "") return "field Source must not be empty";
      return leadsOut(spec.ImageOptions?.Subpath)
        ? "subpath must be a relative path within the volume"
        : undefined;
    default:
      return "mount type unknown";
  }
}

/** Whether a path is absolute or climbs above where it starts, links aside: those are the kernel's to follow. */
function leadsOut(path = ""): boolean {
  let depth = 0;
  for (const part of path.split("/")) {
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
    if (depth < 0) return true;
  }
  return path.startsWith("/");
}

/**
 * Parses `CONTAINER[:MODE]` of `--volumes-from`.
 *
 * @throws {DhowError} `invalid_argument` with docker's wording.
 */
export function parseVolumesFrom(spec: string): { container: string; mode: string } {
  const colon = spec.indexOf(":");
  const container = colon < 0 ? spec : spec.slice(0, colon);
  const mode = colon < 0 ? "rw" : spec.slice(colon + 1);
  if (container === "") {
    throw new DhowError("invalid_argument", `invalid volumes-from specification: '${spec}'`);
  }
  const hasPropagation = mode.split(",").some((word) => PROPAGATIONS.includes(word));
  if (!isMountMode(mode) || hasPropagation) {
    throw new DhowError("invalid_argument", `invalid mode: ${mode}`);
  }
  return { container, mode };
}

/** Mount options docker accepts for `--tmpfs PATH:OPTIONS`; those with a value end in `=`. */
const TMPFS_OPTIONS = new Set(
  ("ro rw suid nosuid dev nodev exec noexec sync async dirsync remount mand nomand atime noatime " +
    "diratime nodiratime relatime norelatime strictatime nostrictatime mode= size= uid= gid= nr_inodes= nr_blocks= mpol= " +
    "private rprivate slave rslave shared rshared unbindable runbindable bind rbind").split(" "),
);

/**
 * Checks the options of `--tmpfs PATH:OPTIONS` and returns them as words.
 *
 * @throws {DhowError} `invalid_argument` with docker's wording.
 */
export function parseTmpfsOptions(options: string): string[] {
  const words = options.split(",").filter((word) => word !== "");
  for (const word of words) {
    const key = word.includes("=") ? word.slice(0, word.indexOf("=") + 1) : word;
    if (!TMPFS_OPTIONS.has(key)) {
      throw new DhowError("invalid_argument", `invalid tmpfs option ${JSON.stringify(word)}`);
    }
  }
  return words;
}
