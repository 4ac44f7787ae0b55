/**
 * `RUN --mount=type=cache`: directories that outlive builds.
 *
 *     cache/build/mounts/<id>/0/          one directory; 1, 2, ... where several wanted one for themselves at once
 *     cache/build/mounts/<id>/0.lock      held by who uses it
 *
 * @module
 */
import { isDirectory } from "../host/stat.ts";
import { sleep } from "../host/sleep.ts";
import type { StorePaths } from "../host/paths.ts";
import { sha256Hex } from "../lib/sha256.ts";
import type { BuildSession } from "./session.ts";

/** How often somebody who waits looks again. */
const POLL_MS = 20;

/** What is asked for. */
export interface CacheMountRequest {
  id: string;
  uid: number;
  gid: number;
  mode: number;
  sharing: "shared" | "private" | "locked";
  /** Makes the directory of something instead of empty. */
  seed?: (directory: string) => Promise<void>;
}

/** Where the directories are. */
export function mountsDirectory(paths: StorePaths): string {
  return `${paths.cache}/build/mounts`;
}

/**
 * Takes a cache's directory, made if it is missing.
 *
 * @param use `stack`: it is in use until this is disposed.
 * @returns Its path.
 * @throws The signal's reason.
 */
export async function openCacheMount(
  session: BuildSession,
  request: CacheMountRequest,
  use: { stack: DisposableStack; signal: AbortSignal | undefined },
): Promise<string> {
  const name = sha256Hex(new TextEncoder().encode(request.id));
  const base = `${mountsDirectory(session.paths)}/${name}`;
  await Deno.mkdir(base, { recursive: true, mode: 0o700 });
  const number = await lock(base, request.sharing, use);
  const directory = `${base}/${number}`;
  if (!isDirectory(directory)) await make(session, directory, request);
  return directory;
}

/** @returns The number of a directory that is ours as far as `sharing` says. */
async function lock(
  base: string,
  sharing: CacheMountRequest["sharing"],
  { stack, signal }: { stack: DisposableStack; signal: AbortSignal | undefined },
): Promise<number> {
  for (let number = 0;;) {
    const file = stack.use(
      await Deno.open(`${base}/${number}.lock`, { write: true, create: true, mode: 0o600 }),
    );
    for (;;) {
      signal?.throwIfAborted();
      if (file.tryLockSync(sharing !== "shared")) return number;
      if (sharing === "private") break;
      await sleep(POLL_MS);
    }
    number++;
  }
}

async function make(
  session: BuildSession,
  directory: string,
  { uid, gid, mode, seed }: CacheMountRequest,
): Promise<void> {
  const temporary = `${directory}.${crypto.randomUUID()}`;
  if (seed === undefined) await Deno.mkdir(temporary, { mode: 0o700 });
  else await seed(temporary);
  if (uid === 0 && gid === 0) await Deno.chmod(temporary, mode);
  else await session.helper.do({ kind: "own", path: temporary, uid, gid, mode });
  try {
    await Deno.rename(temporary, directory);
  } catch (error) {
    await session.helper.do({ kind: "remove", trees: [temporary] });
    if (!isDirectory(directory)) throw error; // else somebody who shares it was faster
  }
}
