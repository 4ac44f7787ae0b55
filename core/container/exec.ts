/**
 * `docker exec`: another process in a running container. The caller's process is its parent; nothing stays behind.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { Fd, open, pipe, poll, pollAsync, read, widenPipe } from "../../ffi/fd.ts";
import { pidfdExited, pidfdOpen, pidfdSendSignal, waitpid } from "../../ffi/process.ts";
import { receiveFd, socketpair } from "../../ffi/socket.ts";
import { setTerminalSize, writeTerminal } from "../../ffi/tty.ts";
import { lazy } from "../lib/lazy.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { isThere } from "../host/stat.ts";
import { allCapabilities } from "../runtime/capabilities.ts";
import { enter, type ExecGroup } from "../runtime/enter.ts";
import type { Stdio } from "../runtime/init_process.ts";
import { namespaceFlag } from "../runtime/namespace_flags.ts";
import { parseSecurityOptions } from "../runtime/security_options.ts";
import type { ExecConfig } from "../spec/docker_api.ts";
import type { Process, Spec } from "../spec/runtime.ts";
import type { AttachedStream, AttachOptions, OutputChunk } from "../spec/streams.ts";
import { logContainerEvent } from "./container_event.ts";
import { buildEnv } from "./create_spec.ts";
import { type HeldInit, holdInit, parseSignal } from "./kill.ts";
import { randomId } from "./names.ts";
import { writePipe } from "./pipe_writer.ts";
import { processFilter } from "./process_filter.ts";
import { containerDirectory, type ContainerRecord, readRecord } from "./record.ts";
import { readRootFile } from "./root_file.ts";
import { readState } from "./state.ts";
import { hasSingleId, loadSingleId } from "./start_extras.ts";
import { resolveUser } from "./users.ts";

/** Runs `config.Cmd` in container `id`, attached. @throws {DhowError} As `enter()`; `conflict` if it does not run. */
export async function execAttached(
  paths: StorePaths,
  id: string,
  config: ExecConfig,
  options: AttachOptions = {},
): Promise<AttachedStream> {
  using init = runningInit(paths, id);
  const record = readRecord(paths, id);
  using stack = new DisposableStack();
  const io = openStdio(config, options, stack);
  const events = execEvents(paths, record, config);
  events("exec_create");
  events("exec_start");
  const pid = await enterContainer(paths, record, init, config, io.stdio, false)
    .catch((error) => {
      for (const fd of [io.socket, io.stdin, io.stdout, io.stderr]) fd?.close();
      throw error;
    });
  const master = io.socket === undefined ? undefined : receiveFd(io.socket)?.fd;
  io.socket?.close();
  const stdin = master ?? io.stdin;
  return new ExecStream(pid, { master, stdin, stdout: io.stdout, stderr: io.stderr }, (code) => {
    events("exec_die", { exitCode: String(code) });
  });
}

/** Runs `config.Cmd` in container `id` and leaves it alone; its output goes nowhere. */
export async function execDetached(
  paths: StorePaths,
  id: string,
  config: ExecConfig,
): Promise<void> {
  using init = runningInit(paths, id);
  const record = readRecord(paths, id);
  using devNull = open("/dev/null", C.O_RDWR);
  const fd = devNull.number;
  const events = execEvents(paths, record, config);
  events("exec_create");
  events("exec_start");
  const stdio: Stdio = { kind: "fds", stdin: fd, stdout: fd, stderr: fd };
  await enterContainer(paths, record, init, config, stdio, true);
}

function execEvents(
  paths: StorePaths,
  record: ContainerRecord,
  config: ExecConfig,
): (action: string, more?: Record<string, string>) => void {
  const execID = randomId();
  return (action, more = {}) => {
    const named = action === "exec_die" ? action : `${action}: ${config.Cmd.join(" ")}`;
    logContainerEvent(paths, record, named, { execID, ...more });
  };
}

function runningInit(paths: StorePaths, id: string): HeldInit {
  const directory = containerDirectory(paths, id);
  const init = holdInit(directory);
  if (init?.state.status === "running") return init;
  init?.[Symbol.dispose]();
  const { status } = readState(directory);
  throw new DhowError(
    "conflict",
    status === "paused"
      ? `container ${id} is paused, unpause the container before exec`
      : status === "restarting"
      ? `Container ${id} is restarting, wait until the container is running`
      : `container ${id} is not running`,
  );
}

