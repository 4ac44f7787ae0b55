import { assertEquals, assertStringIncludes } from "@std/assert";
import type { BuildEvent } from "../../../core/build/request.ts";
import { Output } from "../../output/stream.ts";
import { formatFailedSteps, formatWarnings } from "./failure.ts";
import { PlainPainter } from "./plain.ts";
import { rawJson } from "./raw_json.ts";
import { StepLog } from "./step_log.ts";
import { screenLines, TerminalPainter } from "./terminal.ts";

const WARNING = {
  rule: "R",
  description: "d",
  url: "u",
  message: "m",
  range: { start: 2, end: 2 },
};

function log(id: string, text: string, timeMs: number): BuildEvent {
  return { kind: "log", id, stream: "stdout", bytes: new TextEncoder().encode(text), timeMs };
}

/** Two steps at once, one of them found in the cache, one that fails. */
const EVENTS: BuildEvent[] = [
  { kind: "start", id: "a", name: "[1/3] RUN a", timeMs: 0 },
  { kind: "warning", warning: WARNING },
  { kind: "warning", warning: WARNING },
  { kind: "start", id: "b", name: "[2/3] RUN b", timeMs: 10 },
  log("a", "one\ntw", 100),
  log("b", "b says\n", 110),
  log("a", "o\n", 200),
  {
    kind: "status",
    id: "a",
    part: "layer x",
    currentBytes: 5e5,
    totalBytes: 1e6,
    isDone: false,
    timeMs: 210,
  },
  { kind: "start", id: "c", name: "[3/3] COPY . .", timeMs: 250 },
  { kind: "end", id: "c", outcome: "cached", timeMs: 250 },
  { kind: "status", id: "a", part: "layer x", currentBytes: 1e6, isDone: true, timeMs: 410 },
  { kind: "end", id: "a", outcome: "done", timeMs: 500 },
  log("b", "no end", 600),
  { kind: "end", id: "b", outcome: "failed", error: "exit code: 3", timeMs: 700 },
];

function collector(): { out: Output; text: () => string } {
  let text = "";
  const decoder = new TextDecoder();
  const stream = {
    writeSync(bytes: Uint8Array) {
      text += decoder.decode(bytes);
      return bytes.length;
    },
    isTerminal: () => false,
  };
  return { out: new Output(stream), text: () => text };
}

Deno.test("plain progress shows a step at a time and misses no line", () => {
  const steps = new StepLog();
  const { out, text } = collector();
  const painter = new PlainPainter(steps, out);
  for (const event of EVENTS) painter.update(steps.add(event));
  painter.finish();
  assertEquals(
    text(),
    `#1 [1/3] RUN a
#1 WARN: R: m (line 2)
#1 0.100 one
#1 0.200 two
#1 ...

#3 [3/3] COPY . .
#3 CACHED

#1 [1/3] RUN a
#1 layer x 1MB / 1MB 0.2s done
#1 DONE 0.5s

#2 [2/3] RUN b
#2 0.100 b says
#2 0.690 no end
#2 ERROR: exit code: 3
`,
  );
  assertEquals(
    formatFailedSteps(steps.failed, false),
    "------\n > [2/3] RUN b:\n0.100 b says\n0.690 no end\n------\n",
  );
  assertEquals(
    formatWarnings(steps.warnings, false),
    "\n 1 warning found (use dhow --debug to expand):\n - R: m (line 2)\n",
  );
});

Deno.test("no escape sequence of a name or an error reaches plain progress", () => {
  const steps = new StepLog();
  const { out, text } = collector();
  const painter = new PlainPainter(steps, out);
  painter.update(
    steps.add({ kind: "start", id: "a", name: "RUN \x1b]0;x\x07\x1b[2Ja", timeMs: 0 }),
  );
  const end = { kind: "end", id: "a", outcome: "failed", error: "no\x1b[2J", timeMs: 0 } as const;
  painter.update(steps.add(end));
  assertEquals(text(), "#1 RUN a\n#1 ERROR: no\n");
});

