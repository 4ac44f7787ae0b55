/**
 * `RUN`: what it depends on, and doing it.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { isDirectory, isThere } from "../host/stat.ts";
import { hostPlatform } from "../lib/platform.ts";
import { FILE_MOUNT } from "../runtime/mount_options.ts";
import type { ImageConfig } from "../spec/image.ts";
import type { SpecMount } from "../spec/runtime.ts";
import type { Ulimit } from "../spec/docker_api.ts";
import { BuildError } from "./build_error.ts";
import { cleanUpper, isForeign } from "./clean_upper.ts";
import type { RunInstruction } from "./dockerfile/ast.ts";
import { runText } from "./dockerfile/heredoc.ts";
import { type ConfigBuilder, shellOf } from "./image_config.ts";
import { linkBase } from "./layers.ts";
import { runContainer } from "./run_container.ts";
import { type MountEnvironment, type PreparedMount, prepareMounts } from "./run_mounts.ts";
import type { BuildSession } from "./session.ts";
import { useNames } from "./sources.ts";
import type { StageState } from "./state.ts";
import type { FileStep } from "./step.ts";

/** How much of a step's output goes with its error. */
const TAIL_BYTES = 64 * 1024;
/** What the engine's own mounts may make in a root. */
const PLACES = ["etc/resolv.conf", "etc/hosts", "etc/hostname", "dev", "proc", "sys"];

/** What a RUN sees besides the files. */
export interface RunEnvironment extends MountEnvironment {
  /** What is seen, `NAME=value`, and what the cache key does not know: proxies. */
  variables: { keyed: string[]; unkeyed: string[] };
  /** For the history: all arguments that are set. */
  args: readonly [string, string][];
}

/** Makes a step of a RUN whose words are plain. @throws {DhowError} For what is not allowed or missing. */
export async function runStep(
  instruction: RunInstruction,
  config: ConfigBuilder,
  environment: RunEnvironment,
): Promise<FileStep> {
  const { session, variables } = environment;
  const { request } = session;
  assertRunnable(config.config);
  const { args, script } = commandOf(instruction, config);
  const network = networkOf(instruction, session);
  const isPrivileged = instruction.security === "insecure";
  if (isPrivileged) assertAllowed(session, "security.insecure");
  const mounts = await prepareMounts(instruction.mounts, environment);
  const env = variables.keyed;
  const cwd = config.workingDirectory;
  const user = config.run.User ?? "";
  const { addHosts, shmSizeBytes, ulimits } = request;
  const key = [
    "run",
    args,
    script?.file?.content.toBase64(),
    env,
    cwd,
    user,
    network,
    isPrivileged,
    mounts.map(({ key }) => key),
    [addHosts, shmSizeBytes, ulimits],
  ];
  const count = environment.args.length;
  const shown = count === 0
    ? ""
    : `|${count} ${environment.args.map(([name, value]) => `${name}=${value}`).join(" ")} `;
  return {
    key: () => Promise.resolve(key),
    type: "regular",
    createdBy: `RUN ${shown}${args.join(" ")} # buildkit`,
    perform: async (state, work) => {
      const run = new Run(session, { mounts, args, cwd, user, network, isPrivileged });
      await run.perform(state, {
        env: [...env, ...variables.unkeyed],
        script,
        upper: work.upper,
        id: work.id,
        signal: environment.signal,
      });
    },
  };
}

function commandOf(
  { command, heredocs }: RunInstruction,
  config: ConfigBuilder,
): { args: string[]; script?: SpecMount } {
  if (command.form === "exec") return { args: [...command.args] };
  const { text, isScript } = runText(command.text, heredocs);
  if (!isScript) return { args: [...shellOf(config.run), text] };
  const destination = `/dev/pipes/${heredocs[0]!.name}`;
  const content = new TextEncoder().encode(text);
  return {
    args: [destination],
    script: { destination, type: FILE_MOUNT, file: { content, mode: 0o755, uid: 0, gid: 0 } },
  };
}

/** @throws {DhowError} `unsupported`, with the remedy, if this machine cannot execute the image's programs. */
function assertRunnable({ architecture, os }: ImageConfig): void {
  const interpreters: Record<string, string> = { amd64: "x86_64", arm64: "aarch64", "386": "i386" };
  const host = hostPlatform().architecture;
  if (architecture === host || architecture === "386" && host === "amd64") return;
  const name = `qemu-${interpreters[architecture] ?? architecture}`;
  if (isThere(`/proc/sys/fs/binfmt_misc/${name}`)) return;
  throw new DhowError(
    "unsupported",
    `Cannot run programs for ${os}/${architecture} here: the kernel knows no interpreter for them; install one (Debian packages qemu-user-static and binfmt-support), or use RUN only in stages FROM --platform=$BUILDPLATFORM`,
  );
}

function networkOf({ network = "default" }: RunInstruction, session: BuildSession): string {
  const asked = network === "default" ? session.request.network : network;
  if (asked === "" || asked === "default" || asked === "bridge") return "bridge";
  if (network === "host") assertAllowed(session, "network.host");
  if (asked === "host" || asked === "none") return asked;
  throw new DhowError("unsupported", `network mode "${asked}" not supported by buildkit`);
}

function assertAllowed({ request }: BuildSession, entitlement: string): void {
  if (request.entitlements.includes(entitlement)) return;
  throw new DhowError("invalid_argument", `${entitlement} is not allowed`);
}

/** `nofile=1024:2048` as docker's API has it. */
export function parseUlimit(text: string): Ulimit {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (match === null) throw new DhowError("invalid_argument", `invalid ulimit argument: ${text}`);
  return { Name: match[1]!, Soft: Number(match[2]), Hard: Number(match[3] ?? match[2]) };
}

interface RunSettings {
  mounts: PreparedMount[];
  args: string[];
  cwd: string;
  user: string;
  network: string;
  isPrivileged: boolean;
}

class Run {
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
    const names = useNames(state.layers, stack);
    const base = linkBase(session.place);
    const lowers = names.map((name) => `${base}/${name}`);
    const run = async (joined?: Parameters<typeof runContainer>[2]["joined"]) => {
      const { args, cwd, user, network, isPrivileged } = this.#settings;
      const { addHosts, shmSizeBytes, ulimits } = session.request;
      return await runContainer(session.paths, (await session.open()).namespace, {
        directory,
        root: { base, names, lowers, upper: work.upper },
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
