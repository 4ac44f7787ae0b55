/**
 * What is in a directory that may not have been made yet.
 *
 * @module
 */

/** The names in `directory`, in no order; none if it is not there. */
export function namesIn(directory: string): string[] {
  try {
    return Array.from(Deno.readDirSync(directory), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
