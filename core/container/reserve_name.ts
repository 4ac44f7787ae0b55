/**
 * Names of containers: `names/<name>` is a symbolic link to the container's directory, which only one can make.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { namesIn } from "../host/names_in.ts";
import type { StorePaths } from "../host/paths.ts";
import { randomId, randomName } from "./names.ts";
import {
  containerDirectory,
  type ContainerRecord,
  idOfName,
  isContainerName,
  writeRecord,
} from "./record.ts";

/** Tries at an unused random name. */
const NAME_ATTEMPTS = 20;

/** @throws {DhowError} `invalid_argument` in docker's words. */
export function assertName(name: string | undefined): void {
  if (name === undefined || isContainerName(name)) return;
  throw invalidName(name);
}

function invalidName(name: string): DhowError {
  return new DhowError(
    "invalid_argument",
    `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
}

/** Before anything is made: a clear answer. The name itself is taken by {@linkcode reserveName}. */
export function assertNameFree(paths: StorePaths, name: string): void {
  const owner = idOfName(paths, name.replace(/^\//, ""));
  if (owner !== undefined) throw nameTaken(name.replace(/^\//, ""), owner);
}

function nameTaken(name: string, owner: string): DhowError {
  return new DhowError(
    "conflict",
    `Conflict. The container name "/${name}" is already in use by container "${owner}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
}

/** A random name that nobody has yet. */
export function freeName(paths: StorePaths): string {
  for (let attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
    const name = randomName(attempt);
    if (idOfName(paths, name) === undefined) return name;
  }
  return randomId().slice(0, 12);
}

/**
 * Takes the container's name; where somebody else was faster another random one, unless it was given.
 *
 * @throws {DhowError} `conflict`.
 */
export function reserveOrRename(
  paths: StorePaths,
  record: ContainerRecord,
  isGiven: boolean,
): void {
  for (;;) {
    const owner = reserveName(paths, record.name, record.id);
    if (owner === undefined) return;
    if (isGiven) throw nameTaken(record.name, owner);
    record.name = freeName(paths);
    writeRecord(containerDirectory(paths, record.id), record);
  }
}

/**
 * Takes a name for container `id`, whose directory is in place.
 *
 * @returns The id of the container that has it, or undefined if it is taken now.
 */
function reserveName(paths: StorePaths, name: string, id: string): string | undefined {
  const link = `${paths.names}/${name}`;
  for (;;) {
    try {
      Deno.symlinkSync(`../containers/${id}`, link);
      return undefined;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
    const owner = idOfName(paths, name);
    if (owner === id) return undefined;
    if (owner !== undefined) return owner;
    removeStaleName(paths, name);
  }
}

/** A link to a container that is gone: left by a crash between two steps. One at a time, so that no fresh one is lost. */
function removeStaleName(paths: StorePaths, name: string): void {
  using _lock = lockNames(paths);
  if (idOfName(paths, name) !== undefined) return;
  try {
    Deno.removeSync(`${paths.names}/${name}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Takes the names of containers that are gone away. */
export function removeStaleNames(paths: StorePaths): void {
  for (const name of namesIn(paths.names)) {
    if (idOfName(paths, name) === undefined) removeStaleName(paths, name);
  }
}

/** Held while a name is taken away. */
function lockNames(paths: StorePaths): Disposable {
  const lock = Deno.openSync(`${paths.root}/names.lock`, {
    write: true,
    create: true,
    mode: 0o600,
  });
  lock.lockSync(true);
  return lock;
}

/** Gives a container another name. @throws {DhowError} `conflict` if it is taken. */
export function renameContainer(paths: StorePaths, record: ContainerRecord, newName: string): void {
  const name = newName.replace(/^\//, "");
  if (name === record.name) {
    throw new DhowError(
      "invalid_argument",
      "Renaming a container with the same name as its current name",
    );
  }
  const cannot = (why: DhowError) =>
    new DhowError(why.code, `Error when allocating new name: ${why.message}`);
  if (!isContainerName(name)) throw cannot(invalidName(`/${name}`));
  const owner = reserveName(paths, name, record.id);
  if (owner !== undefined) throw cannot(nameTaken(name, owner));
  const old = record.name;
  writeRecord(containerDirectory(paths, record.id), { ...record, name });
  releaseName(paths, old, record.id);
}

/** Gives a name back, if it is still that container's. */
export function releaseName(paths: StorePaths, name: string, id: string): void {
  using _lock = lockNames(paths);
  try {
    if (Deno.readLinkSync(`${paths.names}/${name}`).endsWith(`/${id}`)) {
      Deno.removeSync(`${paths.names}/${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