async function enterContainer(
  paths: StorePaths,
  record: ContainerRecord,
  init: HeldInit,
  config: ExecConfig,
  stdio: Stdio,
  detached: boolean,
): Promise<number> {
  const directory = containerDirectory(paths, record.id);
  const spec = readSpec(directory);
  const links = await linkVariables(paths, record);
  const process = execProcess(record, spec, init.pid, { config, links });
  const { seccomp } = parseSecurityOptions(record.hostConfig.SecurityOpt);
  const isUnconfined = config.Privileged || record.hostConfig.Privileged ||
    seccomp === "unconfined";
  const capabilities = spec.process.capabilities?.bounding ?? [];
  const single = hasSingleId(spec) ? await loadSingleId() : undefined;
  using stack = new DisposableStack();
  const asks = single?.ownerService(stack, init.pidfd.number);
  const answers = asks === undefined ? "answers" : "asks";
  const singleId = single !== undefined && answers;
  process.env.push(...single?.SINGLE_ID_ENV ?? []);
  const namespaces = spec.linux.namespaces.reduce((flags, { type }) => {
    return flags | namespaceFlag(type);
  }, C.CLONE_NEWUSER);
  using group = await groupFor(directory);
  return await enter({
    process,
    ...group && { group },
    options: {
      stdio,
      seccomp: await processFilter(paths, { isUnconfined, seccomp, capabilities, singleId }),
      singleId: singleId !== false,
      ...asks !== undefined && { asks },
      cpus: record.hostConfig.CpusetCpus,
      makeCwd: false,
      dieWithParent: false,
    },
    init: init.pidfd.number,
    namespaces,
    detached,
  });
}

/** How to get into the container's control group, where it has one. */
async function groupFor(directory: string): Promise<(ExecGroup & Disposable) | null> {
  if (!isThere(`${directory}/cgroup.json`)) return null;
  const { execGroup } = await lazy<typeof import("./groups.ts")>("./groups.ts", import.meta.url);
  return execGroup(directory) ?? null;
}

function readSpec(directory: string): Spec {
  return JSON.parse(Deno.readTextFileSync(`${directory}/config.json`));
}

/** What the container's own process was told of containers it is linked to. */
async function linkVariables(paths: StorePaths, record: ContainerRecord): Promise<string[]> {
  if (!record.hostConfig.Links?.length) return [];
  const { resolveLinks } = await lazy<typeof import("./links.ts")>("./links.ts", import.meta.url);
  try {
    return resolveLinks(paths, record).env;
  } catch (error) {
    if (error instanceof DhowError) return []; // a container linked to is gone
    throw error;
  }
}

/** The container's own process with what the exec asks for instead. */
function execProcess(
  record: ContainerRecord,
  spec: Spec,
  pid: number,
  { config, links }: { config: ExecConfig; links: readonly string[] },
): Process {
  const user = resolveUser(
    config.User || record.config.User,
    (path) => readRootFile(`/proc/${pid}/root`, path),
    record.hostConfig.GroupAdd ?? [],
  );
  const { oomScoreAdj: _score, consoleSize: _size, terminal: _tty, ...own } = spec.process;
  const env = [...links, ...record.config.Env ?? [], ...config.Env ?? []];
  const process: Process = {
    ...own,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: config.Cmd,
    env: buildEnv({ ...record.config, Env: env, Tty: config.Tty }, user),
    cwd: config.WorkingDir || spec.process.cwd,
  };
  if (config.Privileged) {
    const all = allCapabilities();
    process.capabilities = { bounding: all, effective: all, permitted: all };
  }
  return process;
}

/** Our ends of an exec's streams. */
interface ExecIo {
  stdio: Stdio;
  socket: Fd | undefined;
  stdin: Fd | undefined;
  stdout: Fd | undefined;
  stderr: Fd | undefined;
}

function openStdio(config: ExecConfig, options: AttachOptions, stack: DisposableStack): ExecIo {
  if (config.Tty) {
    const [socket, theirs] = socketpair(C.SOCK_SEQPACKET);
    stack.use(theirs);
    const [rows, columns] = config.ConsoleSize ?? [0, 0];
    const size = options.consoleSize ?? { rows, columns };
    const stdio: Stdio = { kind: "terminal", socket: theirs.number, size, console: false };
    return { stdio, socket, stdin: undefined, stdout: undefined, stderr: undefined };
  }
  const devNull = stack.use(open("/dev/null", C.O_RDWR));
  const stdout = pipe(), stderr = pipe();
  stack.use(stdout.write);
  stack.use(stderr.write);
  widenPipe(stdout.write, 1 << 20);
  const stdin = config.AttachStdin ? pipe() : undefined;
  if (stdin !== undefined) {
    stack.use(stdin.read);
    widenPipe(stdin.write, 1 << 20);
  }
  return {
    stdio: {
      kind: "fds",
      stdin: stdin?.read.number ?? devNull.number,
      stdout: stdout.write.number,
      stderr: stderr.write.number,
    },
    socket: undefined,
    stdin: stdin === undefined ? undefined : reopenNonBlocking(stdin.write),
    stdout: stdout.read,
    stderr: stderr.read,
  };
}

