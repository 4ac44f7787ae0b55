import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { isPattern, matchPath } from "./glob.ts";

Deno.test("matchPath() fits whole paths, as Go", () => {
  const cases: [pattern: string, path: string, fits: boolean][] = [
    ["abc", "abc", true],
    ["abc", "abcd", false],
    ["*", "abc", true],
    ["*", "a/b", false],
    ["*c", "abc", true],
    ["a*/b", "abc/b", true],
    ["a*b*c*d*e*/f", "axbxcxdxe/f", true],
    ["a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false],
    ["a*b?c*x", "abxbbxdbxebxczzx", true],
    ["ab[c]", "abc", true],
    ["ab[b-d]", "abc", true],
    ["ab[^c]", "abc", false],
    ["ab[^e-g]", "abc", true],
    ["a[^a]", "a/", false],
    ["a?b", "a☺b", true],
    ["a???b", "a☺b", false],
    ["[a-ζ]*", "α", true],
    ["[\\]a]", "]", true],
    ["[\\-x]", "-", true],
    ["a\\*b", "a*b", true],
    ["a\\*b", "axb", false],
    ["*x", "xxx", true],
    [".*", ".git", true],
    ["**", "a/b", false],
  ];
  for (const [pattern, path, fits] of cases) {
    assertEquals(matchPath(pattern, path), fits, `${pattern} ${path}`);
  }
});

Deno.test("matchPath() refuses the patterns that Go refuses", () => {
  for (
    const pattern of ["[", "[]a]", "[-]", "[x-]", "[-x]", "[a", "[a-", "a[", "\\", "[\\", "[^"]
  ) {
    assertThrows(() => matchPath(pattern, "a"), DhowError, "syntax error in pattern", pattern);
  }
});

Deno.test("matchPath() crosses directories with ** if it is told to", () => {
  const fits = (pattern: string, path: string) => matchPath(pattern, path, { doubleStar: true });
  assertEquals(fits("src/**/*.go", "src/a/b/c.go"), true);
  assertEquals(fits("src/**/*.go", "src/c.go"), true);
  assertEquals(fits("src/**/*.go", "srcs/c.go"), false);
  assertEquals(fits("**/a", "b/xa"), false);
});

Deno.test("matching takes no time that grows with the power of a pattern", () => {
  const started = performance.now();
  assertEquals(matchPath("*a".repeat(500) + "b", "a".repeat(4000)), false);
  assertEquals(matchPath("**/".repeat(300) + "b", "a/".repeat(2000), { doubleStar: true }), false);
  assertEquals(performance.now() - started < 1000, true);
});

Deno.test("isPattern() knows wildcards", () => {
  assertEquals(["a", "a*", "a?", "[a]", "a\\b"].map(isPattern), [false, true, true, true, true]);
});
