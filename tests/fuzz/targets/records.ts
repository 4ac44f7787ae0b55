/**
 * What monitors leave behind: logs and records of runs, after a crash or by another's hand.
 *
 * @module
 */
import { encodeLogFrame, type LogRecord } from "../../../core/container/log_file.ts";
import { readLog } from "../../../core/container/log_reader.ts";
import { decodeRunRecord, RUN_MAGIC } from "../../../core/runtime/run_record.ts";
import { join } from "../../helpers/tar.ts";
import { type FuzzTarget, type Input, insist } from "../target.ts";

/** Frames of a log, from the beginning and from the end. */
export const records: FuzzTarget = {
  name: "records",
  maxBytes: 1 << 15,
  seeds: () => [
    join([frame("one\ntwo\n"), frame("oops\n", "stderr"), frame("three")]),
    join([frame(""), frame("\n"), frame("x".repeat(3000))]),
    runRecord(),
  ],
  dictionary: ["\0", "\x01", "\x02", "\n", "\0\0\0\0", "\xff\xff\xff\xff", "\x01\0\0\0\x05\0\0\0"],
  run(input) {
    const record = decodeRunRecord(input);
    if (record !== undefined) insist(typeof record.startedAt === "bigint", "a run has begun");
    const path = `${scratch()}/log`;
    Deno.writeFileSync(path, input);
    const all = [...readLog(path)];
    const again = join(all.map(encodeLogFrame));
    Deno.writeFileSync(path, again);
    const second = [...readLog(path)];
    insist(textOfAll(all) === textOfAll(second), "what is written is read");
    for (const tail of [0, 1, 2, 1000]) {
      const end = textOfAll(readLog(path, { tail }));
      insist(textOfAll(all).endsWith(end), "a tail is the end");
      // A line without its end is one, too.
      const lines = end === "" ? 0 : end.replace(/\n$/, "").split("\n").length;
      insist(lines <= tail, `of ${tail} lines there are ${lines}`);
    }
  },
};

let directory: string | undefined;

function scratch(): string {
  if (directory === undefined) {
    const made = directory = Deno.makeTempDirSync({ prefix: "dhow-fuzz-" });
    globalThis.addEventListener("unload", () => Deno.removeSync(made, { recursive: true }));
  }
  return directory;
}

function frame(text: string, stream: LogRecord["stream"] = "stdout"): Input {
  return encodeLogFrame({ stream, bytes: new TextEncoder().encode(text), time: 1_700_000_000n });
}

function textOfAll(records: Iterable<LogRecord>): string {
  const decoder = new TextDecoder("latin1");
  return [...records].map(({ bytes }) => decoder.decode(bytes)).join("");
}

function runRecord(): Input {
  const words = new BigInt64Array(16);
  words.set([RUN_MAGIC, 5n, 6n, 1_700_000_000n, 7n]);
  words.set([1n, 0x8900n, 1_700_000_001n, 8n], 8);
  return new Uint8Array(words.buffer);
}
