/**
 * Processes: waiting, signalling without races, start times.
 *
 * @module
 */
import { POLLIN, PR_SET_DUMPABLE } from "./abi/constants.ts";
import { syscallNumber } from "./abi/syscall_numbers.ts";
import { ERRNO, SyscallError } from "./errno.ts";
import { Fd, pollAsync } from "./fd.ts";
import { check, errno, openLibc } from "./libc.ts";

const libc = openLibc({
  waitpid: {
    parameters: [/* pid */ "i32", /* int* */ "buffer", /* options */ "i32"],
    result: "i32",
  },
  pidfd_open: {
    name: "syscall",
    parameters: [/* nr */ "i64", /* pid */ "i64", /* flags */ "i64"],
    result: "i64",
  },
  pidfd_send_signal: {
    name: "syscall",
    parameters: [
      /* nr */ "i64",
      /* pidfd */ "i64",
      /* sig */ "i64",
      /* info */ "i64",
      /* flags */ "i64",
    ],
    result: "i64",
  },
  prctl: {
    parameters: [/* option */ "i32", "usize", "usize", "usize", "usize"],
    result: "i32",
  },
});

/** How a process ended. */
export interface WaitStatus {
  /** The exit code, or 128 + the signal's number, as shells and docker say it. */
  exitCode: number;
  /** The signal that killed it, 0 for none. */
  signal: number;
}

/** Takes a wait status word apart, as `WIFEXITED` and its kin do. */
export function decodeWaitStatus(status: number): WaitStatus {
  const signal = status & 0x7f;
  return signal === 0
    ? { exitCode: (status >> 8) & 0xff, signal: 0 }
    : { exitCode: 128 + signal, signal };
}

/** Reaps child `pid`, waiting on this thread. */
export function waitpid(pid: number): WaitStatus {
  const status = new Int32Array(1);
  check("waitpid", libc.waitpid(pid, status, 0), String(pid));
  return decodeWaitStatus(status[0]!);
}

/** Opens a descriptor that stands for process `pid`, whatever becomes of the number; undefined if there is none. */
export function pidfdOpen(pid: number): Fd | undefined {
  const fd = Number(libc.pidfd_open(BigInt(syscallNumber("pidfd_open")), BigInt(pid), 0n));
  if (fd >= 0) return new Fd(fd);
  const code = errno();
  if (code === ERRNO.ESRCH || code === ERRNO.EINVAL) return undefined;
  throw new SyscallError("pidfd_open", code, String(pid));
}

/**
 * Sends a signal. @returns False if the process has ended.
 * @throws {SyscallError} `EINVAL` for a signal the kernel does not know, `EPERM`.
 */
export function pidfdSendSignal(pidfd: Fd, signal: number): boolean {
  const result = libc.pidfd_send_signal(
    BigInt(syscallNumber("pidfd_send_signal")),
    BigInt(pidfd.number),
    BigInt(signal),
    0n,
    0n,
  );
  if (Number(result) === 0) return true;
  const code = errno();
  if (code === ERRNO.ESRCH) return false;
  throw new SyscallError("pidfd_send_signal", code, `signal ${signal}`);
}

/** Resolves when the process behind `pidfd` has ended. */
export async function pidfdExited(pidfd: Fd): Promise<void> {
  while (((await pollAsync([{ fd: pidfd.number, events: POLLIN }]))[0]! & POLLIN) === 0);
}

/**
 * Until disposed, nobody in a container can look into this process's memory or that of its clones, whatever capabilities
 * they have there: it is not dumpable.
 *
 * @see PR_SET_DUMPABLE in prctl(2), "PTRACE_MODE" in ptrace(2)
 */
export function hidden(): Disposable {
  setDumpable(0n);
  return { [Symbol.dispose]: () => setDumpable(1n) };
}

function setDumpable(value: bigint): void {
  check("prctl(PR_SET_DUMPABLE)", libc.prctl(PR_SET_DUMPABLE, value, 0n, 0n, 0n));
}

/**
 * When process `pid` was started, in clock ticks since boot: with the pid, a name that is never reused.
 *
 * @returns Undefined if there is no such process, or only its zombie is left.
 */
export function processStartTime(pid: number): number | undefined {
  let stat: string;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : Number(fields[19]);
}
