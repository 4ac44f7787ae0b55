/**
 * Wildcards in the sources of `COPY` and `ADD`, as Go's filepath.Match.
 *
 * @see https://pkg.go.dev/path/filepath#Match
 * @module
 */
import { PathPattern } from "./path_pattern.ts";

/** Whether `text` has wildcards, or escapes that only a pattern has. */
export function isPattern(text: string): boolean {
  return /[*?[\\]/.test(text);
}

/**
 * Whether all of `path` fits `pattern`; `*` and `?` do not cross a `/`.
 *
 * @param options `doubleStar`: `**` crosses directories, as `COPY --parents` has it.
 * @throws {DhowError} `invalid_argument`: `syntax error in pattern`, as Go.
 */
export function matchPath(
  pattern: string,
  path: string,
  options: { doubleStar?: boolean } = {},
): boolean {
  return new PathPattern(pattern, options).matches(path);
}
