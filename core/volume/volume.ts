/**
 * Volumes: directories that outlive containers.
 *
 *     volumes/<name>/volume.json   {"Name", "CreatedAt", "Labels", "Options"}
 *     volumes/<name>/_data/        the content
 *
 * A volume is whole from the moment its directory has its name, and gone when that is renamed away. Whoever makes a
 * container holds a shared flock(2) on the directories of its volumes until its record names them; whoever removes one
 * holds it alone. The kernel drops these locks with the process.
 *
 * @module
 */
import { isDirectory } from "../host/stat.ts";
import { DhowError } from "../errors.ts";
import { namesIn } from "../host/names_in.ts";
import type { StorePaths } from "../host/paths.ts";
import { assertVolumeOptions } from "./volume_options.ts";

/** `volume.json`. */
export interface VolumeRecord {
  Name: string;
  /** RFC 3339. */
  CreatedAt: string;
  Labels: Record<string, string> | null;
  /** Of the driver `local`: `type`, `device`, `o`. */
  Options: Record<string, string> | null;
}

/** How to make a volume. */
export interface VolumeOptions {
  labels?: Record<string, string> | null;
  /** As {@linkcode VolumeRecord.Options}. */
  options?: Record<string, string> | null;
  /** @default "local" */
  driver?: string;
}

/** The label of volumes that were made without a name. */
export const ANONYMOUS_LABEL = "com.docker.volume.anonymous";

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** NAME_MAX of <linux/limits.h>: a volume is a directory. */
const NAME_MAX = 255;

/** Where a volume's content is. */
export function volumeData(paths: StorePaths, name: string): string {
  return `${paths.volumes}/${name}/_data`;
}

/** Whether it was made without a name, for one container. */
export function isAnonymous({ Labels }: VolumeRecord): boolean {
  return Labels !== null && Object.hasOwn(Labels, ANONYMOUS_LABEL);
}

/** Reads a volume's record. @throws {DhowError} `not_found` in docker's words. */
export function readVolume(paths: StorePaths, name: string): VolumeRecord {
  const noSuchVolume = () => new DhowError("not_found", `get ${name}: no such volume`);
  if (!NAME.test(name)) throw noSuchVolume();
  try {
    const text = Deno.readTextFileSync(`${paths.volumes}/${name}/volume.json`);
    const { Name, CreatedAt, Labels, Options }: VolumeRecord = JSON.parse(text);
    return { Name, CreatedAt, Labels: nullIfEmpty(Labels), Options: nullIfEmpty(Options) };
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) throw noSuchVolume();
    throw new DhowError("internal", `Cannot read the record of volume "${name}": ${cause}`, {
      cause,
    });
  }
}

function nullIfEmpty(map: Record<string, string> | null): Record<string, string> | null {
  return map === null || Object.keys(map).length === 0 ? null : map;
}

/** All volumes, in no order. */
export function listVolumeRecords(paths: StorePaths): VolumeRecord[] {
  return namesIn(paths.volumes).filter((name) => NAME.test(name)).flatMap((name) => {
    try {
      return [readVolume(paths, name)];
    } catch {
      return []; // removed meanwhile
    }
  });
}

/**
 * Makes the volume `name` unless it is there.
 *
 * @returns Whether it is new.
 * @throws {DhowError} `invalid_argument` in docker's words for a name outside the grammar, an unknown driver or option.
 */
export function ensureVolume(
  paths: StorePaths,
  name: string,
  options: VolumeOptions = {},
): boolean {
  const directory = `${paths.volumes}/${name}`;
  assertDriver(name, options.driver);
  if (NAME.test(name) && isDirectory(`${directory}/_data`)) return false;
  assertVolumeName(name);
  assertVolumeOptions(name, options.options ?? {});
  const temporary = `${paths.volumes}/.new-${crypto.randomUUID()}`;
  Deno.mkdirSync(`${temporary}/_data`, { recursive: true, mode: 0o755 });
  const record: VolumeRecord = {
    Name: name,
    CreatedAt: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    Labels: options.labels ?? null,
    Options: options.options ?? null,
  };
  try {
    Deno.writeTextFileSync(`${temporary}/volume.json`, JSON.stringify(record));
    Deno.renameSync(temporary, directory);
    return true;
  } catch (error) {
    Deno.removeSync(temporary, { recursive: true });
    if (isDirectory(`${directory}/_data`)) return false; // somebody else was first
    throw error;
  }
}

function assertVolumeName(name: string): void {
  const fail = (why: string) => new DhowError("invalid_argument", `create ${name}: ${why}`);
  if ([...name].length < 2) {
    throw fail("volume name is too short, names should be at least two alphanumeric characters");
  }
  if (!NAME.test(name)) {
    throw fail(
      `${
        JSON.stringify(name)
      } includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
  if (name.length > NAME_MAX) {
    throw fail(`volume name is too long, names should be at most ${NAME_MAX} characters`);
  }
}

/** There is one driver. */
function assertDriver(name: string, driver = "local"): void {
  if (driver === "" || driver === "local") return;
  throw new DhowError(
    "not_found",
    `create ${name}: error looking up volume plugin ${driver}: plugin ${
      JSON.stringify(driver)
    } not found`,
  );
}

/**
 * Makes sure of the volume `name`, and that nobody removes it until the answer is disposed.
 *
 * @returns Whether it is new, and the hold on it.
 * @throws {DhowError} As {@linkcode ensureVolume}.
 */
export function holdVolume(
  paths: StorePaths,
  name: string,
  options: VolumeOptions = {},
): { isNew: boolean; hold: Disposable } {
  for (;;) {
    const isNew = ensureVolume(paths, name, options);
    const hold = lockVolume(paths, name, false);
    if (hold !== undefined) return { isNew, hold };
  }
}

/**
 * Waits for a hold on a volume.
 *
 * @param exclusive Alone, to remove it; else together with others.
 * @returns Undefined if it is not there, or was removed meanwhile.
 */
export function lockVolume(
  paths: StorePaths,
  name: string,
  exclusive: boolean,
): Disposable | undefined {
  const directory = `${paths.volumes}/${name}`;
  let lock: Deno.FsFile;
  try {
    lock = Deno.openSync(directory);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  lock.lockSync(exclusive);
  if (inode(directory) === lock.statSync().ino) return lock;
  lock.close();
  return undefined;
}

function inode(path: string): number | null | undefined {
  try {
    return Deno.statSync(path).ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
