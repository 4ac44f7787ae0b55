// Malformed Dockerfiles: each is refused with its line, and leaves nothing behind.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { containerTest } from "../helpers/sandbox.ts";

const url = new URL("../dockerfiles/malformed.json", import.meta.url);

containerTest(
  "a malformed Dockerfile is refused with its line, and leaves nothing",
  async (box) => {
    const cases: [text: string, line: number, message: string][] = JSON.parse(
      await Deno.readTextFile(url),
    );
    const images = await box.ok("images", "-aq", "--no-trunc");
    const open = cases.entries();
    const faults: string[] = [];
    await Promise.all(Array.from({ length: 4 }, async () => {
      for (const [index, [text, line, message]] of open) {
        const directory = `${box.directory}/malformed-${index}`;
        await Deno.mkdir(directory);
        await Deno.writeTextFile(`${directory}/Dockerfile`, text);
        const { code, out, err } = await box.dhow("build", "-t", "never", directory);
        const wanted = [
          `ERROR: failed to build: failed to solve: ${message}`.trimEnd(),
          ...(line === 0
            ? []
            : [`\nDockerfile:${line}\n`, `\n ${String(line).padStart(3)} | >>> `]),
        ];
        const missing = wanted.filter((part) => !`\n${err}`.includes(part));
        if (code === 1 && out === "" && missing.length === 0) continue;
        faults.push(`${JSON.stringify(text)}: ${code}, without ${JSON.stringify(missing)}: ${err}`);
      }
    }));
    assertEquals(faults, []);
    assertEquals(await box.ok("images", "-aq", "--no-trunc"), images);
    assertEquals(await box.ok("ps", "-aq"), "");
  },
);

containerTest("a Dockerfile that needs what is not there is refused at its line", async (box) => {
  const cases: [text: string, place: string, message: string][] = [
    ["FROM scratch\nCOPY --from=7 a b\n", "Dockerfile:2", "invalid stage index 7"],
    ["FROM busybox AS me\nCOPY --from=me a b\n", "Dockerfile:2", "circular dependency"],
    ["FROM scratch AS a\nCOPY --from=b x y\nFROM a AS b\n", "Dockerfile:2", "b"],
    ["FROM busybox\nCOPY nothere /d\n", "Dockerfile:2", '"/nothere": not found'],
    ["FROM busybox\nCOPY ../../etc/passwd /d\n", "Dockerfile:2", '"/etc/passwd": not found'],
    ["FROM busybox\nCOPY [a /d\n", "Dockerfile:2", '"[a": syntax error in pattern'],
    ["FROM busybox\nCOPY --exclude=[ . /d\n", "Dockerfile:2", "syntax error in pattern"],
    ["FROM busybox\nEXPOSE 0-65535\nRUN --mount=type=$x true\n", "Dockerfile:3", "mount type"],
    ["FROM busybox\nCOPY --chown=nobody1 Dockerfile /d\n", "Dockerfile:2", "nobody1"],
    ["FROM busybox\nCOPY --chmod=xyz Dockerfile /d\n", "Dockerfile:2", "xyz"],
    ["FROM busybox\nRUN --mount=type=cache true\n", "Dockerfile:2", 'invalid mount target "/"'],
    ["FROM busybox\nRUN false\n", "Dockerfile:2", "exit code: 1"],
    ["FROM busybox\nENV a=${b:?which}\n", "Dockerfile:2", "b: which"],
    ["ARG x=${b:?which}\nFROM busybox\n", "Dockerfile:1", "b: which"],
    ["FROM ${b:?which}\n", "Dockerfile:1", "b: which"],
    ["ARG b\nFROM $b\n", "Dockerfile:2", "base name ($b) should not be blank"],
    ["ARG p\nFROM --platform=$p busybox\n", "Dockerfile:2", "empty platform value"],
    ["FROM --platform=x/y/z/w busybox\n", "Dockerfile:1", "cannot parse platform specifier"],
    ["FROM busybox\nSTOPSIGNAL SIGFOO\n", "Dockerfile:2", "invalid signal: SIGFOO"],
    ["FROM busybox\nADD --checksum=abc http://127.0.0.1:1/x /\n", "Dockerfile:2", "checksum"],
  ];
  const faults: string[] = [];
  for (const [index, [text, place, message]] of cases.entries()) {
    const directory = `${box.directory}/missing-${index}`;
    await Deno.mkdir(directory);
    await Deno.writeTextFile(`${directory}/Dockerfile`, text);
    const { code, err } = await box.dhow("build", "-t", "never", "--network=none", directory);
    if (code === 1 && err.includes(message) && `\n${err}`.includes(`\n${place}\n`)) continue;
    faults.push(`${text}: ${code}, ${err}`);
  }
  assertEquals(faults, []);
  assertEquals(await box.ok("ps", "-aq"), "");
  assertEquals((await box.dhow("image", "inspect", "never")).code, 1);
});

containerTest(
  "a Dockerfile of a stranger writes no escape sequences to the terminal",
  async (box) => {
    const directory = `${box.directory}/escapes`;
    await Deno.mkdir(directory);
    await Deno.writeTextFile(
      `${directory}/Dockerfile`,
      "FROM scratch\n\x1b]0;title\x07RU\x1b[31mNN \x1b[2Jx\n",
    );
    const { code, err } = await box.dhow("build", directory);
    assertEquals(code, 1);
    assertStringIncludes(err, "line 2: unknown instruction: RUNN");
    assertEquals(err.includes("\x1b"), false);
  },
);
