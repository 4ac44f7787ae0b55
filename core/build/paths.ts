/**
 * Paths in the words of a Dockerfile.
 *
 * @module
 */

/** The last part of a path; "" if there is none. */
export function basename(path: string): string {
  return path.replace(/\/+$/, "").replace(/^.*\//s, "");
}
