/**
 * How output, input and logs of a container's processes are passed around.
 *
 * @module
 */

/** What every call takes. */
export interface CallOptions {
  /** Aborting rejects the call; what was half made is undone. */
  signal?: AbortSignal;
}

/** What to attach. */
export interface AttachOptions extends CallOptions {
  /** Whether to write to its stdin. @default false */
  stdin?: boolean;
  /** Whether to read its stdout. @default true */
  stdout?: boolean;
  /** Whether to read its stderr. @default true */
  stderr?: boolean;
  /** Replay the log first (`attach --logs`). */
  logs?: boolean;
  /** Size of the terminal to give a tty. */
  consoleSize?: { rows: number; columns: number };
}

/** Which stream a piece of output came from; a tty has only stdout. */
export interface OutputChunk {
  /** Where the process wrote it. */
  stream: "stdout" | "stderr";
  /** What it wrote; yours to keep. */
  bytes: Uint8Array;
}

/** A live attachment to a container's or exec's main process. Disposing detaches; the process goes on. */
export interface AttachedStream extends AsyncDisposable {
  /** Output as it comes; ends when the process has exited and all was read. */
  readonly output: AsyncIterable<OutputChunk>;
  /** Writes to the process's stdin; resolves when all bytes are handed over. A closed stdin throws `conflict`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Half-closes stdin. */
  closeStdin(): void;
  /** Sets the terminal's size. */
  resize(size: { rows: number; columns: number }): void;
  /** Sends a signal to the main process. */
  kill(signalName: string): Promise<void>;
  /** The exit code, when the process has exited. */
  readonly exitCode: Promise<number>;
}

/** Which part of a log. */
export interface LogsOptions extends CallOptions {
  /** Go on until the container stops. @default false */
  follow?: boolean;
  /** Its stdout. @default true */
  stdout?: boolean;
  /** Its stderr. @default true */
  stderr?: boolean;
  /** Unix nanoseconds. */
  since?: bigint;
  /** Unix nanoseconds. */
  until?: bigint;
  /** Only the last n lines. */
  tail?: number;
}

/** A piece of output as it was written, with its time. A record may hold several lines or part of one. */
export interface LogRecord extends OutputChunk {
  /** Unix nanoseconds. */
  time: bigint;
}
