/**
 * The store as an OCI image layout: `oci-layout`, `index.json`, `blobs/sha256/`. skopeo and umoci read it as
 * `oci:STORE:docker.io/library/busybox:latest`.
 *
 * Readers take no lock: files are made complete under another name and renamed into place. Writers of the index take
 * turns by a lock on `index.lock`. Whoever adds blobs holds the *lease*, a shared lock on `gc.lock`, from the first
 * blob until the index (or a container) refers to them; rubbish is only swept by who can get that lock for itself.
 *
 * @see https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 * @module
 */
import { isThere } from "../host/stat.ts";
import type { StorePaths } from "../host/paths.ts";
import type { Descriptor, Index } from "../spec/image.ts";
import { DhowError } from "../errors.ts";
import { explainDiskError } from "./disk_error.ts";

/** Where a manifest's name stands in `index.json`. */
export const REF_NAME = "org.opencontainers.image.ref.name";

/** Makes the store's directories and `oci-layout`, if they are missing. @throws {DhowError} `read_only`, `no_space`. */
export function ensureLayout(paths: StorePaths): void {
  const marker = `${paths.root}/oci-layout`;
  if (isThere(marker)) return;
  try {
    for (const directory of [paths.blobs, paths.layers, paths.tmp]) {
      Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
    }
    writeAtomically(marker, `${marker}.${crypto.randomUUID()}`, '{"imageLayoutVersion":"1.0.0"}');
  } catch (error) {
    throw explainDiskError(`make the store "${paths.root}"`, error);
  }
}

/** Puts a whole file in place of another, or of nothing; after a crash there is the old one or the new one. */
function writeAtomically(path: string, temporary: string, text: string): void {
  {
    using file = Deno.openSync(temporary, {
      write: true,
      create: true,
      truncate: true,
      mode: 0o644,
    });
    let rest = new TextEncoder().encode(text);
    while (rest.length > 0) rest = rest.subarray(file.writeSync(rest));
    file.syncSync();
  }
  Deno.renameSync(temporary, path);
  syncDirectory(path.slice(0, path.lastIndexOf("/")));
}

/** Waits until the names in a directory are on the disk. */
export function syncDirectory(path: string): void {
  using directory = Deno.openSync(path);
  directory.syncSync();
}

/** The manifests of the store, in the order they were added. A store that is not there yet has none. */
export function readIndex(paths: StorePaths): Descriptor[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(paths.index);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  try {
    return (JSON.parse(text) as Index).manifests;
  } catch (cause) {
    throw new DhowError("internal", `Cannot read "${paths.index}": it is no JSON`, { cause });
  }
}

/**
 * Changes the index, alone.
 *
 * @param change Gets the manifests as they are now and returns what they shall be; or undefined to leave them.
 * @throws {DhowError} `read_only`, `no_space`; whatever `change` throws. The index is then as before.
 */
export function updateIndex(
  paths: StorePaths,
  change: (manifests: Descriptor[]) => Descriptor[] | undefined,
): void {
  ensureLayout(paths);
  try {
    using lock = Deno.openSync(`${paths.root}/index.lock`, {
      write: true,
      create: true,
      mode: 0o600,
    });
    lock.lockSync(true);
    const manifests = change(readIndex(paths));
    if (manifests === undefined) return;
    const index: Index = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests,
    };
    writeAtomically(paths.index, `${paths.index}.new`, JSON.stringify(index));
  } catch (error) {
    throw explainDiskError(`write the image index "${paths.index}"`, error);
  }
}

/**
 * Keeps everything in the store that is not referred to yet from being swept, until disposed.
 *
 * Taken by imports before their first blob, and by `create` from resolving an image until the container's record stands.
 */
export function leaseStore(paths: StorePaths): Disposable {
  ensureLayout(paths);
  const file = openLeaseFile(paths);
  file.lockSync(false);
  return file;
}

/** The whole store for itself, if nobody holds a lease. @returns undefined if somebody does. */
export function tryExclusive(paths: StorePaths): Disposable | undefined {
  const file = openLeaseFile(paths);
  if (file.tryLockSync(true)) return file;
  file.close();
  return undefined;
}

function openLeaseFile(paths: StorePaths): Deno.FsFile {
  try {
    return Deno.openSync(`${paths.root}/gc.lock`, {
      read: true,
      write: true,
      create: true,
      mode: 0o600,
    });
  } catch (error) {
    throw explainDiskError(`open the store "${paths.root}" for writing`, error);
  }
}
