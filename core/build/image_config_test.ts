import { assertEquals, assertThrows } from "@std/assert";
import { parseDockerfile } from "./dockerfile/parse.ts";
import { expandInstruction } from "./dockerfile/expand.ts";
import { goDuration, goQuote, goQuoteRune } from "./go_format.ts";
import { ConfigBuilder, derivedConfig, emptyConfig } from "./image_config.ts";

const PLATFORM = { os: "linux", architecture: "amd64" };

/** The config and the history of instructions on top of an image. */
function build(text: string, base = emptyConfig(PLATFORM)) {
  const { dockerfile } = parseDockerfile(`FROM scratch\n${text}`);
  const builder = new ConfigBuilder(derivedConfig(base));
  const history = dockerfile.stages[0]!.instructions.map((instruction) =>
    builder.apply(expandInstruction(instruction, () => undefined, dockerfile.directives))
  );
  return { config: builder.config, run: builder.run, history };
}

Deno.test("ConfigBuilder writes docker's words into the history", () => {
  // As docker 28 with BuildKit shows them.
  const cases: [instruction: string, words: string | undefined][] = [
    ['ENV A=b C="d e"', "ENV A=b C=d e"],
    ['LABEL l1=v1 l2="v 2"', "LABEL l1=v1 l2=v 2"],
    ["EXPOSE 80 90/udp 8000-8002", "EXPOSE [80/tcp 8000/tcp 8001/tcp 8002/tcp 90/udp]"],
    ["VOLUME /v1 /v2", "VOLUME [/v1 /v2]"],
    ["USER 1000:0", "USER 1000:0"],
    ["CMD echo hello", 'CMD ["/bin/sh" "-c" "echo hello"]'],
    ['ENTRYPOINT ["/bin/sh","-c"]', 'ENTRYPOINT ["/bin/sh" "-c"]'],
    ["STOPSIGNAL SIGINT", "STOPSIGNAL SIGINT"],
    [
      "HEALTHCHECK --interval=5s CMD true",
      `HEALTHCHECK &{["CMD-SHELL" "true"] "5s" "0s" "0s" "0s" '\\x00'}`,
    ],
    ['SHELL ["/bin/ash","-c"]', "SHELL [/bin/ash -c]"],
    ["ONBUILD RUN echo x", undefined],
    ["MAINTAINER me", "MAINTAINER me"],
    ["WORKDIR sub/../dir", "WORKDIR /dir"],
  ];
  for (const [instruction, words] of cases) assertEquals(build(instruction).history, [words]);
});

Deno.test("ConfigBuilder joins what an image says with what the Dockerfile says", () => {
  const base = emptyConfig(PLATFORM);
  base.config = {
    Env: ["A=1", "B=2"],
    Cmd: ["old"],
    WorkingDir: "/base",
    Labels: { z: "z" },
    OnBuild: ["RUN never handed on"],
    ExposedPorts: { "9/tcp": {} },
  };
  const { run } = build(
    'ENV B=3 C=4\nLABEL a=a\nWORKDIR below\nEXPOSE 8\nENTRYPOINT ["new"]\nONBUILD RUN x',
    base,
  );
  assertEquals(run, {
    Env: ["A=1", "B=3", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "C=4"],
    WorkingDir: "/base/below",
    Labels: { a: "a", z: "z" },
    ExposedPorts: { "8/tcp": {}, "9/tcp": {} },
    Entrypoint: ["new"],
    OnBuild: ["RUN x"],
  });
  assertEquals(base.config.Env, ["A=1", "B=2"]);
});

Deno.test("an ENTRYPOINT takes the image's CMD away, but not the Dockerfile's own", () => {
  const base = emptyConfig(PLATFORM);
  base.config!.Cmd = ["old"];
  assertEquals(build('ENTRYPOINT ["e"]', base).run.Cmd, undefined);
  assertEquals(build('CMD ["c"]\nENTRYPOINT ["e"]', base).run.Cmd, ["c"]);
  assertEquals(build('ENTRYPOINT ["e"]\nCMD ["c"]', base).run.Cmd, ["c"]);
});

Deno.test("ConfigBuilder refuses signals that there are none of", () => {
  assertThrows(() => build("STOPSIGNAL SIGFOO"), Error, "invalid signal: SIGFOO");
  assertEquals(build("STOPSIGNAL RTMIN+3").run.StopSignal, "RTMIN+3");
});

Deno.test("goQuote(), goQuoteRune() and goDuration() write what Go writes", () => {
  assertEquals(goQuote('a "b"\n\x01\\'), '"a \\"b\\"\\n\\x01\\\\"');
  assertEquals([3, 10, 39, 65].map(goQuoteRune), ["'\\x03'", "'\\n'", "'\\''", "'A'"]);
  const times = [0, 1, 1500, 1.5e6, 1e9, 90e9, 3600e9, 5400.5e9];
  assertEquals(times.map(goDuration), [
    "0s",
    "1ns",
    "1.5µs",
    "1.5ms",
    "1s",
    "1m30s",
    "1h0m0s",
    "1h30m0.5s",
  ]);
});