/** The same pipe's end, non-blocking for us alone. */
function reopenNonBlocking(fd: Fd): Fd {
  using old = fd;
  return open(`/proc/self/fd/${old.number}`, C.O_WRONLY | C.O_NONBLOCK);
}

interface ExecFds {
  master: Fd | undefined;
  stdin: Fd | undefined;
  stdout: Fd | undefined;
  stderr: Fd | undefined;
}

class ExecStream implements AttachedStream {
  readonly #pid: number;
  readonly #pidfd: Fd | undefined;
  readonly #fds: ExecFds;
  readonly exitCode: Promise<number>;

  constructor(pid: number, fds: ExecFds, onExit: (code: number) => void) {
    this.#pid = pid;
    this.#fds = fds;
    this.#pidfd = pidfdOpen(pid);
    this.exitCode = this.#reap(onExit);
  }

  async #reap(onExit: (code: number) => void): Promise<number> {
    if (this.#pidfd !== undefined) await pidfdExited(this.#pidfd);
    const { exitCode } = waitpid(this.#pid);
    this.#pidfd?.close();
    onExit(exitCode);
    return exitCode;
  }

  /** Ends when every copy of the streams is closed, or the process is gone and nothing more comes. */
  get output(): AsyncIterable<OutputChunk> {
    return this.#read();
  }

  async *#read(): AsyncGenerator<OutputChunk> {
    const { master, stdout, stderr } = this.#fds;
    const sources = [
      ...master ? [{ fd: master, stream: "stdout" as const }] : [],
      ...stdout ? [{ fd: stdout, stream: "stdout" as const }] : [],
      ...stderr ? [{ fd: stderr, stream: "stderr" as const }] : [],
    ];
    const buffer = new Uint8Array(1 << 16);
    let exited = false;
    this.exitCode.then(() => exited = true, () => exited = true);
    while (sources.length > 0) {
      const set = sources.map(({ fd }) => ({ fd: fd.number, events: C.POLLIN }));
      let ready = poll(set, 0);
      if (ready.every((events) => events === 0)) {
        if (exited) return; // a process left in the background may hold them open for ever
        const woken = await Promise.race([pollAsync(set, 1000), this.exitCode.then(() => [])]);
        if (woken.length === 0) continue;
        ready = woken;
      }
      for (const [i, events] of [...ready.entries()].reverse()) {
        if (events === 0) continue;
        const { fd, stream } = sources[i]!;
        const n = readOrEnd(fd, buffer);
        if (n > 0) yield { stream, bytes: buffer.slice(0, n) };
        else sources.splice(i, 1);
      }
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { stdin, master } = this.#fds;
    if (!stdin?.isOpen) throw new DhowError("conflict", "Cannot write: stdin is not open");
    const data = bytes as Uint8Array<ArrayBuffer>;
    const written = master ? await writeTerminal(stdin, data) : await writePipe(stdin, data);
    if (!written) throw new DhowError("conflict", "Cannot write: the process closed its stdin");
  }

  closeStdin(): void {
    if (this.#fds.master === undefined) this.#fds.stdin?.close();
  }

  resize(size: { rows: number; columns: number }): void {
    if (this.#fds.master?.isOpen) setTerminalSize(this.#fds.master, size);
  }

  kill(signalName: string): Promise<void> {
    if (this.#pidfd?.isOpen) pidfdSendSignal(this.#pidfd, parseSignal(signalName));
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const fd of Object.values(this.#fds) as (Fd | undefined)[]) fd?.close();
    return Promise.resolve();
  }
}

/** A terminal whose other side is closed reads as EIO. */
function readOrEnd(fd: Fd, buffer: Uint8Array<ArrayBuffer>): number {
  try {
    return read(fd.number, buffer);
  } catch (error) {
    if ((error as { code?: string }).code === "EIO") return 0;
    throw error;
  }
}
