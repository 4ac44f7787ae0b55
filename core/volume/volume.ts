/**
 * Volumes: directories that outlive containers.
 *
 *     volumes/<name>/volume.json   {"Name", "CreatedAt", "Labels", "Options", "Anonymous"}
 *     volumes/<name>/_data/        the content
 *
 * @module
 */
import { isDirectory } from "../host/stat.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";

/** `volume.json`. */
export interface VolumeRecord {
  Name: string;
  /** RFC 3339. */
  CreatedAt: string;
  Labels: Record<string, string>;
  Options: Record<string, string>;
  /** Made for one container, without a name. */
  Anonymous: boolean;
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Where a volume's content is. */
export function volumeData(paths: StorePaths, name: string): string {
  return `${paths.volumes}/${name}/_data`;
}

/**
 * Makes the volume `name` unless it is there.
 *
 * @returns Whether it is new.
 * @throws {DhowError} `invalid_argument` in docker's words for a name outside the grammar.
 */
export function ensureVolume(
  paths: StorePaths,
  name: string,
  options: { labels?: Record<string, string>; anonymous?: boolean } = {},
): boolean {
  if (!NAME.test(name)) {
    throw new DhowError(
      "invalid_argument",
      `create ${name}: ${
        JSON.stringify(name)
      } includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
  const directory = `${paths.volumes}/${name}`;
  if (isDirectory(`${directory}/_data`)) return false;
  const temporary = `${paths.volumes}/.new-${crypto.randomUUID()}`;
  Deno.mkdirSync(`${temporary}/_data`, { recursive: true, mode: 0o755 });
  const record: VolumeRecord = {
    Name: name,
    CreatedAt: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    Labels: options.labels ?? {},
    Options: {},
    Anonymous: options.anonymous ?? false,
  };
  Deno.writeTextFileSync(`${temporary}/volume.json`, JSON.stringify(record));
  try {
    Deno.renameSync(temporary, directory);
    return true;
  } catch (error) {
    Deno.removeSync(temporary, { recursive: true });
    if (isDirectory(`${directory}/_data`)) return false; // somebody else was first
    throw error;
  }
}
