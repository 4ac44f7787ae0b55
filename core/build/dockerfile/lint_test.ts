import { assertEquals, assertThrows } from "@std/assert";
import type { BuildWarning } from "./ast.ts";
import { DockerfileError } from "./error.ts";
import { formatCheck } from "./format_check.ts";
import { lintDockerfile, lintFailure, type LintOptions } from "./lint.ts";
import { parseDockerfile } from "./parse.ts";
import { RULES } from "./rules.ts";

type Finding = [rule: string, line: number, message: string];

function lint(text: string, options: LintOptions = {}): BuildWarning[] {
  const { dockerfile, warnings } = parseDockerfile(text);
  return lintDockerfile(dockerfile, { warnings, ...options });
}

function findings(text: string, options: LintOptions = {}): Finding[] {
  return lint(text, options).map(({ rule, message, range }): Finding => [
    rule,
    range!.start,
    message,
  ]).sort((a, b) => {
    const [x, y] = [JSON.stringify(a), JSON.stringify(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  });
}

Deno.test("lintDockerfile() finds what docker finds, in builds and in checks", async () => {
  const url = new URL("../../../tests/dockerfiles/checks.json", import.meta.url);
  const cases: { name: string; dockerfile: string; build: Finding[]; check: Finding[] }[] = JSON
    .parse(await Deno.readTextFile(url));
  const seen = new Set<string>();
  for (const { name, dockerfile, build, check } of cases) {
    const sorted = (found: Finding[]) =>
      found.map((finding) => JSON.stringify(finding)).sort().map((text) => JSON.parse(text));
    assertEquals(findings(dockerfile), sorted(build), `${name}: build`);
    assertEquals(findings(dockerfile, { allStages: true }), sorted(check), `${name}: check`);
    for (const [rule] of check) seen.add(rule);
  }
  const missing = Object.keys(RULES).filter((rule) => !seen.has(rule));
  assertEquals(missing, ["CopyIgnoredFile"]);
});

Deno.test("lintDockerfile() knows what .dockerignore keeps from COPY and ADD", () => {
  const text = "FROM scratch\nCOPY x ign/a sub/../ign /d/\nADD ign /e/\nCOPY . /\n" +
    "ADD http://h/ign /\nCOPY --from=ign ign /\nCOPY <<ign /x\nign\n";
  const [copy, copied, add] = findings(text, { ignore: ["ign"] }).map(([, line, message]) =>
    `${line} ${message}`
  );
  assertEquals([copy, copied, add], [
    '2 Attempting to Copy file "ign/a" that is excluded by .dockerignore',
    '2 Attempting to Copy file "ign" that is excluded by .dockerignore',
    '3 Attempting to Add file "ign" that is excluded by .dockerignore',
  ]);
  assertEquals(findings(text, { ignore: ["*"] }).length, 5);
  assertEquals(findings(text, { ignore: ["ign", "!ign/a"] }), []);
  // Newer than the docker that was recorded.
  assertEquals(findings("FROM scratch\nENV TOKEN_FILE=x\n"), []);
});

Deno.test("an instruction's own comment skips checks", () => {
  const text = "FROM scratch\n# check=skip=JSONArgsRecommended\nCMD x\nENTRYPOINT y\n" +
    "# check=skip=all\nMAINTAINER me\n# check=skip=UndefinedVar;error=true why\nENV a=$b\n";
  assertEquals(findings(text).map(([rule, line]) => [rule, line]), [["JSONArgsRecommended", 4]]);
});

Deno.test("no variable is undefined where the base image's are not known", () => {
  const text = "FROM base\nENV a=$b c=$known\n";
  assertEquals(findings(text), []);
  assertEquals(
    findings(text, { environmentOf: (base) => base === "base" ? ["known=1"] : undefined }),
    [["UndefinedVar", 2, "Usage of undefined variable '$b'"]],
  );
});

Deno.test("build arguments and the target count", () => {
  const text = "ARG a\nFROM scratch AS x\nARG k=$u\nCMD y\nFROM scratch\nCMD z\n";
  assertEquals(findings(text, { target: "x" }).map(([, line]) => line), [4, 3]);
  const given = { target: "0", buildArgs: new Map([["k", "1"]]) };
  assertEquals(findings(text, given).map(([, line]) => line), [4]);
});

Deno.test("lintFailure() makes an error of warnings where the Dockerfile says so", () => {
  const { dockerfile } = parseDockerfile("# check=error=true\nFROM scratch\nCMD x\n");
  const warnings = lintDockerfile(dockerfile);
  assertEquals(
    lintFailure(dockerfile, warnings)?.message,
    "failed to solve: lint violation found for rules: JSONArgsRecommended",
  );
  assertEquals(lintFailure(dockerfile, []), undefined);
  const calm = parseDockerfile("FROM scratch\nCMD x\n").dockerfile;
  assertEquals(lintFailure(calm, warnings), undefined);
});

Deno.test("a malformed check= is an error, in docker's words", () => {
  const fault = (check: string) =>
    assertThrows(() => lint(`# check=${check}\nFROM scratch\n`), DockerfileError).message;
  const prefix = "failed to solve: failed to parse check options: ";
  assertEquals(fault("foo=bar"), `${prefix}invalid check option "foo"`);
  assertEquals(fault("foo"), `${prefix}invalid check option "foo"`);
  assertEquals(
    fault("error=maybe"),
    `${prefix}failed to parse check option "error=maybe": ` +
      'strconv.ParseBool: parsing "maybe": invalid syntax',
  );
});

Deno.test("formatCheck() prints as docker", () => {
  const text = "FROM scratch\nCMD x\nMAINTAINER me\n";
  const { dockerfile } = parseDockerfile(text, "/c/Dockerfile");
  const [maintainer, command] = lintDockerfile(dockerfile);

  assertEquals(
    formatCheck(dockerfile, [maintainer!, command!]),
    `Check complete, 2 warnings have been found!

WARNING: JSONArgsRecommended - https://docs.docker.com/go/dockerfile/rule/json-args-recommended/
JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
/c/Dockerfile:2
--------------------
   1 |     FROM scratch
   2 | >>> CMD x
   3 |     MAINTAINER me
   4 |     ${""}
--------------------

WARNING: MaintainerDeprecated - https://docs.docker.com/go/dockerfile/rule/maintainer-deprecated/
Maintainer instruction is deprecated in favor of using label
/c/Dockerfile:3
--------------------
   1 |     FROM scratch
   2 |     CMD x
   3 | >>> MAINTAINER me
   4 |     ${""}
--------------------
`,
  );
  assertEquals(
    formatCheck(dockerfile, [maintainer!]).split("\n")[0],
    "Check complete, 1 warning has been found!",
  );
  assertEquals(formatCheck(dockerfile, []), "Check complete, no warnings found.\n");
});
