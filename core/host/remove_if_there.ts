/**
 * Removing a file that may be gone.
 *
 * @module
 */

/** Removes the file `path`, if there is one. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
