import { assertEquals, assertThrows } from "@std/assert";
import type { Instruction } from "../build/dockerfile/ast.ts";
import { expandInstruction } from "../build/dockerfile/expand.ts";
import { parseDockerfile } from "../build/dockerfile/parse.ts";
import { DhowError } from "../errors.ts";
import { image, type ImageBuilder } from "./image_builder.ts";

/** The only instruction of an image, as the executor will see it. */
function plain(builder: ImageBuilder, variables: Record<string, string> = {}): Instruction {
  const { dockerfile } = parseDockerfile(builder.dockerfile);
  const [instruction, ...others] = dockerfile.stages.at(-1)!.instructions;
  assertEquals(others, []);
  return expandInstruction(instruction!, (name) => variables[name], dockerfile.directives);
}

const base = image("debian:12");

Deno.test("an image is the Dockerfile one would write", () => {
  const tools = image("debian:12", { platform: "linux/amd64" }).run("apt-get install gcc");
  const built = image("scratch").as("final")
    .copy(["a", "b"], "/x/", { from: tools, chown: "1:2" })
    .env({ A: "b", C: "d e" })
    .run("make", { mounts: [{ type: "cache", target: "/c", from: tools }], network: "none" })
    .run(["ls", "-l"])
    .label({ "a b": "c" }).workdir("/w").user("app:app").expose(80, "53/udp").volume("/data")
    .arg("V", "1").arg("W").stopSignal("SIGINT").shell(["/bin/bash", "-c"])
    .onBuild((child) => child.run("true").user("0"))
    .healthcheck("curl localhost", { interval: "5s", retries: 2 })
    .entrypoint(["/init"]).cmd("serve --now");
  assertEquals(
    built.dockerfile,
    `FROM --platform=linux/amd64 debian:12 AS stage0
RUN apt-get install gcc

FROM scratch AS final
COPY --from=stage0 --chown=1:2 a b /x/
ENV A=b C="d e"
RUN --mount=type=cache,target=/c,from=stage0 --network=none make
RUN ["ls","-l"]
LABEL "a b"=c
WORKDIR /w
USER app:app
EXPOSE 80 53/udp
VOLUME ["/data"]
ARG V=1
ARG W
STOPSIGNAL SIGINT
SHELL ["/bin/bash","-c"]
ONBUILD RUN true
ONBUILD USER 0
HEALTHCHECK --interval=5s --retries=2 CMD curl localhost
ENTRYPOINT ["/init"]
CMD serve --now
`,
  );
  parseDockerfile(built.dockerfile);
});

Deno.test("stages are written once, those that are needed first", () => {
  const a = image("x").as("a");
  const b = image(a).run("b");
  const { dockerfile } = parseDockerfile(image(a).copy("1", "2", { from: b }).dockerfile);
  assertEquals(dockerfile.stages.map(({ name, base }) => [name, base]), [
    ["a", "x"],
    ["stage1", "a"],
    [undefined, "a"],
  ]);
  assertThrows(
    () => image("x").as("a").copy("1", "2", { from: a }).dockerfile,
    DhowError,
    'two stages are called "a"',
  );
});

Deno.test("values arrive as they were given, variables apart", () => {
  const values = [
    "",
    "a",
    "a b",
    'say "hi"',
    "it's",
    "back\\slash",
    "tab\t",
    "#x",
    "`x`",
    "a=b",
    "[1]",
    "世",
  ];
  for (const value of values) {
    const env = plain(base.env({ A: value }));
    assertEquals(env.kind === "env" && env.pairs[0]!.value, value);
    const label = plain(base.label({ A: value }));
    assertEquals(label.kind === "label" && label.pairs[0]!.value, value);
  }
  const path = plain(base.env({ PATH: "/opt/bin:$PATH", COST: "\\$5 a" }), { PATH: "/bin" });
  assertEquals(path.kind === "env" && path.pairs.map(({ value }) => value), [
    "/opt/bin:/bin",
    "$5 a",
  ]);
});

Deno.test("commands arrive as they were given", () => {
  const texts = [
    "[ -f /x ] && true",
    "--version",
    "# no comment",
    "cat <<X\na\nX",
    "a \\",
    "EOF\nEOF",
  ];
  for (const text of texts) {
    const run = plain(base.run(text));
    const found = run.kind === "run" && run.command.form === "shell" && run.heredocs[0]?.content;
    assertEquals(found, text + "\n");
  }
  const run = plain(base.run(`
    set -e
      indented
    done`));
  assertEquals(run.kind === "run" && run.heredocs[0]!.content, "set -e\n  indented\ndone\n");
  const exec = plain(base.run(["sh", "-c", 'echo "$A" <<EOF']));
  assertEquals(exec.kind === "run" && exec.command, {
    form: "exec",
    args: ["sh", "-c", 'echo "$A" <<EOF'],
  });
});

Deno.test("files and paths arrive as they were given", () => {
  const file = plain(base.file("/etc/my.conf", "a $B\n\tc", { chmod: "600" }));
  assertEquals(file.kind === "copy" && [file.heredocs[0]!.content, file.destination, file.chmod], [
    "a $B\n\tc\n",
    "/etc/my.conf",
    "600",
  ]);
  const copy = plain(base.copy(["a b", "c"], "/d e/"));
  assertEquals(copy.kind === "copy" && [...copy.sources, copy.destination], ["a b", "c", "/d e/"]);
});

Deno.test("what no Dockerfile can hold is refused at once", () => {
  const wrong: (() => ImageBuilder)[] = [
    () => base.env({ A: "a\nb" }),
    () => base.workdir("a\nRUN evil"),
    () => base.user("a\nRUN evil"),
    () => base.copy("a\nRUN evil", "b"),
    () => base.copy("a", "b", { chown: "1 --from=x" }),
    () => base.cmd("a\nb"),
    () => base.run(""),
    () => base.file("/a b", ""),
    () => base.as("A B"),
    () => base.arg("A\nRUN evil"),
  ];
  for (const make of wrong) assertThrows(make, DhowError, "Cannot describe the image");
  assertThrows(
    () => base.run("x", { mounts: [{ type: "cache", target: "/a,type=bind" }] }).dockerfile,
    DhowError,
    "--mount cannot hold",
  );
  assertThrows(() => image("a\nRUN evil").dockerfile, DhowError);
});
