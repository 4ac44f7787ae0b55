/**
 * `docker volume`: list, inspect, remove and prune volumes, knowing which containers use them.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { matchesLabel } from "../lib/labels.ts";
import type { VolumeCreate, VolumeInspect } from "../spec/docker_api.ts";
import {
  ANONYMOUS_LABEL,
  ensureVolume,
  isAnonymous,
  listVolumeRecords,
  lockVolume,
  readVolume,
  volumeData,
  type VolumeRecord,
} from "../volume/volume.ts";
import { appendEvent, makeEvent } from "./events.ts";
import { randomId } from "./names.ts";
import { containerIds, readRecord } from "./record.ts";
import { removeTreesAnyhow } from "./remove.ts";
import { treeSize } from "./size.ts";

/**
 * Makes a volume unless there is one of that name.
 *
 * @throws {DhowError} `invalid_argument` in docker's words.
 */
export function createVolume(paths: StorePaths, request: VolumeCreate): VolumeInspect {
  const name = request.Name || randomId();
  const labels = request.Name
    ? request.Labels ?? null
    : { ...request.Labels, [ANONYMOUS_LABEL]: "" };
  const isNew = ensureVolume(paths, name, {
    labels,
    options: request.DriverOpts ?? null,
    ...request.Driver && { driver: request.Driver },
  });
  if (isNew) logVolumeEvent(paths, name, "create");
  return inspectVolume(paths, name);
}

/** What `docker volume inspect` shows. @throws {DhowError} `not_found` in docker's words. */
export function inspectVolume(paths: StorePaths, name: string): VolumeInspect {
  return toInspect(paths, readVolume(paths, name));
}

function toInspect(paths: StorePaths, record: VolumeRecord): VolumeInspect {
  return {
    CreatedAt: record.CreatedAt,
    Driver: "local",
    Labels: sorted(record.Labels),
    Mountpoint: volumeData(paths, record.Name),
    Name: record.Name,
    Options: sorted(record.Options),
    Scope: "local",
  };
}

/** By key, as docker shows maps. */
function sorted(map: Record<string, string> | null): Record<string, string> | null {
  return map && Object.fromEntries(Object.entries(map).sort(([a], [b]) => a < b ? -1 : 1));
}

/**
 * The volumes that pass the filters `dangling`, `driver`, `label` and `name`, by name.
 *
 * @throws {DhowError} `invalid_argument` in docker's words.
 */
export function listVolumes(
  paths: StorePaths,
  filters: Record<string, string[]> = {},
): VolumeInspect[] {
  const dangling = assertListFilters(filters);
  const used = dangling === undefined ? undefined : volumeUsers(paths);
  const { driver = [], label = [], name = [] } = filters;
  return listVolumeRecords(paths)
    .filter((record) =>
      (used === undefined || used.has(record.Name) !== dangling) &&
      (driver.length === 0 || driver.includes("local")) &&
      label.every((wanted) => matchesLabel(wanted, record.Labels ?? {})) &&
      (name.length === 0 || name.some((pattern) => matchesName(pattern, record.Name)))
    )
    .sort((a, b) => NATURAL.compare(a.Name, b.Name))
    .map((record) => toInspect(paths, record));
}

/** As docker sorts: digits count as numbers. */
const NATURAL = new Intl.Collator("en", { numeric: true });

/** @returns What `dangling` asks for, if it is there. */
function assertListFilters(filters: Record<string, string[]>): boolean | undefined {
  const known = ["dangling", "driver", "label", "name"];
  const unknown = Object.keys(filters).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new DhowError("invalid_argument", `invalid filter '${unknown}'`);
  }
  const { dangling } = filters;
  return dangling === undefined ? undefined : readFlag("dangling", dangling);
}

function readFlag(key: string, values: readonly string[]): boolean {
  const isTrue = values.every((value) => /^(1|t|T|true|TRUE|True)$/.test(value));
  const isFalse = values.every((value) => /^(0|f|F|false|FALSE|False)$/.test(value));
  if (isTrue || isFalse) return isTrue;
  throw new DhowError("invalid_argument", `invalid filter '${key}=[${values.join(" ")}]'`);
}

/** Docker takes a regular expression, found anywhere in the name. */
function matchesName(pattern: string, name: string): boolean {
  if (pattern === name || name.includes(pattern)) return true;
  try {
    return new RegExp(pattern).test(name);
  } catch {
    return false;
  }
}

