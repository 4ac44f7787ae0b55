/**
 * Reads a container's log: what is there, and what comes.
 *
 * @module
 */
import { LogFile, type LogRecord, openLogFiles } from "./log_file.ts";

export type { LogRecord } from "./log_file.ts";

/** Which part of a log. */
export interface ReadLogOptions {
  /** @default true */
  stdout?: boolean;
  /** @default true */
  stderr?: boolean;
  /** Unix nanoseconds; records from then on. */
  since?: bigint;
  /** Unix nanoseconds; records up to then. */
  until?: bigint;
  /** Only the last n lines, counted before the streams are told apart, as docker does. */
  tail?: number;
}

/** How to follow a log. */
export interface FollowLogOptions extends ReadLogOptions {
  /** Resolves when the log may have grown or been rotated; may do so too often. */
  changed: () => Promise<void>;
  /** Byte of the newest file to begin at: the end of a frame. @default everything, rotated files included */
  position?: number;
  /** Whether the log is complete: asked before the last reading, so that nothing is missed. */
  isEnded: () => boolean;
  signal?: AbortSignal;
}

const NEWLINE = 10;

/** The records at `path` and its rotated files, oldest first, as they are now. A log that is missing is empty. */
export function* readLog(path: string, options: ReadLogOptions = {}): Generator<LogRecord> {
  const files = openLogFiles(path);
  try {
    const start = options.tail === undefined ? undefined : findTail(files, options.tail);
    for (const [index, file] of files.entries()) {
      yield* select(readFile(file, index, start), options);
    }
  } finally {
    for (const file of files) file[Symbol.dispose]();
  }
}

/**
 * The records at `path`, then those to come, until the log is complete, `until` has passed or the signal aborts.
 *
 * Rotation loses nothing: successors are opened as soon as `changed()` tells, and the old file is read to its end first.
 */
export async function* followLog(
  path: string,
  options: FollowLogOptions,
): AsyncGenerator<LogRecord> {
  using queue = new FileQueue(path, options);
  const { signal, until } = options;
  while (!signal?.aborted) {
    const isEnded = options.isEnded();
    queue.openSuccessors();
    for (let records = queue.read(); records.length > 0; records = queue.read()) {
      yield* select(records, options);
      if (signal?.aborted) return;
      queue.openSuccessors();
    }
    if (isEnded || until !== undefined && BigInt(Date.now()) * 1_000_000n > until) return;
    await options.changed();
  }
}

/** The files of a growing log, in order; the last one is not over yet. */
class FileQueue implements Disposable {
  readonly #path: string;
  readonly #files: LogFile[];
  /** Records behind the tail's start that were read while looking for it. */
  #pending: LogRecord[] = [];

  constructor(path: string, { tail, position = 0 }: FollowLogOptions) {
    this.#path = path;
    this.#files = openLogFiles(path);
    if (position > 0) {
      for (const file of this.#files.splice(0, this.#files.length - 1)) file[Symbol.dispose]();
      this.#files[0]?.skipTo(position);
    }
    if (tail === undefined) return;
    const start = findTail(this.#files, tail);
    for (const [index, file] of this.#files.entries()) {
      for (const record of readFile(file, index, start)) this.#pending.push(record);
    }
  }

  /** Takes hold of the files that came since, before a further rotation can delete them. */
  openSuccessors(): void {
    this.#files.push(...openLogFiles(this.#path, this.#files.at(-1)?.identity));
  }

  /** The next records; none when all was read. */
  read(): LogRecord[] {
    if (this.#pending.length > 0) return this.#pending.splice(0);
    while (this.#files.length > 0) {
      const records = this.#files[0]!.read();
      if (records.length > 0 || this.#files.length === 1) return records;
      // A file with a successor grows no more.
      this.#files.shift()![Symbol.dispose]();
    }
    return [];
  }

  [Symbol.dispose](): void {
    for (const file of this.#files) file[Symbol.dispose]();
  }
}

/** Where the last lines begin: in which file, at which record of it, at which byte of that. */
interface TailStart {
  file: number;
  record: number;
  offset: number;
}

function* readFile(
  file: LogFile,
  index: number,
  start: TailStart | undefined,
): Generator<LogRecord> {
  if (start !== undefined && index < start.file) return;
  let skip = start?.file === index ? start.record : 0;
  for (let records = file.read(); records.length > 0; records = file.read()) {
    for (const record of records) {
      if (skip-- > 0) continue;
      // Just arrived at the first one wanted: part of it may belong to an earlier line.
      const cut = skip === -1 && start?.file === index ? start.offset : 0;
      if (cut === 0) yield record;
      else if (cut < record.bytes.length) yield cutRecord(record, cut);
    }
  }
}

function cutRecord(record: LogRecord, from: number): LogRecord {
  return { stream: record.stream, bytes: record.bytes.subarray(from), time: record.time };
}

function* select(records: Iterable<LogRecord>, options: ReadLogOptions): Generator<LogRecord> {
  const { stdout = true, stderr = true, since, until } = options;
  for (const record of records) {
    if (!(record.stream === "stdout" ? stdout : stderr)) continue;
    if (since !== undefined && record.time < since) continue;
    if (until !== undefined && record.time > until) continue;
    yield record;
  }
}

/**
 * Finds where the last `count` lines begin, reading files from the newest back, as few as needed, each forward.
 *
 * An unfinished line at the end counts. The files are rewound.
 */
function findTail(files: readonly LogFile[], count: number): TailStart {
  let missing = count;
  let isEnd = true;
  for (let file = files.length - 1; file >= 0; file--) {
    const counts = countNewlines(files[file]!);
    for (let record = counts.length - 1; record >= 0; record--) {
      const { newlines, endsLine } = counts[record]!;
      // The newline that ends the last line starts none.
      const separators = isEnd && endsLine ? newlines - 1 : newlines;
      isEnd = false;
      if (count <= 0) return { file, record: record + 1, offset: 0 };
      if (separators >= missing) {
        const nth = separators - missing;
        return { file, record, offset: offsetAfterNewline(files[file]!, record, nth) };
      }
      missing -= separators;
    }
  }
  return { file: 0, record: 0, offset: 0 };
}

interface LineCount {
  newlines: number;
  endsLine: boolean;
}

function countNewlines(file: LogFile): LineCount[] {
  const counts: LineCount[] = [];
  for (let records = file.read(); records.length > 0; records = file.read()) {
    for (const { bytes } of records) {
      let newlines = 0;
      for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
        newlines++;
      }
      counts.push({ newlines, endsLine: bytes.at(-1) === NEWLINE });
    }
  }
  file.rewind();
  return counts;
}

/** The byte behind newline number `nth`, counted from 0, of record number `index`. */
function offsetAfterNewline(file: LogFile, index: number, nth: number): number {
  let offset = 0;
  for (let records = file.read(); records.length > 0; records = file.read()) {
    if (index >= records.length) {
      index -= records.length;
      continue;
    }
    const { bytes } = records[index]!;
    for (let seen = 0; seen <= nth; seen++) offset = bytes.indexOf(NEWLINE, offset) + 1;
    break;
  }
  file.rewind();
  return offset;
}
