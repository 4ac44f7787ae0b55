/**
 * `RUN`: what it depends on, and doing it.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { isThere } from "../host/stat.ts";
import { lazy } from "../lib/lazy.ts";
import { hostPlatform } from "../lib/platform.ts";
import { FILE_MOUNT } from "../runtime/mount_options.ts";
import type { ImageConfig } from "../spec/image.ts";
import type { SpecMount } from "../spec/runtime.ts";
import type { RunInstruction } from "./dockerfile/ast.ts";
import { runText } from "./dockerfile/heredoc.ts";
import { type ConfigBuilder, shellOf } from "./image_config.ts";
import { type MountEnvironment, prepareMounts } from "./run_mounts.ts";
import type { BuildSession } from "./session.ts";
import type { FileStep } from "./step.ts";

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
      const { Run } = await lazy<typeof import("./run_perform.ts")>(
        "./run_perform.ts",
        import.meta.url,
      );
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
    args: [...shellOf(config.run), destination],
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
