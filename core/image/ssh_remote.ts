/**
 * dhow on another machine, reached by ssh(1).
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { FrameChannel } from "./ssh_frames.ts";

/** `ssh://[USER@]HOST[:PORT][/REFERENCE]`, taken apart. */
export interface SshTarget {
  user?: string;
  host: string;
  port?: number;
  /** Empty if it names no image. */
  reference: string;
}

const SCHEME = "ssh://";

/** Whether a name is one of another machine. */
export function isSshTarget(text: string): boolean {
  return text.startsWith(SCHEME);
}

/**
 * Takes a target apart.
 *
 * @throws {DhowError} `invalid_argument`, also for what ssh(1) would take for an option.
 */
export function parseSshTarget(text: string): SshTarget {
  const match =
    /^ssh:\/\/(?:([A-Za-z0-9_][\w.+-]*)@)?([A-Za-z0-9][\w.-]*|\[[0-9a-fA-F:.]+(?:%\w+)?\])(?::(\d{1,5}))?(?:\/(.*))?$/
      .exec(text);
  const port = match?.[3] === undefined ? undefined : Number(match[3]);
  if (match === null || port !== undefined && (port < 1 || port > 65535)) {
    throw new DhowError(
      "invalid_argument",
      `invalid address "${text}": it must be ssh://[USER@]HOST[:PORT]/IMAGE[:TAG]`,
    );
  }
  const [, user, host, , reference = ""] = match;
  return {
    ...user !== undefined && { user },
    host: host!.replace(/^\[|\]$/g, ""),
    ...port !== undefined && { port },
    reference,
  };
}

/** How to reach it. */
export interface RemoteOptions {
  /** The program there. @default `$DHOW_REMOTE`, else `dhow` on its PATH */
  remoteDhow?: string;
  signal?: AbortSignal;
}

/** A dhow there that receives or sends. */
export interface RemoteDhow extends AsyncDisposable {
  channel: FrameChannel;
  /** Turns a broken connection into the reason, where ssh or the shell there gave one. */
  explain(error: unknown): Promise<unknown>;
}

/** Starts `dhow __transfer VERB` there. @throws {DhowError} `unsupported` if there is no ssh here. */
export function openRemote(
  target: SshTarget,
  verb: "receive" | "send",
  options: RemoteOptions = {},
): RemoteDhow {
  const program = options.remoteDhow || Deno.env.get("DHOW_REMOTE") || "dhow";
  const child = spawn([
    "-T",
    ...target.port === undefined ? [] : ["-p", String(target.port)],
    ...target.user === undefined ? [] : ["-l", target.user],
    "--",
    target.host,
    `${shellQuoted(program)} __transfer ${verb}`,
  ], options.signal);
  const channel = new FrameChannel({ readable: child.stdout, writable: child.stdin });
  return {
    channel,
    async explain(error) {
      if (!(error instanceof DhowError) || error.code !== "unavailable") return error;
      await channel.close();
      const { code } = await child.status;
      if (options.signal?.aborted) return options.signal.reason;
      return reasonFor(code, { program, host: target.host }) ?? error;
    },
    async [Symbol.asyncDispose]() {
      await channel.close();
      await child.status;
    },
  };
}

function spawn(args: string[], signal: AbortSignal | undefined): Deno.ChildProcess {
  const ssh = Deno.env.get("DHOW_SSH") || "ssh";
  try {
    return new Deno.Command(ssh, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
      ...signal && { signal },
    }).spawn();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    const message = `Cannot run "${ssh}": it is not installed; install the package openssh-client`;
    throw new DhowError("unsupported", message, { cause });
  }
}

function reasonFor(code: number, { program, host }: { program: string; host: string }) {
  if (code === 255) {
    return new DhowError("unavailable", `Cannot reach "${host}" by ssh; it said why above`);
  }
  if (code !== 126 && code !== 127) return undefined;
  return new DhowError(
    "not_found",
    `Cannot run "${program}" on "${host}"; install dhow there, or say where it is: --remote-dhow PATH`,
  );
}

function shellQuoted(text: string): string {
  return /^[\w./+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
