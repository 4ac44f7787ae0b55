/**
 * `.dockerignore`.
 *
 * @module
 */
import { compileIgnore } from "../../../core/build/ignore.ts";
import { PathPattern } from "../../../core/build/path_pattern.ts";
import { DhowError } from "../../../core/errors.ts";
import { type FuzzTarget, inputsOf, insist, textOf } from "../target.ts";

/** The first lines are patterns; those behind an empty line are paths to hold them against. */
export const dockerignore: FuzzTarget = {
  name: "dockerignore",
  seeds: () =>
    inputsOf(
      "*.md\n!README*.md\n# c\n/a/\n\nREADME.md\na/b/c\nx.md",
      "**/node_modules\nsrc/**/*.go\n!src/keep/**\n\nsrc/a/b.go\nsrc/keep/x\nnode_modules/y",
      "*\n!a/b\n!**/c?d\n[a-z]*\n\na\na/b\na/b/d\nx/cxd\n",
      "**foo\nfoo**\na**b\n./../x\n//y\n\nxfoo\nfoo/bar\na/x/b\ny\n",
    ),
  dictionary: [
    ...["!", "**", "*", "?", "[", "]", "[a-z]", "[^a]", "\\", "/", "**/", "/**", "..", ".", "#"],
    ...["\n", "\n\n", "a", "b", "a/b", " ", "\ufeff", "\r\n", "é", "-", "^"],
  ],
  run(input) {
    const [lines = "", ...rest] = textOf(input).split("\n\n");
    const paths = rest.join("\n").split("\n").filter((path) => path !== "").slice(0, 50);
    let matcher;
    try {
      matcher = compileIgnore(lines.split("\n"));
    } catch (error) {
      if (!(error instanceof DhowError)) throw error;
      return;
    }
    for (const line of lines.split("\n").slice(0, 20)) checkAbove(line, paths.slice(0, 5));
    for (const path of [...paths, "a", "a/b", "a/b/c", "src/x/y.go"]) {
      const isIgnored = matcher.isIgnored(path);
      insist(
        isIgnored === compileIgnore(lines.split("\n")).isIgnored(path),
        "order does not count",
      );
      const directory = path.replace(/\/?[^/]*$/, "");
      if (directory === "" || !matcher.isIgnored(directory) || isIgnored) continue;
      insist(matcher.mayReinclude(directory), `${directory} must be looked into for ${path}`);
    }
  },
};

/** What fits above a path is found on the way as it is found by itself. */
function checkAbove(line: string, paths: readonly string[]): void {
  let pattern: PathPattern;
  try {
    pattern = new PathPattern(line, { doubleStar: true });
  } catch {
    return;
  }
  for (const path of paths.filter(({ length }) => length < 200)) {
    const parts = path.split("/");
    const above = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
    const isAbove = above.some((directory) => pattern.matches(directory));
    insist(pattern.matchesOrAbove(path) === isAbove, `${line} on ${path} or above it: ${isAbove}`);
  }
}