/** Ids of the containers that use each volume. */
export function volumeUsers(paths: StorePaths): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const id of containerIds(paths)) {
    try {
      const names = readRecord(paths, id).mounts
        .flatMap(({ Type, Name }) => Type === "volume" && Name ? [Name] : []);
      for (const name of new Set(names)) users.set(name, [...users.get(name) ?? [], id]);
    } catch { /* removed meanwhile */ }
  }
  return users;
}

/**
 * Removes a volume that no container uses.
 *
 * @throws {DhowError} `not_found`, `conflict` if it is in use; in docker's words.
 */
export async function removeVolume(paths: StorePaths, name: string): Promise<void> {
  readVolume(paths, name);
  const taken = takeVolume(paths, name);
  if (Array.isArray(taken)) {
    const users = taken.join(", ");
    throw new DhowError("conflict", `remove ${name}: volume is in use - [${users}]`);
  }
  if (taken === undefined) readVolume(paths, name); // somebody else was faster
  else await removeTreesAnyhow(paths, [taken]);
}

/**
 * Takes a volume away: from here on it does not exist.
 *
 * @returns Where what is left of it is, to be removed; the ids of the containers that use it; or undefined if there is
 *   none.
 */
export function takeVolume(paths: StorePaths, name: string): string | string[] | undefined {
  const users = () => volumeUsers(paths).get(name);
  const before = users();
  if (before !== undefined) return before;
  using lock = lockVolume(paths, name, true);
  if (lock === undefined) return undefined;
  // Who had it held until now has written its record by now.
  const now = users();
  if (now !== undefined) return now;
  const trash = `${paths.tmp}/removed-volume-${crypto.randomUUID()}`;
  Deno.mkdirSync(paths.tmp, { recursive: true, mode: 0o700 });
  Deno.renameSync(`${paths.volumes}/${name}`, trash);
  logVolumeEvent(paths, name, "destroy");
  return trash;
}

/**
 * Removes volumes that no container uses: those made without a name, or with the filter `all` every one.
 *
 * @param filters `label`, `label!`, `all`.
 * @throws {DhowError} `invalid_argument` in docker's words.
 */
export async function pruneVolumes(
  paths: StorePaths,
  filters: Record<string, string[]> = {},
): Promise<{ removed: string[]; reclaimedBytes: number }> {
  const { all = ["false"], label = [], "label!": unwanted = [], ...unknown } = filters;
  for (const key of Object.keys(unknown)) {
    throw new DhowError("invalid_argument", `invalid filter '${key}'`);
  }
  const wrong = all.find((value) => !/^([01tTfF]|true|TRUE|True|false|FALSE|False)$/.test(value));
  if (wrong !== undefined) {
    throw new DhowError(
      "invalid_argument",
      `invalid filter 'all': strconv.ParseBool: parsing ${JSON.stringify(wrong)}: invalid syntax`,
    );
  }
  const isAll = readFlag("all", all);
  const used = volumeUsers(paths);
  const removed: string[] = [], trees = halfMade(paths);
  for (const record of listVolumeRecords(paths)) {
    const labels = record.Labels ?? {};
    const passes = (isAll || isAnonymous(record)) &&
      label.every((wanted) => matchesLabel(wanted, labels)) &&
      !unwanted.some((not) => matchesLabel(not, labels));
    if (!passes || used.has(record.Name)) continue;
    const taken = takeVolume(paths, record.Name);
    if (typeof taken !== "string") continue;
    removed.push(record.Name);
    trees.push(taken);
  }
  const reclaimedBytes = trees.reduce((sum, tree) => sum + treeSize(`${tree}/_data`), 0);
  await removeTreesAnyhow(paths, trees);
  return { removed, reclaimedBytes };
}

/** Beginnings of volumes whose makers were killed: it takes milliseconds to make one. */
function halfMade(paths: StorePaths): string[] {
  try {
    return [...Deno.readDirSync(paths.volumes)].map(({ name }) => `${paths.volumes}/${name}`)
      .filter((path) => path.includes("/.new-"))
      .filter((path) => (Deno.lstatSync(path).mtime?.getTime() ?? 0) < Date.now() - 3_600_000);
  } catch {
    return []; // there are no volumes, or one has got its name meanwhile
  }
}

function logVolumeEvent(paths: StorePaths, name: string, action: string): void {
  try {
    const attributes = { driver: "local" };
    appendEvent(paths.events, makeEvent("volume", action, { id: name, attributes }));
  } catch { /* an event is not worth failing for */ }
}
