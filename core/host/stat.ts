/**
 * What is at a path, where "nothing we can see" is an answer and not an error.
 *
 * @module
 */

/** What `path` leads to, links followed; undefined if there is nothing, or nothing this user may look at. */
export function statIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}

/** Whether there is anything at `path` itself: a link counts, wherever it leads. */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Whether `path` leads to a directory. */
export function isDirectory(path: string): boolean {
  return statIfThere(path)?.isDirectory ?? false;
}
