import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Instruction } from "./ast.ts";
import { DockerfileError } from "./error.ts";
import { expandInstruction } from "./expand.ts";
import { runText } from "./heredoc.ts";
import { parseDockerfile, parseInstruction } from "./parse.ts";

/** The instructions behind `FROM scratch`. */
function instructions(...lines: string[]): readonly Instruction[] {
  return parseDockerfile(["FROM scratch", ...lines, ""].join("\n")).dockerfile.stages[0]!
    .instructions;
}

/** `instruction`, which must be of that kind. */
function as<K extends Instruction["kind"]>(kind: K, instruction: Instruction | undefined) {
  assertEquals(instruction?.kind, kind);
  return instruction as Extract<Instruction, { kind: K }>;
}

/** What matters of an instruction. */
function said(line: string): Record<string, unknown> {
  const [instruction] = instructions(line);
  const { range: _range, original: _original, comments: _comments, ...rest } = instruction!;
  return rest;
}

Deno.test("parseDockerfile() says what docker says of malformed Dockerfiles, and where", async () => {
  const url = new URL("../../../tests/dockerfiles/malformed.json", import.meta.url);
  const cases: [text: string, line: number, message: string][] = JSON.parse(
    await Deno.readTextFile(url),
  );
  assert(cases.length > 90);
  for (const [text, line, message] of cases) {
    const error = assertThrows(
      () => {
        const { dockerfile } = parseDockerfile(text);
        for (const stage of dockerfile.stages) {
          for (const instruction of stage.instructions) expand(instruction);
        }

        function expand(instruction: Instruction) {
          try {
            expandInstruction(instruction, () => undefined, dockerfile.directives);
          } catch (error) {
            const place = { source: dockerfile, range: instruction.range };
            throw new DockerfileError((error as Error).message, place);
          }
        }
      },
      DockerfileError,
      undefined,
      text,
    );
    assertEquals(error.message, `failed to solve: ${message}`, text);
    // What is wrong as a whole is wrong nowhere: 0. (Docker counts the lines of directives from 0; we do not.)
    assertEquals(error.range?.start ?? 0, line, text);
  }
});

Deno.test("a DockerfileError shows the lines it speaks of, as docker", () => {
  const far = "FROM scratch\nRUN a && \\\n  b && \\\n  c\nENV \\\n a=b \\\n c\n";
  const error = assertThrows(() => parseDockerfile(far), DockerfileError);
  assertEquals(
    error.excerpt,
    [
      "Dockerfile:5",
      "--------------------",
      "   4 |       c",
      "   5 | >>> ENV \\",
      "   6 | >>>  a=b \\",
      "   7 | >>>  c",
      "   8 |     ",
      "--------------------",
      "",
    ].join("\n"),
  );
});

Deno.test("a DockerfileError hands no escape sequences on", () => {
  const text = "FROM scratch\n\x1b]0;title\x07RU\x1b[31mNN x\n";
  const error = assertThrows(() => parseDockerfile(text, "D\x1b[2J"), DockerfileError);
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x09\x0b-\x1f]/.test(error.message + error.excerpt));
  assertStringIncludes(error.excerpt, "   2 | >>> RUNN x");
});

Deno.test("parseDockerfile() reads directives, global arguments and stages", () => {
  const { dockerfile, warnings } = parseDockerfile(
    [
      "\ufeff# syntax=docker/dockerfile:1 more",
      "# Escape = `",
      "# check=skip=all;error=true",
      "# note=this ends them",
      "# escape=\\",
      "ARG V=1",
      'FROM --platform="linux/amd64" base:$V AS Builder',
      "RUN a `",
      "  b",
      "from builder",
    ].join("\r\n"),
  );
  assertEquals(warnings, []);
  assertEquals(dockerfile.directives, {
    syntax: "docker/dockerfile:1",
    escape: "`",
    check: "skip=all;error=true",
  });
  assertEquals(dockerfile.globalArgs[0]?.args, [{ key: "V", value: "1" }]);
  const [first, second] = dockerfile.stages;
  assertEquals([first?.name, first?.base, first?.platform], ["builder", "base:$V", "linux/amd64"]);
  assertEquals(first?.instructions[0]?.original, "RUN a   b");
  assertEquals(first?.instructions[0]?.range, { start: 8, end: 9 });
  assertEquals([second?.index, second?.name, second?.base], [1, undefined, "builder"]);
});

