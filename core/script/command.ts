/**
 * A command in a running container: built step by step, run when it is awaited.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import { DhowError } from "../errors.ts";
import { concat } from "../lib/concat.ts";
import type { AttachedStream, OutputChunk } from "../spec/streams.ts";

/** What a command left. */
export interface CommandResult {
  /** 128 and the signal's number if a signal ended it. */
  exitCode: number;
  /** All it wrote there. */
  stdout: Uint8Array;
  /** All it wrote there. */
  stderr: Uint8Array;
}

/** A command that ended with another exit code than 0. */
export class CommandError extends Error {
  /** Never 0. */
  readonly exitCode: number;
  /** Everything it left. */
  readonly result: CommandResult;

  /**
   * Says what failed, and what it wrote to stderr.
   *
   * @param command The command and its arguments.
   */
  constructor(command: readonly string[], result: CommandResult) {
    const said = decode(result.stderr).trim();
    super(`Command ${JSON.stringify(command)} ended with ${result.exitCode}${said && `: ${said}`}`);
    this.name = "CommandError";
    this.exitCode = result.exitCode;
    this.result = result;
  }
}

interface Settings {
  command: string[];
  env: string[];
  user: string;
  cwd: string;
  input: Uint8Array | undefined;
  throws: boolean;
  signal: AbortSignal | undefined;
}

/**
 * A command to run in a container. Each method answers a changed copy; awaiting one, or asking for its output, runs it.
 *
 * @example
 * ```ts ignore
 * const version = await container.exec(["cat", "/etc/os-release"]).user("nobody").text();
 * const { exitCode } = await container.exec(["false"]).noThrow();
 * ```
 */
export class Command implements PromiseLike<CommandResult> {
  readonly #engine: Engine;
  readonly #container: string;
  readonly #settings: Settings;

  /**
   * Runs nothing yet.
   *
   * @param container Its id.
   */
  constructor(engine: Engine, container: string, command: readonly string[]) {
    this.#engine = engine;
    this.#container = container;
    this.#settings = {
      command: [...command],
      env: [],
      user: "",
      cwd: "",
      input: undefined,
      throws: true,
      signal: undefined,
    };
  }

  #with(change: Partial<Settings>): Command {
    const copy = new Command(this.#engine, this.#container, []);
    Object.assign(copy.#settings, this.#settings, change);
    return copy;
  }

  /** Adds environment variables. */
  env(variables: Record<string, string>): Command {
    const added = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    return this.#with({ env: [...this.#settings.env, ...added] });
  }

  /** Runs it as another user: `name`, `uid`, `user:group`. */
  user(user: string): Command {
    return this.#with({ user });
  }

  /** Runs it in another directory. */
  cwd(path: string): Command {
    return this.#with({ cwd: path });
  }

  /** Gives it something to read. */
  stdin(input: string | Uint8Array): Command {
    return this.#with({
      input: typeof input === "string" ? new TextEncoder().encode(input) : input,
    });
  }

  /** An exit code other than 0 is an answer, not an error. */
  noThrow(): Command {
    return this.#with({ throws: false });
  }

  /** Kills it when `signal` aborts, and rejects with the signal's reason. Several signals add up. */
  signal(signal: AbortSignal): Command {
    const others = this.#settings.signal;
    return this.#with({ signal: others ? AbortSignal.any([others, signal]) : signal });
  }

  /** Its stdout as text, without the final newline. @throws {CommandError} if it fails. */
  async text(): Promise<string> {
    return decode((await this).stdout).replace(/\n$/, "");
  }

  /** Its stdout as JSON. @throws {CommandError} if it fails; `SyntaxError` if it is none. */
  async json<T = unknown>(): Promise<T> {
    return JSON.parse(decode((await this).stdout));
  }

  /** Its stdout, line by line. @throws {CommandError} if it fails. */
  async lines(): Promise<string[]> {
    const text = await this.text();
    return text === "" ? [] : text.split("\n");
  }

  /**
   * Runs it; so awaiting a command twice runs it twice.
   *
   * Rejects with {@linkcode CommandError} if its exit code is not 0, with {@linkcode DhowError} if it could not be
   * started (`command_not_found`, `conflict` if the container does not run), with the signal's reason if that aborted.
   */
  then<A = CommandResult, B = never>(
    onfulfilled?: ((result: CommandResult) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B> {
    return this.#run().then(onfulfilled, onrejected);
  }

  async #run(): Promise<CommandResult> {
    const { command, input, throws, signal } = this.#settings;
    signal?.throwIfAborted();
    await using stream = await this.#start();
    const kill = () => void stream.kill("KILL").catch(() => {});
    signal?.addEventListener("abort", kill);
    if (signal?.aborted) kill();
    try {
      const [{ stdout, stderr }] = await Promise.all([
        collect(stream.output),
        input === undefined ? undefined : feed(stream, input),
      ]);
      const result = { exitCode: await stream.exitCode, stdout, stderr };
      signal?.throwIfAborted();
      if (throws && result.exitCode !== 0) throw new CommandError(command, result);
      return result;
    } finally {
      signal?.removeEventListener("abort", kill);
    }
  }

  #start(): Promise<AttachedStream> {
    const { command, env, user, cwd, input } = this.#settings;
    return this.#engine.containers.exec(this.#container, {
      AttachStdin: input !== undefined,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
      Env: env,
      Cmd: command,
      Privileged: false,
      User: user,
      WorkingDir: cwd,
    });
  }
}

/** Writes all and closes; a command that does not read it all is none of our business. */
async function feed(
  stream: { write(bytes: Uint8Array): Promise<void>; closeStdin(): void },
  input: Uint8Array,
): Promise<void> {
  try {
    await stream.write(input);
  } catch (error) {
    if (!(error instanceof DhowError)) throw error;
  }
  stream.closeStdin();
}

/** Gathers output whole. */
export async function collect(
  output: AsyncIterable<OutputChunk>,
): Promise<{ stdout: Uint8Array; stderr: Uint8Array }> {
  const parts: Record<"stdout" | "stderr", Uint8Array[]> = { stdout: [], stderr: [] };
  for await (const { stream, bytes } of output) parts[stream].push(bytes);
  return { stdout: concat(parts.stdout), stderr: concat(parts.stderr) };
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
