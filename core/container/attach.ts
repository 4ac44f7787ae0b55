/**
 * A live attachment to a container's main process: output from its log, input to its stdin or terminal.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import { O_NONBLOCK, O_WRONLY, SOCK_DGRAM, SOCK_SEQPACKET } from "../../ffi/abi/constants.ts";
import { type Fd, open, widenPipe } from "../../ffi/fd.ts";
import { connectUnix, receiveFd, sendWithFd, socketpair, unixSocket } from "../../ffi/socket.ts";
import { setTerminalSize, writeTerminal } from "../../ffi/tty.ts";
import type { Watcher } from "../../ffi/inotify.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { MONITOR_REQUEST } from "../runtime/monitor.ts";
import type { AttachedStream, AttachOptions, OutputChunk } from "../spec/streams.ts";
import { followLog } from "./log_reader.ts";
import { writePipe } from "./pipe_writer.ts";
import { containerDirectory, type ContainerRecord, readRecord } from "./record.ts";
import { hasEnded, KeptRun, waitForEnd, watchContainer } from "./run_watch.ts";
import { monitorSocket } from "./monitor_socket.ts";
import { startContainer, type StartedContainer } from "./start.ts";
import { isRunning, readState } from "./state.ts";

/** What the attachment's owner does when the run has ended. */
type OnEnd = (paths: StorePaths, record: ContainerRecord) => Promise<number>;

/**
 * Starts container `id` in the foreground, attached from its first byte.
 *
 * @param onEnd Ends the run as the exit hook would; answers the exit code.
 */
export async function startAttached(
  paths: StorePaths,
  id: string,
  options: AttachOptions,
  onEnd: OnEnd,
): Promise<AttachedStream> {
  const directory = containerDirectory(paths, id);
  const watcher = watchContainer(directory);
  const position = logSize(directory);
  let started: StartedContainer | undefined;
  try {
    started = await startContainer(paths, id, {
      foreground: true,
      ...options.consoleSize && { consoleSize: options.consoleSize },
    });
  } catch (error) {
    watcher[Symbol.dispose]();
    throw error;
  }
  if (started === undefined) {
    watcher[Symbol.dispose]();
    return attachContainer(paths, id, options);
  }
  const input = openInput(paths, started.record, options, started.stdin);
  const { record, owner } = started;
  return new ContainerStream({ paths, record, options, input, watcher, position, owner, onEnd });
}

/** Attaches to a running container. @throws {DhowError} `conflict`, in docker's words, if it does not run. */
export function attachContainer(
  paths: StorePaths,
  id: string,
  options: AttachOptions,
): AttachedStream {
  const directory = containerDirectory(paths, id);
  const { status } = readState(directory);
  if (status === "paused") {
    throw new DhowError("conflict", "You cannot attach to a paused container, unpause it first");
  }
  if (!isRunning(status)) {
    const what = status === "restarting" ? "restarting" : "stopped";
    throw new DhowError(
      "conflict",
      what === "stopped"
        ? "You cannot attach to a stopped container, start it first"
        : "You cannot attach to a restarting container, wait until it is running",
    );
  }
  const record = readRecord(paths, id);
  const watcher = watchContainer(directory);
  const position = options.logs ? 0 : logSize(directory);
  const input = openInput(paths, record, options, undefined);
  return new ContainerStream({ paths, record, options, input, watcher, position });
}

function logSize(directory: string): number {
  try {
    return Deno.statSync(`${directory}/log`).size;
  } catch {
    return 0;
  }
}

/** The way into a container. */
interface Input {
  fd: Fd;
  isTerminal: boolean;
}

function openInput(
  paths: StorePaths,
  record: ContainerRecord,
  options: AttachOptions,
  own: Fd | undefined,
): Input | undefined {
  const { Tty, OpenStdin } = record.config;
  // A terminal is wanted for its size even if nothing is typed.
  if (!Tty && !(options.stdin && OpenStdin)) {
    own?.close();
    return undefined;
  }
  const fd = own ?? askMonitor(paths, record.id, MONITOR_REQUEST.attach);
  if (fd === undefined) return undefined;
  if (Tty) return { fd, isTerminal: true };
  widenPipe(fd, 1 << 20);
  // A description of our own: the flag would else change what the monitor and others share.
  const reopened = open(`/proc/self/fd/${fd.number}`, O_WRONLY | O_NONBLOCK);
  fd.close();
  return { fd: reopened, isTerminal: false };
}