Deno.test("parseDockerfile() leaves out comments and empty lines in continuations, and warns of the latter", () => {
  const { dockerfile, warnings } = parseDockerfile(
    "FROM scratch\n# above\nRUN a \\\n  # b\n\n#c\n  d \\  \n\n# e\n e\nENV x=y \\",
  );
  const [run, env] = dockerfile.stages[0]!.instructions;
  assertEquals(run?.original, "RUN a   d  e");
  assertEquals(run?.comments, ["above"]);
  assertEquals(run?.range, { start: 3, end: 10 });
  assertEquals(as("env", env).pairs, [{ key: "x", value: "y" }]);
  assertEquals(warnings.map(({ rule, range }) => [rule, range?.start]), [
    ["NoEmptyContinuation", 10],
  ]);
});

Deno.test("an escape character that is escaped does not continue a line", () => {
  const [first, second] = instructions("RUN echo a\\\\", "RUN b\\ ", "c");
  assertEquals(first?.original, "RUN echo a\\\\");
  assertEquals(second?.original, "RUN bc");
});

Deno.test("RUN, CMD and ENTRYPOINT are in exec form only for JSON arrays", () => {
  assertEquals(said('CMD ["a", "b\\n"]'), {
    kind: "cmd",
    command: { form: "exec", args: ["a", "b\n"] },
  });
  const shell = (text: string) => ({ form: "shell", text });
  assertEquals(said("CMD ['a']").command, shell("['a']"));
  assertEquals(said('ENTRYPOINT ["a",]').command, shell('["a",]'));
  assertEquals(said('RUN ["a"] && b').command, shell('["a"] && b'));
  assertEquals(said("CMD").command, shell(""));
  assertEquals(said("ENTRYPOINT []").command, { form: "exec", args: [] });
});

Deno.test("RUN knows its flags", () => {
  assertEquals(
    said(
      'RUN --mount=type=cache,target=/c,sharing=locked,mode=0755,uid=1 --network=none --mount="type=bind,from=a,rw" -- --x',
    ),
    {
      kind: "run",
      command: { form: "shell", text: "--x" },
      heredocs: [],
      network: "none",
      mounts: [
        {
          type: "cache",
          option: "type=cache,target=/c,sharing=locked,mode=0755,uid=1",
          target: "/c",
          sharing: "locked",
          mode: 0o755,
          uid: 1,
        },
        { type: "bind", option: "type=bind,from=a,rw", from: "a", readonly: false },
      ],
    },
  );
});

Deno.test("RUN --mount is read again when its variables have values", () => {
  const [run] = instructions("RUN --mount=type=$T,target=/$D,mode=$M,id=x x");
  const values: Record<string, string> = { T: "cache", D: "d", M: "700" };
  const plain = expandInstruction(as("run", run), (name) => values[name], { escape: "\\" });
  const { option: _option, ...mount } = plain.mounts[0]!;
  assertEquals(mount, { type: "cache", target: "/d", mode: 0o700, id: "x" });
  const wrong = () => expandInstruction(run!, () => "9", { escape: "\\" });
  assertThrows(wrong, Error, 'unsupported mount type "9"');
});

