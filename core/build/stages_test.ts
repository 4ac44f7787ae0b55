import { assertEquals, assertThrows } from "@std/assert";
import { parseDockerfile } from "./dockerfile/parse.ts";
import { originOf, planStages } from "./stages.ts";

function plan(text: string, target?: string) {
  const { dockerfile } = parseDockerfile(text);
  return planStages(dockerfile, {
    target,
    namedContexts: new Map([
      ["here", { kind: "directory", context: { directory: "/here", ignore: [] } }],
      ["alpine", { kind: "image", reference: "mirror/alpine" }],
    ]),
    expand: (word) => word,
  });
}

Deno.test("planStages() takes the stages that the target needs, and no others", () => {
  const text = `FROM a AS one
FROM b AS two
COPY --from=one /x /x
FROM c AS three
RUN --mount=from=here,target=/h --mount=from=two,target=/t true
FROM d AS unneeded
FROM two AS last
COPY --from=0 /x /y
`;
  assertEquals(plan(text).needed, [0, 1, 4]);
  assertEquals(plan(text, "THREE").needed, [0, 1, 2]);
  assertEquals(plan(text, "3").needed, [3]);
  assertThrows(() => plan(text, "four"), Error, 'target stage "four" could not be found');
});

Deno.test("planStages() knows stages, contexts, images and nothing at all", () => {
  const { stages } = plan("FROM scratch AS s\nFROM s\nFROM alpine\nFROM debian:12 AS s\nFROM S\n");
  assertEquals(stages.map(({ base }) => base), [
    { kind: "scratch" },
    { kind: "stage", index: 0 },
    { kind: "image", reference: "mirror/alpine" },
    { kind: "image", reference: "debian:12" },
    { kind: "stage", index: 3 },
  ]);
  assertEquals(originOf(stages, 1, "0", new Map()), { kind: "stage", index: 0 });
  assertThrows(() => originOf(stages, 1, "1", new Map()), Error, "invalid stage index");
});

Deno.test("planStages() refuses stages that need each other, at the line that says so", () => {
  const text = "FROM x AS a\nCOPY --from=b / /\nFROM x AS b\nRUN --mount=from=a,target=/a true\n";
  const error = assertThrows(() => plan(text), Error, "circular dependency detected on stage: b");
  assertEquals((error as { range?: unknown }).range, { start: 2, end: 2 });
});
