/**
 * `.dockerignore`: which files of a context do not count.
 *
 * @see https://docs.docker.com/build/concepts/context/#dockerignore-files
 * @module
 */
import { DhowError } from "../errors.ts";
import { PathPattern } from "./path_pattern.ts";

/** Files that do not count. Paths are relative to the context, parted by `/`, without one at the start or the end. */
export interface IgnoreMatcher {
  /** Whether there is nothing to heed. */
  readonly isEmpty: boolean;
  /** Whether some patterns take back what others ignore. */
  readonly hasExceptions: boolean;
  isIgnored(path: string): boolean;
  /** Whether something in an ignored `directory` may count all the same; if not, it need not be looked into. */
  mayReinclude(directory: string): boolean;
}

interface Entry {
  /** `!`: takes back. */
  isException: boolean;
  pattern: PathPattern;
}

/**
 * Reads the lines of a `.dockerignore`: comments, blanks around patterns and slashes before them do not count; the last
 * pattern that fits a path or a directory above it decides.
 *
 * @throws {DhowError} `invalid_argument` for a malformed pattern.
 */
export function compileIgnore(lines: readonly string[]): IgnoreMatcher {
  const patterns: string[] = [];
  for (const [index, line] of lines.entries()) {
    const text = index === 0 ? line.replace(/^\ufeff/, "") : line;
    if (text.startsWith("#")) continue;
    const bare = text.trim();
    if (bare === "") continue;
    const isException = bare.startsWith("!");
    const path = isException ? bare.slice(1).trim() : bare;
    const clean = path === "" ? "" : cleanPath(path).replace(/^\/(?=.)/, "");
    patterns.push(isException ? `!${clean}` : clean);
  }
  return compilePatterns(patterns, ".dockerignore");
}

/**
 * The same for patterns that are given one by one, such as those of `--exclude`.
 *
 * @param origin What messages call them.
 * @throws {DhowError} `invalid_argument` for a malformed pattern.
 */
export function compilePatterns(
  patterns: readonly string[],
  origin = "exclude patterns",
): IgnoreMatcher {
  return new Matcher(
    patterns.map((text) => text.trim()).filter((text) => text !== "").map((text) =>
      compileEntry(text, origin)
    ),
  );
}

function compileEntry(text: string, origin: string): Entry {
  const fail = (fault: string) =>
    new DhowError("invalid_argument", `failed to read ${origin}: ${fault}`);
  if (text === "!") throw fail('illegal exclusion pattern: "!"');
  const isException = text.startsWith("!");
  const clean = cleanPath(isException ? text.slice(1) : text);
  try {
    return { isException, pattern: new PathPattern(clean, { doubleStar: true }) };
  } catch (error) {
    throw fail((error as Error).message);
  }
}

/** Go's filepath.Clean: `a//b/./c/../` is `a/b`. */
function cleanPath(path: string): string {
  const isAbsolute = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    const isUp = part === "..";
    if (isUp && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!isUp || !isAbsolute) parts.push(part);
  }
  return (isAbsolute ? "/" : "") + parts.join("/") || ".";
}

class Matcher implements IgnoreMatcher {
  readonly hasExceptions: boolean;
  readonly #entries: readonly Entry[];

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
    this.hasExceptions = entries.some(({ isException }) => isException);
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  isIgnored(path: string): boolean {
    if (this.isEmpty || path === "" || path === ".") return false;
    const last = this.#entries.findLast(({ pattern }) => pattern.matchesOrAbove(path));
    return last !== undefined && !last.isException;
  }

  mayReinclude(directory: string): boolean {
    if (!this.hasExceptions) return false;
    return this.#entries.some(({ isException, pattern }) =>
      isException && pattern.mayMatchBelow(`${directory}/`)
    );
  }
}
