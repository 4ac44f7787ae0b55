/**
 * `dhow container logs`.
 *
 * @module
 */
import { parseTimestamp } from "../../../core/lib/duration.ts";
import type { LogRecord, LogsOptions } from "../../../core/engine/engine.ts";
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import type { Output } from "../../output/stream.ts";
import { formatUtc } from "../../output/time.ts";

/** Fetch the logs of a container. */
export const logs = command({
  name: "logs",
  summary: "Fetch the logs of a container",
  args: "CONTAINER",
  flags: {
    details: { type: "bool", help: "Show extra details provided to logs" },
    follow: { type: "bool", short: "f", help: "Follow log output" },
    since: {
      type: "string",
      help:
        'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
    tail: {
      type: "string",
      short: "n",
      default: "all",
      help: "Number of lines to show from the end of the logs",
    },
    timestamps: { type: "bool", short: "t", help: "Show timestamps" },
    until: {
      type: "string",
      help:
        'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
  },
  async run({ args, flags, engine, out, err }) {
    const options: LogsOptions = { follow: flags.follow, stdout: true, stderr: true };
    for (const key of ["since", "until"] as const) {
      if (flags[key] !== "") options[key] = parseTime(key, flags[key]);
    }
    if (/^\d+$/.test(flags.tail)) options.tail = Number(flags.tail);
    const printer = new LogPrinter(flags);
    for await (const record of engine.containers.logs(args[0]!, options)) {
      printer.print(record, record.stream === "stderr" ? err : out);
    }
  },
});

function parseTime(flag: string, text: string): bigint {
  try {
    return parseTimestamp(text, Date.now());
  } catch (error) {
    throw new ExitError(1, `invalid value for "${flag}": ${(error as Error).message}`);
  }
}

/** Puts a time or a blank before each line; a record may begin or end within a line. */
class LogPrinter {
  readonly #options: { timestamps: boolean; details: boolean };
  readonly #isInLine = { stdout: false, stderr: false };

  constructor(options: { timestamps: boolean; details: boolean }) {
    this.#options = options;
  }

  print(record: LogRecord, output: Output): void {
    const { timestamps, details } = this.#options;
    if (!timestamps && !details) return output.write(record.bytes);
    const prefix = (timestamps ? formatUtc(record.time) + " " : "") + (details ? " " : "");
    const encoded = new TextEncoder().encode(prefix);
    const { bytes, stream } = record;
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const newline = bytes.indexOf(10, at);
      const end = newline < 0 ? bytes.length : newline + 1;
      if (!this.#isInLine[stream]) parts.push(encoded);
      parts.push(bytes.subarray(at, end));
      this.#isInLine[stream] = newline < 0;
      at = end;
    }
    for (const part of parts) output.write(part);
  }
}