/** Sends a request to a container's monitor. @returns The descriptor it answered with. */
export function askMonitor(paths: StorePaths, id: string, request: number): Fd | undefined {
  using socket = unixSocket(SOCK_DGRAM);
  if (!connectUnix(socket, monitorSocket(paths, id))) return undefined;
  const [ours, theirs] = socketpair(SOCK_SEQPACKET);
  using _ours = ours;
  const sent = sendWithFd(socket, new Uint8Array([request]), theirs.number);
  theirs.close();
  return sent ? receiveFd(ours)?.fd : undefined;
}

interface StreamParts {
  paths: StorePaths;
  record: ContainerRecord;
  options: AttachOptions;
  input: Input | undefined;
  watcher: Watcher;
  /** Byte of the current log file to read from. */
  position: number;
  owner?: Fd | undefined;
  onEnd?: OnEnd;
}

class ContainerStream implements AttachedStream {
  readonly #parts: StreamParts;
  readonly #directory: string;
  #input: Input | undefined;
  #detached = false;
  #exitCode: Promise<number> | undefined;
  readonly #run: KeptRun;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#input = parts.input;
    this.#directory = containerDirectory(parts.paths, parts.record.id);
    this.#run = new KeptRun(this.#directory);
  }

  get output(): AsyncIterable<OutputChunk> {
    const { options, watcher, position } = this.#parts;
    const { stdout = true, stderr = true, signal } = options;
    return followLog(`${this.#directory}/log`, {
      stdout,
      stderr,
      position,
      changed: () => watcher.changed(),
      isEnded: () => this.#detached || hasEnded(this.#directory),
      ...signal && { signal },
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    const input = this.#input;
    if (input === undefined) throw new DhowError("conflict", "Cannot write: stdin is not open");
    const data = bytes as Uint8Array<ArrayBuffer>;
    const written = input.isTerminal
      ? await writeTerminal(input.fd, data)
      : await writePipe(input.fd, data);
    if (!written) throw new DhowError("conflict", "Cannot write: the container closed its stdin");
  }

  closeStdin(): void {
    const { paths, record } = this.#parts;
    if (this.#input === undefined || this.#input.isTerminal) return;
    this.#input.fd.close();
    this.#input = undefined;
    if (record.config.StdinOnce) {
      askMonitor(paths, record.id, MONITOR_REQUEST.closeStdin)?.close();
    }
  }

  resize(size: { rows: number; columns: number }): void {
    if (this.#input?.isTerminal) setTerminalSize(this.#input.fd, size);
  }

  async kill(signalName: string): Promise<void> {
    const { killContainer } = await lazy<typeof import("./stop.ts")>("./stop.ts", import.meta.url);
    killContainer(this.#parts.paths, this.#parts.record.id, signalName);
  }

  get exitCode(): Promise<number> {
    this.#exitCode ??= this.#waitForEnd();
    return this.#exitCode;
  }

  async #waitForEnd(): Promise<number> {
    const { paths, record, onEnd, options, owner } = this.#parts;
    await waitForEnd(this.#directory, options.signal);
    const recorded = this.#run.exitCode();
    this.#run[Symbol.dispose](); // the kernel takes ten times as long to remove what is open
    if (onEnd !== undefined && owner?.isOpen) {
      const code = await onEnd(paths, record);
      owner.close();
      return recorded ?? code;
    }
    return recorded ?? readState(this.#directory).exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { paths, record, onEnd, owner, watcher } = this.#parts;
    this.#detached = true;
    watcher[Symbol.dispose]();
    this.#run[Symbol.dispose]();
    this.#input?.fd.close();
    this.#input = undefined;
    if (owner?.isOpen) {
      owner.close();
      // It may have ended while we still were the owner: then nobody else tidies up.
      if (hasEnded(this.#directory)) await onEnd?.(paths, record);
    }
  }
}
