/**
 * The init of `--init`: a static executable, made for each start, that runs the container's command as its child,
 * passes signals on, reaps orphans, and ends as the command ends. What docker-init (tini) does.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { type Label, type Program, ProgramBuilder, type Value } from "../../ffi/program/builder.ts";
import { encodeExecutable } from "../../ffi/program/executable.ts";
import { resetSignals } from "../../ffi/program/fragments.ts";
import { ERRNO } from "../../ffi/errno.ts";

/** The command init is to run. */
export interface InitCommand {
  args: readonly string[];
  env: readonly string[];
}

const WNOHANG = 1;
const SIG_IGN = 1;
const SIGTTIN = 21, SIGTTOU = 22;
/** Signals of the process's own mistakes, and of job control: they are not passed on. */
const NOT_FORWARDED = [4, 5, 6, 7, 8, 11, SIGTTIN, SIGTTOU, 31];
const SIGINFO_SIZE = 128;

/** The executable's bytes. @param arch @default this machine's */
export function encodeInit(command: InitCommand, arch?: string): Uint8Array<ArrayBuffer> {
  return encodeExecutable(buildInit(command), arch);
}

/** Builds init's program. It never returns. */
export function buildInit(command: InitCommand): Program {
  const p = new ProgramBuilder();
  const signals = p.words([forwardedMask()]);
  const [child, failed] = [p.label("child"), p.label("failed")];
  const [wait, reap] = [p.label("wait"), p.label("reap")];
  p.call("rt_sigprocmask", [C.SIG_BLOCK, signals, 0, 8]);
  // Else making the command the terminal's foreground group would stop us.
  const ignore = p.words([SIG_IGN, 0, 0, 0]);
  for (const signal of [SIGTTIN, SIGTTOU]) p.call("rt_sigaction", [signal, ignore, 0, 8]);
  const pid = p.clone(C.SIGCHLD, child, { orElse: failed });
  const exitCode = p.variable(-1);

  p.place(wait);
  const signal = p.call("rt_sigtimedwait", [signals, p.buffer(SIGINFO_SIZE), 0, 8]);
  p.jumpIf(signal, "<", 1, wait);
  p.jumpIf(signal, "==", C.SIGCHLD, reap);
  p.call("kill", [pid, signal]);
  p.jump(wait);

  p.place(reap);
  emitReap(p, { pid, exitCode, wait });

  p.place(child);
  emitChild(p, command);
  p.place(failed);
  p.exit(1);
  return p.build();
}

/** Bit n - 1 for signal n. */
function forwardedMask(): bigint {
  return NOT_FORWARDED.reduce((mask, signal) => mask & ~(1n << BigInt(signal - 1)), 2n ** 64n - 1n);
}

/** Reaps all that have ended; when the command is among them, ends as it did. */
function emitReap(
  p: ProgramBuilder,
  { pid, exitCode, wait }: { pid: Value; exitCode: Value; wait: Label },
): void {
  const [done, next, exited] = [p.label("none left"), p.label("next"), p.label("exited")];
  const status = p.buffer(8);
  p.place(next);
  const reaped = p.call("wait4", [-1, status, WNOHANG, 0]);
  p.jumpIf(reaped, "<", 1, done);
  p.jumpIf(reaped, "!=", pid, next);
  const word = p.load("u32", status);
  const bySignal = p.compute(word, "&", 0x7f);
  p.jumpIf(bySignal, "==", 0, exited);
  p.set(exitCode, p.compute(bySignal, "+", 128));
  p.jump(next);
  p.place(exited);
  p.set(exitCode, p.compute(p.compute(word, ">>", 8), "&", 0xff));
  p.jump(next);
  p.place(done);
  p.jumpIf(exitCode, "<", 0, wait);
  p.exit(exitCode);
}

/** Takes the terminal, if there is one, and becomes the command. */
function emitChild(p: ProgramBuilder, { args, env }: InitCommand): void {
  const [notExecutable, missing] = [p.label("not executable"), p.label("missing")];
  const own = p.buffer(8);
  p.call("setpgid", [0, 0]);
  p.store("u32", own, p.call("getpid", []));
  p.call("ioctl", [0, C.TIOCSPGRP, own]);
  resetSignals(p);
  const argv = p.strings(args);
  const envp = p.strings(env);
  for (const path of candidates(args[0] ?? "", env)) {
    const next = p.label("the next directory");
    const result = p.call("execve", [path, argv, envp]);
    p.jumpIf(result, "==", -ERRNO.ENOENT, next);
    p.jumpIf(result, "==", -ERRNO.ENOTDIR, next);
    p.jump(notExecutable);
    p.place(next);
  }
  p.jump(missing);
  for (
    const [label, code, why] of [
      [missing, 127, "No such file or directory"],
      [notExecutable, 126, "Permission denied"],
    ] as const
  ) {
    p.place(label);
    const text = `[FATAL dhow-init] exec ${args[0]} failed: ${why}\n`;
    p.call("write", [2, text, new TextEncoder().encode(text).length]);
    p.exit(code);
  }
}

function candidates(command: string, env: readonly string[]): string[] {
  if (command.includes("/")) return [command];
  const path = env.find((variable) => variable.startsWith("PATH="))?.slice(5) ?? "";
  return path.split(":").filter((entry) => entry.startsWith("/")).map((entry) =>
    `${entry}/${command}`
  );
}
