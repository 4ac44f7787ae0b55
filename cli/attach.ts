/**
 * Joins the caller's terminal, pipes and signals to a container's: what `run`, `start -a`, `attach` and `exec` share.
 *
 * @module
 */
import { lazy } from "../core/lib/lazy.ts";
import type { AttachedStream } from "../core/engine/engine.ts";
import { DEFAULT_DETACH_KEYS, DetachKeyFilter, parseDetachKeys } from "./detach_keys.ts";
import { ExitError } from "./errors.ts";
import type { Output } from "./output/stream.ts";

/** What to join. */
export interface JoinOptions {
  /** The container has a terminal. */
  tty: boolean;
  /** Pass on stdin. */
  stdin: boolean;
  /** `--detach-keys`; empty means the default. */
  detachKeys: string;
  /** Pass on signals. Never with a tty: there the keys are passed. */
  sigProxy: boolean;
  out: Output;
  err: Output;
}

/** How it ended. */
export type Joined = { kind: "exited"; exitCode: number } | { kind: "detached" };

/** Signals that are the caller's own business, or cannot be caught. */
const PROXIED: readonly Deno.Signal[] = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGCONT",
  "SIGALRM",
];

/**
 * Refuses a tty for a stdin that is none, in docker's words.
 *
 * @throws {ExitError} With status 1.
 */
export function assertTty(options: { stdin: boolean; tty: boolean }): void {
  if (options.stdin && options.tty && !Deno.stdin.isTerminal()) {
    throw new ExitError(1, "the input device is not a TTY");
  }
}

/** The size of the caller's terminal, if there is one. */
export function terminalSize(): { rows: number; columns: number } | undefined {
  try {
    const { rows, columns } = Deno.consoleSize();
    return { rows, columns };
  } catch {
    return undefined;
  }
}

/**
 * Copies until the process has exited or the user detached. The terminal is as before in either case.
 *
 * @throws {Error} If `detachKeys` is malformed; nothing has been touched then.
 */
export async function join(stream: AttachedStream, options: JoinOptions): Promise<Joined> {
  const isTerminal = options.stdin && Deno.stdin.isTerminal();
  const keys = options.tty && isTerminal
    ? parseDetachKeys(options.detachKeys || DEFAULT_DETACH_KEYS)
    : new Uint8Array(0);
  using cleanup = new DisposableStack();
  if (options.tty && isTerminal) {
    const { RawTerminal } = await lazy<typeof import("../core/host/terminal.ts")>(
      "../core/host/terminal.ts",
      import.meta.url,
    );
    cleanup.use(new RawTerminal(0));
  }
  if (options.tty) followSize(stream, cleanup);
  if (options.sigProxy && !(options.tty && isTerminal)) proxySignals(stream, cleanup);

  const detached = Promise.withResolvers<Joined>();
  if (options.stdin) {
    copyInput(stream, new DetachKeyFilter(keys)).then(
      (left) => left && detached.resolve({ kind: "detached" }),
      detached.reject,
    );
  }
  const exited = copyOutput(stream, options).then(async (): Promise<Joined> => {
    return { kind: "exited", exitCode: await stream.exitCode };
  });
  return await Promise.race([exited, detached.promise]);
}

/** Returns whether the user asked to leave. */
async function copyInput(stream: AttachedStream, filter: DetachKeyFilter): Promise<boolean> {
  const buffer = new Uint8Array(64 * 1024);
  while (true) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) break;
    const { passed, detached } = filter.push(buffer.subarray(0, count));
    try {
      if (passed.length > 0) await stream.write(passed);
    } catch {
      // The other end closed its stdin or is gone; how it ended is told by its exit code.
      return false;
    }
    if (detached) return true;
  }
  stream.closeStdin();
  return false;
}

async function copyOutput(stream: AttachedStream, { out, err }: JoinOptions): Promise<void> {
  for await (const chunk of stream.output) {
    (chunk.stream === "stderr" ? err : out).write(chunk.bytes);
  }
}

function followSize(stream: AttachedStream, cleanup: DisposableStack): void {
  const resize = () => {
    const size = terminalSize();
    if (size !== undefined) stream.resize(size);
  };
  listen("SIGWINCH", resize, cleanup);
}

function proxySignals(stream: AttachedStream, cleanup: DisposableStack): void {
  for (const name of PROXIED) {
    // The process may be gone in the very moment; then there is nobody to tell.
    listen(name, () => void stream.kill(name).catch(() => {}), cleanup);
  }
}

function listen(signal: Deno.Signal, action: () => void, cleanup: DisposableStack): void {
  Deno.addSignalListener(signal, action);
  cleanup.defer(() => Deno.removeSignalListener(signal, action));
}