Deno.test("COPY and ADD know their flags", () => {
  assertEquals(
    said(
      "COPY --from=x --chown=1:2 --chmod=u+x --link --parents=FALSE --exclude=a --exclude=b s d",
    ),
    {
      kind: "copy",
      from: "x",
      chown: "1:2",
      chmod: "u+x",
      link: true,
      parents: false,
      excludes: ["a", "b"],
      heredocs: [],
      sources: ["s"],
      destination: "d",
    },
  );
  assertEquals(said('ADD --checksum=sha256:1 --keep-git-dir --unpack=false ["a b", "c d"]'), {
    kind: "add",
    checksum: "sha256:1",
    keepGitDir: true,
    unpack: false,
    link: false,
    excludes: [],
    heredocs: [],
    sources: ["a b"],
    destination: "c d",
  });
});

Deno.test("heredocs are read in order, with tabs, quotes and a shell line around them", () => {
  const [first, second, third] = instructions(
    'RUN cat <<A 3<<-"B C" && x <<< no',
    "one",
    " A",
    "A",
    "\t\ttwo",
    "\tB C",
    "COPY <<-X <<'Y' /d/",
    "\t$x",
    "X",
    "$y",
    "Y",
    "RUN <<EOF",
    "#!/bin/sh",
    "EOF",
  );
  const [run, copy, last] = [as("run", first), as("copy", second), as("run", third)];
  assertEquals(run.heredocs, [
    { name: "A", content: "one\n A\n", expand: true },
    { name: "B C", content: "two\n", expand: false },
  ]);
  assertEquals(run.range, { start: 2, end: 7 });
  const { text } = run.command as { text: string };
  assertEquals(runText(text, run.heredocs), {
    text: 'cat <<A 3<<-"B C" && x <<< no\none\n A\nA\ntwo\nB C',
    isScript: false,
  });
  const plain = expandInstruction(copy, (name) => `[${name}]`, { escape: "\\" });
  assertEquals(plain.heredocs.map(({ content }) => content), ["[x]\n", "$y\n"]);
  assertEquals([copy.sources, copy.destination], [[], "/d/"]);
  assertEquals(runText("<<EOF", last.heredocs), { text: "#!/bin/sh\n", isScript: true });
});

Deno.test("what only looks like a heredoc is none", () => {
  const lines = ["RUN echo '<<A' \"<<B\" $((1<<2))", 'RUN ["a", "<<C"]', "ENV a=<<D", "CMD <<E"];
  assertEquals(instructions(...lines).length, 4);
  assertEquals(instructions("RUN cat <<$E", "x", "$E").length, 1);
});

Deno.test("ENV and LABEL take pairs, or the old form", () => {
  assertEquals(said("ENV a=b\\ c 'd e'=f g=\"h i\"").pairs, [
    { key: "a", value: "b\\ c" },
    { key: "'d e'", value: "f" },
    { key: "g", value: '"h i"' },
  ]);
  assertEquals(said("LABEL a  b = c ").pairs, [{ key: "a", value: "b = c", isLegacy: true }]);
});

Deno.test("HEALTHCHECK keeps times in nanoseconds", () => {
  assertEquals(said("HEALTHCHECK --interval=1m30s --start-interval=0s --retries=3 cmd a b"), {
    kind: "healthcheck",
    command: { form: "shell", text: "a b" },
    intervalNs: 90e9,
    retries: 3,
  });
  assertEquals(said("HEALTHCHECK none"), { kind: "healthcheck" });
});

Deno.test("ONBUILD keeps its instruction with heredocs, for parseInstruction() to read", () => {
  const onbuild = as("onbuild", instructions("ONBUILD RUN <<A cat", "x", "A")[0]);
  assertEquals(onbuild.trigger, "RUN <<A cat\nx\nA");
  const place = { start: 7, end: 7 };
  const run = as("run", parseInstruction(onbuild.trigger, { escape: "\\" }, { range: place }));
  assertEquals(run.heredocs, [{ name: "A", content: "x\n", expand: true }]);
  assertEquals(run.range, place);
});

Deno.test("parseInstruction() takes a single instruction only", () => {
  for (const text of ["", "FROM x", "ENV a=b\nENV c=d", "ENVV a=b"]) {
    assertThrows(() => parseInstruction(text), DockerfileError, undefined, text);
  }
});
