import { assertEquals } from "@std/assert";
import { encodeLogFrame } from "./log_file.ts";
import { followLog, type LogRecord, readLog, type ReadLogOptions } from "./log_reader.ts";

type Line = [stream: "stdout" | "stderr", text: string, time?: number];

class TestLog implements Disposable {
  readonly directory = Deno.makeTempDirSync();
  readonly path = `${this.directory}/log`;

  append(...lines: Line[]): void {
    for (const [stream, text, time = 0] of lines) {
      const bytes = new TextEncoder().encode(text);
      this.appendRaw(encodeLogFrame({ stream, bytes, time: BigInt(time) }));
    }
  }

  appendRaw(bytes: Uint8Array): void {
    Deno.writeFileSync(this.path, bytes, { append: true });
  }

  rotate(): void {
    for (const number of [2, 1]) {
      try {
        Deno.renameSync(`${this.path}.${number}`, `${this.path}.${number + 1}`);
      } catch {
        // Not there yet.
      }
    }
    Deno.renameSync(this.path, `${this.path}.1`);
    Deno.writeFileSync(this.path, new Uint8Array());
  }

  read(options?: ReadLogOptions): string {
    return textOf(readLog(this.path, options));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function textOf(records: Iterable<LogRecord>): string {
  return Array.from(records, (record) => new TextDecoder().decode(record.bytes)).join("");
}

Deno.test("readLog() reads rotated files first and tells streams apart", () => {
  using log = new TestLog();
  log.append(["stdout", "1\n"], ["stderr", "2\n"]);
  log.rotate();
  log.append(["stdout", "3\n"]);
  log.rotate();
  log.append(["stderr", "4\n"]);
  assertEquals(log.read(), "1\n2\n3\n4\n");
  assertEquals(log.read({ stderr: false }), "1\n3\n");
  assertEquals(log.read({ stdout: false }), "2\n4\n");
});

Deno.test("readLog() of a log that is not there is empty", () => {
  assertEquals([...readLog("/nonexistent/log")], []);
});

Deno.test("readLog() keeps times and selects by them", () => {
  using log = new TestLog();
  log.append(["stdout", "a", 1_000_000_001], ["stdout", "b", 2_000_000_000], ["stdout", "c", 5e9]);
  assertEquals(Array.from(readLog(log.path), (record) => record.time), [
    1_000_000_001n,
    2_000_000_000n,
    5_000_000_000n,
  ]);
  assertEquals(log.read({ since: 2_000_000_000n }), "bc");
  assertEquals(log.read({ until: 2_000_000_000n }), "ab");
});

Deno.test("readLog() ignores a frame cut short, and garbage", () => {
  using log = new TestLog();
  log.append(["stdout", "whole\n"]);
  const torn = encodeLogFrame({ stream: "stdout", bytes: new Uint8Array(100), time: 0n });
  log.appendRaw(torn.subarray(0, 60));
  assertEquals(log.read(), "whole\n");
  log.rotate();
  log.append(["stdout", "next\n"]);
  log.appendRaw(new Uint8Array(500));
  assertEquals(log.read(), "whole\nnext\n");
});

Deno.test("readLog() finds the last lines wherever frames and files break", () => {
  using log = new TestLog();
  log.append(["stdout", "1\n2\n"], ["stdout", "3"]);
  log.rotate();
  log.append(["stdout", "3\n4\n"], ["stdout", "5\n6"], ["stdout", "6\n"]);
  const all = "1\n2\n33\n4\n5\n66\n";
  assertEquals(log.read(), all);
  const lines = all.trimEnd().split("\n");
  for (let tail = 0; tail <= 8; tail++) {
    const expected = lines.slice(Math.max(0, lines.length - tail)).map((line) => line + "\n");
    assertEquals(log.read({ tail }), tail === 0 ? "" : expected.join(""), `tail ${tail}`);
  }
  log.append(["stdout", "open"]);
  assertEquals(log.read({ tail: 1 }), "open");
  assertEquals(log.read({ tail: 2 }), "66\nopen");
});

Deno.test("readLog() streams a large log whole", () => {
  using log = new TestLog();
  const bytes = new Uint8Array(65536).map((_, index) => index % 251);
  const frame = encodeLogFrame({ stream: "stdout", bytes, time: 1n });
  for (let i = 0; i < 64; i++) log.appendRaw(frame);
  let total = 0;
  for (const record of readLog(log.path)) {
    assertEquals(record.bytes.length, 65536);
    assertEquals(record.bytes[65535], bytes[65535]);
    total += record.bytes.length;
  }
  assertEquals(total, 64 * 65536);
});

/** Runs one step of writing whenever the follower waits. */
async function follow(
  log: TestLog,
  steps: (() => void)[],
  options: ReadLogOptions = {},
): Promise<string> {
  const records = await Array.fromAsync(followLog(log.path, {
    ...options,
    isEnded: () => steps.length === 0,
    changed: () => Promise.resolve(steps.shift()?.()),
  }));
  return textOf(records);
}

Deno.test("followLog() sees what is appended, frames in pieces included", async () => {
  using log = new TestLog();
  const frame = encodeLogFrame({
    stream: "stdout",
    bytes: new TextEncoder().encode("b"),
    time: 0n,
  });
  log.append(["stdout", "a"]);
  const text = await follow(log, [
    () => log.appendRaw(frame.subarray(0, 10)),
    () => {},
    () => log.appendRaw(frame.subarray(10)),
    () => log.append(["stderr", "c"]),
  ]);
  assertEquals(text, "abc");
});

Deno.test("followLog() loses nothing to rotation", async () => {
  using log = new TestLog();
  const text = await follow(log, [
    () => log.append(["stdout", "a"]),
    () => {
      log.append(["stdout", "b"]);
      log.rotate();
      log.append(["stdout", "c"]);
      log.rotate();
      log.append(["stdout", "d"]);
    },
    () => log.rotate(),
    () => log.append(["stdout", "e"]),
  ]);
  assertEquals(text, "abcde");
});

Deno.test("followLog() starts with the last lines", async () => {
  using log = new TestLog();
  log.append(["stdout", "1\n2\n3\n"]);
  const steps = () => [() => log.append(["stdout", "4\n"])];
  assertEquals(await follow(log, steps(), { tail: 1 }), "3\n4\n");
  assertEquals(await follow(log, steps(), { tail: 0 }), "4\n");
});
