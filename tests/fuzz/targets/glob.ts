/**
 * Wildcards, against a matcher that is slow but plain.
 *
 * @module
 */
import { matchPath } from "../../../core/build/glob.ts";
import { DhowError } from "../../../core/errors.ts";
import { type FuzzTarget, inputsOf, insist, textOf } from "../target.ts";

/** The first line is a pattern, the others are paths. */
export const glob: FuzzTarget = {
  name: "glob",
  maxBytes: 64,
  seeds: () =>
    inputsOf("a*b?c\naxbxc\na/b", "[a-c][^x]*\nbyz\n", "\\*\\[x\n*[x\n", "*/*/*.go\na/b/c.go\n"),
  dictionary: ["*", "?", "[", "]", "[^", "-", "\\", "/", "a", "b", "\n", "[a-b]", "**", "é", "🙂"],
  run(input) {
    const [pattern = "", ...paths] = textOf(input).split("\n");
    for (const path of paths) {
      let fits: boolean;
      try {
        fits = matchPath(pattern, path);
      } catch (error) {
        insist(error instanceof DhowError, String(error));
        return;
      }
      insist(fits === plainMatch([...pattern], [...path]), `${pattern} on ${path}: not ${fits}`);
    }
  },
};

/** By trying all there is. Patterns are known to be well-formed. */
function plainMatch(pattern: readonly string[], path: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return path.length === 0;
  if (first === "*") {
    for (let length = 0; length <= path.length; length++) {
      if (plainMatch(collapse(rest), path.slice(length))) return true;
      if (path[length] === "/") return false;
    }
    return false;
  }
  const [character, ...others] = path;
  if (character === undefined) return false;
  if (first === "?") return character !== "/" && plainMatch(rest, others);
  if (first === "\\") return rest[0] === character && plainMatch(rest.slice(1), others);
  if (first === "[") {
    const { fits, length } = plainClass(rest, character);
    return fits && character !== "/" && plainMatch(rest.slice(length), others);
  }
  return first === character && plainMatch(rest, others);
}

/** Several stars are one. */
function collapse(pattern: readonly string[]): readonly string[] {
  let start = 0;
  while (pattern[start] === "*") start++;
  return start === 0 ? pattern : ["*", ...pattern.slice(start)];
}

function plainClass(
  pattern: readonly string[],
  character: string,
): { fits: boolean; length: number } {
  let at = pattern[0] === "^" ? 1 : 0;
  const isNegated = at === 1;
  let isIn = false;
  const one = () => {
    if (pattern[at] === "\\") at++;
    return pattern[at++]!;
  };
  while (pattern[at] !== "]") {
    const low = one();
    let high = low;
    if (pattern[at] === "-") {
      at++;
      high = one();
    }
    if (low <= character && character <= high) isIn = true;
  }
  return { fits: isIn !== isNegated, length: at + 1 };
}
