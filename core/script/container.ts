/**
 * A container as scripts hold it: started by `run()`, gone when the block that holds it ends.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import { openLocalEngine } from "../engine/local.ts";
import { DhowError } from "../errors.ts";
import type { ContainerInspect } from "../spec/docker_api.ts";
import type { AttachedStream, AttachOptions, LogRecord, LogsOptions } from "../spec/streams.ts";
import { collect, Command, CommandError } from "./command.ts";
import { type ContainerOptions, createRequest } from "./create_request.ts";

/** How to run a container from a script. */
export interface RunOptions extends ContainerOptions {
  /** Where to run it. @default the user's own store, opened for this call */
  engine?: Engine;
  /** Aborting kills and removes the container, also a kept one; what waits for it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Keep the container when the block ends. @default false */
  keep?: boolean;
}

/**
 * Starts a container.
 *
 * @example
 * ```ts ignore
 * await using web = await run("busybox", { cmd: ["httpd", "-f"] });
 * console.log(await web.exec(["hostname"]).text());
 * ```
 *
 * @throws {DhowError} `not_found` if the image is not in the store, `command_not_found`, `conflict` if the name is
 * taken, ...; nothing is left then.
 * @throws The signal's reason if it aborted; nothing is left then.
 */
export async function run(image: string, options: RunOptions = {}): Promise<Container> {
  const { engine = await openLocalEngine(), signal, keep = false, ...settings } = options;
  signal?.throwIfAborted();
  const { id } = await engine.containers.create(createRequest(image, settings));
  try {
    signal?.throwIfAborted();
    await engine.containers.start(id);
    signal?.throwIfAborted();
  } catch (error) {
    await new Container(engine, id).remove().catch((second) => {
      throw new SuppressedError(second, error, `${message(error)}; then ${message(second)}`);
    });
    throw error;
  }
  return new Container(engine, id, { keep, ...signal && { signal } });
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A started container. Disposing kills and removes it. */
export class Container implements AsyncDisposable {
  /** 64 hex digits. */
  readonly id: string;
  readonly #engine: Engine;
  readonly #keep: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => void this.remove().catch(() => {});
  #removal: Promise<void> | undefined;

  /** Takes hold of a container that exists. */
  constructor(engine: Engine, id: string, options: { keep?: boolean; signal?: AbortSignal } = {}) {
    this.id = id;
    this.#engine = engine;
    this.#keep = options.keep ?? false;
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** A command in the container, to be awaited; the container's signal kills it too. */
  exec(command: readonly string[]): Command {
    const built = new Command(this.#engine, this.id, command);
    return this.#signal === undefined ? built : built.signal(this.#signal);
  }

  /**
   * Attaches to its main process: `stream.output`, and with `stdin` (and `openStdin` when it was started)
   * `stream.write()`. Output begins here; `logs` replays what came before.
   */
  attach(options: AttachOptions = {}): Promise<AttachedStream> {
    return this.#engine.containers.attach(this.id, { ...this.#signalled(), ...options });
  }

  /** Its output so far, or with `follow` until it ends. */
  logs(options: LogsOptions = {}): AsyncIterable<LogRecord> {
    return this.#engine.containers.logs(this.id, { ...this.#signalled(), ...options });
  }

  /** All of its stdout as text, when it has ended. @throws {CommandError} if its exit code is not 0. */
  async text(): Promise<string> {
    const { stdout, stderr } = await collect(this.logs({ follow: true }));
    const exitCode = await this.wait();
    if (exitCode !== 0) {
      const { Path, Args } = await this.inspect();
      throw new CommandError([Path, ...Args], { exitCode, stdout, stderr });
    }
    return new TextDecoder().decode(stdout).replace(/\n$/, "");
  }

  /** Resolves with its exit code when it has ended. */
  async wait(): Promise<number> {
    const exitCode = await this.#engine.containers.wait(this.id, this.#signalled());
    // The abort may have removed it before the engine began to wait.
    this.#signal?.throwIfAborted();
    return exitCode;
  }

  /** What docker inspect shows. */
  async inspect(): Promise<ContainerInspect> {
    return await this.#engine.containers.inspect(this.id);
  }

  /** Asks it to stop, kills it after the timeout. */
  async stop(options: { timeoutSeconds?: number } = {}): Promise<void> {
    await this.#engine.containers.stop(this.id, options);
  }

  /** Sends a signal to its main process. */
  async kill(signalName = "KILL"): Promise<void> {
    await this.#engine.containers.kill(this.id, signalName);
  }

  /** Kills and removes it, with its anonymous volumes. Gone already is fine. */
  remove(): Promise<void> {
    this.#release();
    this.#removal ??= this.#remove();
    return this.#removal;
  }

  async #remove(): Promise<void> {
    try {
      await this.#engine.containers.remove(this.id, { force: true, volumes: true });
    } catch (error) {
      if (error instanceof DhowError && error.code === "not_found") return;
      this.#removal = undefined; // worth another try
      throw error;
    }
  }

  #release(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  #signalled(): { signal?: AbortSignal } {
    return this.#signal === undefined ? {} : { signal: this.#signal };
  }

  /** Kills and removes it, unless it was to be kept; the signal has no say over it any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#release();
    if (!this.#keep || this.#removal !== undefined) await this.remove();
  }
}
