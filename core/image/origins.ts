/**
 * Which repositories have a blob, as far as this store has seen: a registry takes a blob over from another repository of
 * its own, so that a push need not send it.
 *
 *     cache/origins/<digest>      one repository a line, in full; the latest last
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { blobName } from "../lib/digest.ts";
import type { RepositoryName } from "../registry/repository.ts";
import type { Descriptor, Digest } from "../spec/image.ts";

/** So many are remembered of each blob. */
const KEPT = 20;

/** Notes that a repository has these blobs. Where there is no room for notes, nothing is noted. */
export function noteOrigins(
  paths: StorePaths,
  blobs: readonly Descriptor[],
  name: RepositoryName,
): void {
  const line = `${name.domain}/${name.repository}`;
  try {
    Deno.mkdirSync(`${paths.cache}/origins`, { recursive: true, mode: 0o700 });
    for (const { digest } of blobs) {
      const path = originsPath(paths, digest);
      const lines = readLines(path);
      if (lines.at(-1) === line) continue;
      const kept = [...lines.filter((other) => other !== line), line].slice(-KEPT);
      Deno.writeTextFileSync(`${path}.new`, kept.join("\n") + "\n");
      Deno.renameSync(`${path}.new`, path);
    }
  } catch { /* as said */ }
}

/** Repositories of the registry `domain` that have a blob, the likeliest first. */
export function originsOf(paths: StorePaths, digest: Digest, domain: string): string[] {
  return readLines(originsPath(paths, digest)).reverse()
    .filter((line) => line.startsWith(`${domain}/`))
    .map((line) => line.slice(domain.length + 1));
}

function originsPath(paths: StorePaths, digest: Digest): string {
  return `${paths.cache}/origins/${blobName(digest)}`;
}

function readLines(path: string): string[] {
  try {
    return Deno.readTextFileSync(path).split("\n").filter((line) => line !== "");
  } catch {
    return [];
  }
}
