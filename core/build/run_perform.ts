/**
 * Doing a RUN: its mounts, its container, what stays of it.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { isDirectory } from "../host/stat.ts";
import type { Ulimit } from "../spec/docker_api.ts";
import type { SpecMount } from "../spec/runtime.ts";
import { BuildError } from "./build_error.ts";
import { cleanUpper, isForeign } from "./clean_upper.ts";
import { runContainer } from "./run_container.ts";
import type { PreparedMount } from "./run_mounts.ts";
import type { BuildSession } from "./session.ts";
import { useLowers } from "./sources.ts";
import type { StageState } from "./state.ts";

/** How much of a step's output goes with its error. */
const TAIL_BYTES = 64 * 1024;
/** What the engine's own mounts may make in a root. */
const PLACES = ["etc/resolv.conf", "etc/hosts", "etc/hostname", "dev", "proc", "sys"];

/** `nofile=1024:2048` as docker's API has it. */
export function parseUlimit(text: string): Ulimit {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (match === null) throw new DhowError("invalid_argument", `invalid ulimit argument: ${text}`);
  return { Name: match[1]!, Soft: Number(match[2]), Hard: Number(match[3] ?? match[2]) };
}

/** What decides how a command runs, but for the files. */
export interface RunSettings {
  mounts: PreparedMount[];
  args: string[];
  cwd: string;
  user: string;
  network: string;
  isPrivileged: boolean;
}

/** One RUN being done. */
export class Run {
  readonly #session: BuildSession;
  readonly #settings: RunSettings;
  #tail = new Uint8Array();

  constructor(session: BuildSession, settings: RunSettings) {
    this.#session = session;
    this.#settings = settings;
  }

  async perform(
    state: StageState,
    work: {
      env: string[];
      script: SpecMount | undefined;
      upper: string;
      id: string;
      signal: AbortSignal | undefined;
    },
  ): Promise<void> {
    const session = this.#session;
    const directory = session.newDirectory();
    await Deno.mkdir(directory, { mode: 0o700 });
    await Deno.mkdir(work.upper, { mode: 0o755 });
    await Deno.chmod(work.upper, 0o755); // becomes the root directory's mode
    using stack = new DisposableStack();
    const mounts: SpecMount[] = work.script === undefined ? [] : [work.script];
    const env = [...work.env];
    for (const prepared of this.#settings.mounts) {
      const opened = await prepared.open(stack, directory);
      mounts.push(...opened.mounts);
      env.push(...opened.env);
    }
    mounts.sort((a, b) => depth(a) - depth(b));
    const { base, names } = useLowers(session, state.layers, stack);
    const lowers = names.map((name) => `${base}/${name}`);
    const run = async (joined?: Parameters<typeof runContainer>[2]["joined"]) => {
      const { args, cwd, user, network, isPrivileged } = this.#settings;
      const { addHosts, shmSizeBytes, ulimits } = session.request;
      return await runContainer(session.paths, (await session.open()).namespace, {
        directory,
        root: { kind: session.overlay, base, names, lowers, upper: work.upper },
        args,
        env,
        cwd,
        user,
        mounts,
        ...joined && { joined },
        network,
        privileged: isPrivileged,
        addHosts,
        ...shmSizeBytes !== undefined && { shmSizeBytes },
        ulimits: ulimits.map(parseUlimit),
        onOutput: (stream, bytes) => this.#log(work.id, stream, bytes),
        signal: work.signal,
      });
    };
    const code = await this.#explain(async () =>
      this.#settings.network === "bridge" ? await (await session.networks()).use(run) : await run()
    );
    if (code !== 0) throw this.#failure(`exit code: ${code}`);
    await this.#clean(work.upper, lowers, mounts);
  }

  #log(id: string, stream: "stdout" | "stderr", bytes: Uint8Array<ArrayBuffer>): void {
    const whole = new Uint8Array(this.#tail.length + bytes.length);
    whole.set(this.#tail);
    whole.set(bytes, this.#tail.length);
    this.#tail = whole.slice(-TAIL_BYTES);
    this.#session.emit({ kind: "log", id, stream, bytes, timeMs: Date.now() });
  }

  /** Puts BuildKit's words around what kept the command from being started. */
  async #explain(work: () => Promise<number>): Promise<number> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DhowError) || error.code === "aborted") throw error;
      throw this.#failure(error.message, error);
    }
  }

  #failure(why: string, cause?: DhowError): BuildError {
    const command = this.#settings.args.join(" ");
    return new BuildError(
      cause?.code ?? "conflict",
      `process "${command}" did not complete successfully: ${why}`,
      { output: this.#tail, cause },
    );
  }

  /** Takes away what only the mounts needed. */
  async #clean(upper: string, lowers: string[], mounts: readonly SpecMount[]): Promise<void> {
    const places = [...PLACES, ...mounts.map(({ destination }) => destination)];
    try {
      cleanUpper(upper, lowers, places);
    } catch (error) {
      if (!isForeign(error)) throw error;
      await this.#session.helper.do({ kind: "clean", upper, lowers, places });
    }
    if (!isDirectory(upper)) throw new DhowError("internal", "Cannot find what a RUN has written");
  }
}

function depth({ destination }: SpecMount): number {
  return destination.split("/").filter((part) => part !== "").length;
}