Deno.test("a step that writes much is remembered by its last lines", () => {
  const steps = new StepLog();
  const { out, text } = collector();
  const painter = new PlainPainter(steps, out);
  painter.update(steps.add({ kind: "start", id: "a", name: "other", timeMs: 0 }));
  painter.update(steps.add(log("a", "x\n", 0)));
  painter.update(steps.add({ kind: "start", id: "b", name: "much", timeMs: 0 }));
  for (let i = 0; i < 1000; i++) painter.update(steps.add(log("b", `line ${i}\n`, i)));
  assertEquals(steps.steps.get("b")!.lines.length, 200);
  assertEquals(steps.steps.get("b")!.lines.at(-1)!.text, "line 999");
  painter.finish();
  for (const i of [0, 500, 999]) {
    assertStringIncludes(text(), `#2 ${(i / 1000).toFixed(3)} line ${i}\n`);
  }
});

Deno.test("a terminal shows steps, the last lines of those that run, and no escape sequence of theirs", () => {
  const steps = new StepLog();
  steps.add({ kind: "start", id: "a", name: "RUN a\x1b[2J", timeMs: 0 });
  for (let i = 0; i < 9; i++) steps.add(log("a", `line ${i} \x1b[31mred\r\n`, i));
  steps.add(log("a", "10%\r50%\r", 50));
  steps.add({ kind: "start", id: "b", name: "b", timeMs: 0 });
  steps.add({ kind: "end", id: "b", outcome: "cached", timeMs: 900 });
  const lines = screenLines([...steps.steps.values()], { nowMs: 1500, startMs: 0, isLast: false });
  assertEquals(lines.map(({ left, right = "" }) => `${left}|${right}`), [
    "[+] Building 1.5s (1/2)|dhow",
    " => RUN a|1.5s",
    ...[4, 5, 6, 7, 8].map((i) => ` => => # line ${i} red|`),
    " => => # 50%|",
    " => CACHED b|0.9s",
  ]);
});

Deno.test("a terminal's drawing never takes more lines or columns than there are", () => {
  const steps = new StepLog();
  const { out, text } = collector();
  const size = { columns: 40, rows: 10 };
  const painter = new TerminalPainter(steps, out, { size: () => size, hasColours: false });
  for (let i = 0; i < 30; i++) {
    steps.add({ kind: "start", id: `${i}`, name: `step ${i} ${"世界".repeat(20)}`, timeMs: 0 });
    if (i !== 3) steps.add({ kind: "end", id: `${i}`, outcome: "done", timeMs: 0 });
  }
  painter.finish();
  // deno-lint-ignore no-control-regex
  const shown = text().replace(/\x1b\[[?\d]*[a-zA-Z]|\r/g, "").split("\n").filter((line) =>
    line !== ""
  );
  assertEquals(shown.length, 31);
  assertStringIncludes(shown[4]!, "step 3 ");
  for (const line of shown) {
    assertEquals(
      [...line.trimEnd()].reduce((sum, c) => sum + (c > "\u1100" ? 2 : 1), 0) <= 39,
      true,
    );
  }
  assertEquals(text().endsWith("\x1b[?25h"), true);
});

Deno.test("raw JSON is BuildKit's", () => {
  const { out, text } = collector();
  const listen = rawJson(out);
  for (const event of EVENTS) listen(event);
  const messages = text().trim().split("\n").map((line) => JSON.parse(line));
  const { vertexes: [vertex] } = messages.at(-1);
  assertEquals(vertex.name, "[2/3] RUN b");
  assertEquals([vertex.error, vertex.completed], ["exit code: 3", "1970-01-01T00:00:00.700Z"]);
  const logs = messages.flatMap((message) => message.logs ?? []);
  assertEquals(logs.map(({ data }) => atob(data)).join(""), "one\ntwb says\no\nno end");
  assertEquals(logs[0].vertex, messages[0].vertexes[0].digest);
});
