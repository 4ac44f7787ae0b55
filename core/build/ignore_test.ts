import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { compileIgnore, compilePatterns } from "./ignore.ts";

/** Which of `paths` are ignored. */
function ignored(lines: readonly string[], ...paths: string[]): string[] {
  const matcher = compileIgnore(lines);
  return paths.filter((path) => matcher.isIgnored(path));
}

Deno.test("compileIgnore() fits names at the top only, and all that is in directories", () => {
  assertEquals(ignored(["a", "b/"], "a", "a/x/y", "x/a", "b", "b/c", "ab"), [
    ...["a", "a/x/y", "b", "b/c"],
  ]);
  assertEquals(ignored(["*/temp*", "*/*/temp*"], "temp", "a/temp1", "a/b/temp", "a/b/c/temp"), [
    ...["a/temp1", "a/b/temp"],
  ]);
  assertEquals(ignored(["temp?"], "temp", "tempa", "tempab", "tempa/b"), ["tempa", "tempa/b"]);
});

Deno.test("compileIgnore() lets ** stand for directories", () => {
  assertEquals(ignored(["**/*.go"], "a.go", "a/b/c.go", "a.god"), ["a.go", "a/b/c.go"]);
  assertEquals(ignored(["a/**"], "a", "a/b", "a/b/c", "ab/c"), ["a/b", "a/b/c"]);
  assertEquals(ignored(["a/**/c"], "a/c", "a/x/y/c", "a/xc", "a/c/d"), [
    ...["a/c", "a/x/y/c", "a/c/d"],
  ]);
  assertEquals(ignored(["**/node_modules"], "node_modules", "a/node_modules/x", "xnode_modules"), [
    ...["node_modules", "a/node_modules/x"],
  ]);
  assertEquals(ignored(["**"], "a", "a/b"), ["a", "a/b"]);
  // Quirks: what ends in the name, as long as there is nothing more to the pattern.
  assertEquals(ignored(["**foo"], "xfoo", "a/xfoo", "foo"), ["xfoo", "a/xfoo", "foo"]);
  assertEquals(ignored(["**foo*"], "xfoo", "a/foox", "foo"), ["a/foox", "foo"]);
});

Deno.test("compileIgnore() lets the last pattern that fits decide", () => {
  const lines = ["*.md", "!README*.md", "README-secret.md"];
  assertEquals(ignored(lines, "a.md", "README.md", "README-secret.md"), [
    ...["a.md", "README-secret.md"],
  ]);
  assertEquals(
    ignored(["*.md", "README-secret.md", "!README*.md"], "a.md", "README-secret.md"),
    ["a.md"],
  );
  assertEquals(ignored(["*", "!src", "src/*.log"], "a", "src", "src/a", "src/a.log"), [
    ...["a", "src/a.log"],
  ]);
  assertEquals(ignored(["a", "!a/b"], "a", "a/c", "a/b", "a/b/d"), ["a", "a/c"]);
});

Deno.test("compileIgnore() minds neither comments nor blanks nor how a path is written", () => {
  assertEquals(
    ignored(
      ["\ufeff/a", "", "# b", " #c ", "./d/../e/", "! /a/x ", "\tf\t\r", "//g", "\\#h", "../i"],
      ...["a", "a/x", "b", "#c", "e", "d", "f", "g", "#h", "i"],
    ),
    ["a", "#c", "e", "f", "g", "#h"],
  );
  assertEquals(ignored(["/", ".", ""], "a", "", "."), []);
  assertEquals(ignored(["[a-c]x", "[^/]y"], "bx", "dx", "ay"), ["bx", "ay"]);
});

Deno.test("compileIgnore() knows where something may be taken back", () => {
  const matcher = compileIgnore(["*", "!src/**/keep", "!docs", "!a*/b"]);
  assertEquals(
    ["src", "src/x", "docs", "ax", "ax/c", "other"].map((path) => matcher.mayReinclude(path)),
    [true, true, false, true, false, false],
  );
  assertEquals(compileIgnore(["a", "b/*"]).mayReinclude("a"), false);
  assertEquals(matcher.hasExceptions, true);
});

Deno.test("compileIgnore() refuses malformed patterns", () => {
  const refuse = (line: string) => assertThrows(() => compileIgnore([line]), DhowError).message;
  assertEquals(refuse("a["), 'failed to read .dockerignore: "a[": syntax error in pattern');
  assertEquals(refuse(" ! "), 'failed to read .dockerignore: illegal exclusion pattern: "!"');
});

Deno.test("compilePatterns() takes patterns as they are", () => {
  const matcher = compilePatterns(["#a", "/b", "*.log", "!keep.log"]);
  const paths = ["#a", "b", "x.log", "keep.log"];
  assertEquals(paths.filter((path) => matcher.isIgnored(path)), ["#a", "x.log"]);
});
