/**
 * A container as scripts hold it: started by `run()`, gone when the block that holds it ends.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import { openLocalEngine } from "../engine/local.ts";
import { DhowError } from "../errors.ts";
import type { ContainerInspect } from "../spec/docker_api.ts";
import type { LogRecord, LogsOptions } from "../spec/streams.ts";
import { collect, Command } from "./command.ts";
import { type ContainerOptions, createRequest } from "./create_request.ts";

/** How to run a container from a script. */
export interface RunOptions extends ContainerOptions {
  /** Where to run it. @default the user's own store, opened for this call */
  engine?: Engine;
  /** Aborting stops and removes the container; what waits for it rejects. */
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
 * @throws {DhowError} `not_found` if the image is not in the store, `command_not_found`, ...; nothing is left then.
 */
export async function run(image: string, options: RunOptions = {}): Promise<Container> {
  const { engine = await openLocalEngine(), signal, keep = false, ...settings } = options;
  signal?.throwIfAborted();
  const { id } = await engine.containers.create(createRequest(image, settings));
  const container = new Container(engine, id, { keep, ...signal && { signal } });
  try {
    await engine.containers.start(id);
    signal?.throwIfAborted();
    return container;
  } catch (error) {
    await engine.containers.remove(id, { force: true, volumes: true });
    throw error;
  }
}

/** A started container. Disposing stops and removes it. */
export class Container implements AsyncDisposable {
  /** 64 hex digits. */
  readonly id: string;
  readonly #engine: Engine;
  readonly #keep: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => void this.remove().catch(() => {});

  /** Takes hold of a container that exists. */
  constructor(engine: Engine, id: string, options: { keep?: boolean; signal?: AbortSignal } = {}) {
    this.id = id;
    this.#engine = engine;
    this.#keep = options.keep ?? false;
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** A command in the container, to be awaited. */
  exec(command: readonly string[]): Command {
    const built = new Command(this.#engine, this.id, command);
    return this.#signal === undefined ? built : built.signal(this.#signal);
  }

  /** Its output so far, or with `follow` until it ends. */
  logs(options: LogsOptions = {}): AsyncIterable<LogRecord> {
    return this.#engine.containers.logs(this.id, { ...this.#signalled(), ...options });
  }

  /** All of its stdout as text, when it has ended. @throws {DhowError} `start_failed` if its exit code is not 0. */
  async text(): Promise<string> {
    const { stdout, stderr } = await collect(this.logs({ follow: true }));
    const exitCode = await this.wait();
    if (exitCode === 0) return new TextDecoder().decode(stdout).replace(/\n$/, "");
    const said = new TextDecoder().decode(stderr).trim();
    throw new DhowError(
      "start_failed",
      `Container ${this.id.slice(0, 12)} ended with ${exitCode}${said && `: ${said}`}`,
    );
  }

  /** Resolves with its exit code when it has ended. */
  async wait(): Promise<number> {
    return await this.#engine.containers.wait(this.id, this.#signalled());
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
  async remove(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    try {
      await this.#engine.containers.remove(this.id, { force: true, volumes: true });
    } catch (error) {
      if (!(error instanceof DhowError && error.code === "not_found")) throw error;
    }
  }

  #signalled(): { signal?: AbortSignal } {
    return this.#signal === undefined ? {} : { signal: this.#signal };
  }

  /** Stops and removes it, unless it was to be kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#keep) await this.remove();
  }
}
