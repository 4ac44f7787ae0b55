import { assertEquals, assertThrows } from "@std/assert";
import type { ArgInstruction, EnvInstruction } from "./ast.ts";
import { DockerfileError } from "./error.ts";
import { expandInstruction } from "./expand.ts";
import { parseDockerfile } from "./parse.ts";
import {
  globalScope,
  predefinedArgs,
  proxyEnvironment,
  StageScope,
  unusedBuildArgs,
} from "./scope.ts";

const platforms = {
  build: { os: "linux", architecture: "amd64" },
  target: { os: "linux", architecture: "arm", variant: "v7" },
};

/** The scopes of all stages, at their ends. */
function scopes(text: string, buildArgs: Record<string, string> = {}): StageScope[] {
  const { dockerfile } = parseDockerfile(text);
  const given = new Map(Object.entries(buildArgs));
  const globals = globalScope(dockerfile, predefinedArgs(platforms), given);
  const { escape } = dockerfile.directives;
  const scopes: StageScope[] = [];
  for (const stage of dockerfile.stages) {
    const below = dockerfile.stages.findIndex(({ name }) => name === stage.base);
    const base = scopes[below] ?? ["PATH=/bin", "BASE=1"];
    const scope = new StageScope(base, { globals, buildArgs: given, escape });
    scopes.push(scope);
    for (const instruction of stage.instructions) {
      if (instruction.kind === "arg") scope.declare(instruction as ArgInstruction);
      else {
        const plain = expandInstruction(instruction, scope.lookup, dockerfile.directives);
        scope.setEnvironment((plain as EnvInstruction).pairs);
      }
    }
  }
  return scopes;
}

Deno.test("an ARG before FROM is seen by FROM, and by stages that declare it", () => {
  const text = "ARG V=1\nARG W=$V$TARGETARCH\nFROM x\nENV a=$V\nARG V\nARG W=own\nENV b=$V c=$W";
  assertEquals(Object.fromEntries(scopes(text)[0]!.environment), {
    PATH: "/bin",
    BASE: "1",
    a: "",
    b: "1",
    c: "own",
  });
  const given = scopes(text, { V: "2", W: "3" })[0]!;
  assertEquals([given.lookup("b"), given.lookup("c")], ["2", "3"]);
  const { dockerfile } = parseDockerfile(text);
  const globals = globalScope(dockerfile, predefinedArgs(platforms), new Map([["V", "2"]]));
  assertEquals([globals.get("W"), globals.get("TARGETPLATFORM")], ["2arm", "linux/arm/v7"]);
});

Deno.test("ENV and ARG hide each other; the image keeps ENV only", () => {
  const [scope] = scopes("FROM x\nARG a=1\nENV a=2 b=$a\nARG b=3\nENV c=$a$b");
  assertEquals([scope!.lookup("a"), scope!.lookup("b"), scope!.lookup("c")], ["2", "3", "23"]);
  assertEquals(scope!.environment.get("b"), "1");
  assertEquals(scope!.declared(), [["a", "2"], ["b", "3"]]);
});

Deno.test("arguments are seen by the stages that build upon theirs, and by no others", () => {
  const text = "FROM x AS a\nARG v=1\nENV e=$v\nFROM a\nENV f=$v\nFROM y\nENV g=$v";
  const [, second, third] = scopes(text);
  assertEquals(second!.environment.get("f"), "1");
  assertEquals(third!.environment.get("g"), "");
});

Deno.test("a default that is overridden is not looked at", () => {
  const text = 'FROM x\nARG a="${NONE:?must be given}"';
  assertThrows(() => scopes(text), Error, "NONE: must be given");
  assertEquals(scopes(text, { a: "1" })[0]!.lookup("a"), "1");
});

Deno.test("platforms must be declared, and can be overridden", () => {
  const text = "FROM x\nENV a=$TARGETARCH\nARG TARGETARCH BUILDOS TARGETVARIANT\n" +
    "ENV b=$TARGETARCH-$BUILDOS-$TARGETVARIANT";
  assertEquals(scopes(text)[0]!.environment.get("a"), "");
  assertEquals(scopes(text)[0]!.environment.get("b"), "arm-linux-v7");
  assertEquals(scopes(text, { TARGETARCH: "x" })[0]!.environment.get("b"), "x-linux-v7");
});

Deno.test("an argument without a value takes none away, and is shown as empty", () => {
  const [scope] = scopes("FROM x\nENV a=1\nARG a b");
  assertEquals([scope!.lookup("a"), scope!.lookup("b")], ["1", undefined]);
  assertEquals(scope!.declared(), [["a", "1"], ["b", ""]]);
});

Deno.test("proxyEnvironment() gives proxies in capitals and not", () => {
  assertEquals(
    Object.fromEntries(proxyEnvironment(new Map([["http_proxy", "p"], ["x", "y"]]))),
    { HTTP_PROXY: "p", http_proxy: "p" },
  );
});

Deno.test("unusedBuildArgs() names what no ARG speaks of", () => {
  const { dockerfile } = parseDockerfile("ARG a\nFROM x\nARG b=1\nFROM y\nARG c");
  const names = ["a", "b", "c", "d", "e", "HTTP_PROXY", "TARGETARCH", "SOURCE_DATE_EPOCH"];
  const given = new Map(names.map((name) => [name, ""]));
  assertEquals(unusedBuildArgs(dockerfile, given, new Set(["e"])), ["d"]);
});

Deno.test("a wrong ARG before FROM is told with its place", () => {
  const { dockerfile } = parseDockerfile("ARG a=1\nARG b=${a^}\nFROM x\n");
  const error = assertThrows(() => globalScope(dockerfile, new Map(), new Map()), DockerfileError);
  assertEquals(error.range, { start: 2, end: 2 });
});
