/**
 * Results that go to a file (`-o`) or to stdout, but never to a terminal: archives.
 *
 * @module
 */
import { ExitError } from "./errors.ts";
import type { Output } from "./output/stream.ts";

/** Where an archive goes. */
export interface ArchiveTarget {
  /** `-o`; empty for stdout. */
  path: string;
  out: Output;
  /** What is being done, for errors: `save image`. */
  doing: string;
}

/**
 * Checks the target before anything is made for it.
 *
 * @throws {ExitError} In docker's words, if stdout is a terminal or the directory is not there.
 */
export function assertTarget({ path, out, doing }: ArchiveTarget): void {
  if (path === "") {
    if (!out.isTerminal()) return;
    throw new ExitError(1, "cowardly refusing to save to a terminal. Use the -o flag or redirect");
  }
  const invalid = (why: string) =>
    new ExitError(1, `failed to ${doing}: invalid output path: ${why}`);
  const directory = directoryOf(path);
  try {
    Deno.statSync(directory);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw invalid(`stat ${directory}: no such file or directory`);
  }
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch {
    return;
  }
  if (info.isDirectory) throw new ExitError(1, `failed to ${doing}: cannot write to a directory`);
  if (info.isBlockDevice || info.isSocket) {
    throw invalid(`"${path}" must be a directory or a regular file`);
  }
}

/** Writes a stream to the target; a file appears whole or not at all. */
export async function writeArchive(
  stream: ReadableStream<Uint8Array>,
  { path, out }: ArchiveTarget,
): Promise<void> {
  if (path === "") {
    for await (const bytes of stream) out.write(bytes);
    return;
  }
  if (isSpecial(path)) {
    await stream.pipeTo((await Deno.open(path, { write: true })).writable);
    return;
  }
  const temporary = `${directoryOf(path)}/.dhow-${crypto.randomUUID()}`;
  try {
    const file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    await stream.pipeTo(file.writable);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {/* it was not there yet */});
    throw error;
  }
}

/** A pipe or a device: nothing that may be replaced. */
function isSpecial(path: string): boolean {
  try {
    return !Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function directoryOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash) || "/";
}
