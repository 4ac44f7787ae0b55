/**
 * Fragments that syscall programs are put together from: signals, descriptors, memory, reporting a failure.
 *
 * @module
 */
import {
  CLONE_FILES,
  CLONE_VFORK,
  CLONE_VM,
  PR_SET_NAME,
  SIG_SETMASK,
  SIGCHLD,
} from "../abi/constants.ts";
import { ERRNO } from "../errno.ts";
import { openLibc } from "../libc.ts";
import type { Label, Program, ProgramBuilder, Value } from "./builder.ts";
import type { Failure, LoadedProgram } from "./loader.ts";

const ALL_SIGNALS = -1n;
const MAX_FD = 0xffffffffn;

/** Runs `body` with every signal blocked on this thread, so that nothing runs a handler in a child. */
export function withSignalsBlocked(p: ProgramBuilder, body: () => void): void {
  const before = p.buffer(8);
  const all = p.words([ALL_SIGNALS]);
  p.call("rt_sigprocmask", [SIG_SETMASK, all, before, 8]);
  body();
  p.call("rt_sigprocmask", [SIG_SETMASK, before, 0, 8]);
}

/** Gives every signal its default action again and lets all of them through, as a fresh process expects. */
export function resetSignals(p: ProgramBuilder): void {
  const byDefault = p.buffer(32);
  const signal = p.variable(1);
  const again = p.here("reset signals");
  p.call("rt_sigaction", [signal, byDefault, 0, 8]);
  p.set(signal, p.compute(signal, "+", 1));
  p.jumpIf(signal, "<", 65, again);
  p.call("rt_sigprocmask", [SIG_SETMASK, p.words([0]), 0, 8]);
}

/**
 * Forks a process that is nobody's child soon: the program's caller gets its pid, the process starts at `child`.
 *
 * A go-between shares the caller's memory, so that only one copy of it is made, and ends at once.
 */
export function forkOrphan(p: ProgramBuilder, child: Label, flags: number = SIGCHLD): Value {
  const between = p.label("go-between");
  const pid = p.variable(0);
  withSignalsBlocked(p, () => {
    const over = p.label("forked");
    const failed = p.label("not forked");
    const first = p.clone(CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, between, {
      label: "fork a helper process",
    });
    p.jumpIf(first, "<", 0, failed);
    p.call("wait4", [first, 0, 0, 0]);
    p.jump(over);
    p.place(failed);
    p.set(pid, first);
    p.jump(over);
    p.place(between);
    const second = p.clone(flags, child, { label: "fork a helper process" });
    p.set(pid, second);
    p.exit(0);
    p.place(over);
  });
  return pid;
}

/** Closes every descriptor but `keep`. */
export function closeAllBut(p: ProgramBuilder, keep: readonly number[]): void {
  let from = 0;
  for (const fd of [...new Set(keep)].sort((a, b) => a - b)) {
    if (fd > from) closeRange(p, from, fd - 1);
    from = fd + 1;
  }
  closeRange(p, from, MAX_FD);
}

/** close_range(2), or a loop where the kernel (before 5.9) or a filter does not know it. */
function closeRange(p: ProgramBuilder, first: number, last: number | bigint): void {
  const done = p.label("closed");
  const result = p.call("close_range", [first, last, 0]);
  p.jumpIf(result, "!=", -ERRNO.ENOSYS, done);
  const fd = p.variable(first);
  const again = p.here("close the next");
  p.call("close", [fd]);
  p.set(fd, p.compute(fd, "+", 1));
  p.jumpIf(fd, "<", last > 65536n ? 65536 : Number(last) + 1, again);
  p.place(done);
}

/** Names the process, for ps(1); at most 15 bytes. */
export function nameProcess(p: ProgramBuilder, name: string): void {
  p.call("prctl", [PR_SET_NAME, name, 0, 0, 0]);
}

/** What to do to a loaded program before it runs. */
export type Fixup = (loaded: LoadedProgram) => void;

/**
 * Unmaps everything but the program itself and the page of the C library's `struct rseq`, which the kernel writes to
 * whenever it moves the thread: a helper process lives on with a few pages.
 *
 * @returns What must be called once the program is loaded.
 * @see rseq(2)
 */
export function keepOnlyOwnMemory(p: ProgramBuilder): Fixup {
  const holes = [0, 1, 2].map(() => ({ start: p.variable(0), length: p.variable(0) }));
  for (const hole of holes) p.call("munmap", [hole.start, hole.length]);
  return (loaded) => {
    const rseq = (loaded.threadPointer() + rseqOffset()) & ~4095n;
    const own = { from: loaded.address(p.start), to: loaded.address(p.end) };
    const kept = [own, { from: rseq, to: rseq + 8192n }].sort((a, b) => a.from < b.from ? -1 : 1);
    let from = 0x10000n;
    [...kept, { from: topOfMemory(), to: 0n }].forEach(({ from: to, to: next }, i) => {
      loaded.setWord(holes[i]!.start.address, from);
      loaded.setWord(holes[i]!.length.address, to > from ? to - from : 0n);
      from = next;
    });
  };
}

function rseqOffset(): bigint {
  try {
    return BigInt(openLibc({ __rseq_offset: { type: "i64" } }).__rseq_offset);
  } catch {
    return 0n; // glibc before 2.35 registers none
  }
}

function topOfMemory(): bigint {
  if (Deno.build.arch === "x86_64") return 0x7ffffffff000n;
  const ends = Deno.readTextFileSync("/proc/self/maps").trimEnd().split("\n")
    .map((line) => BigInt("0x" + line.split(/[- ]/, 2)[1]));
  return ends.reduce((a, b) => a > b ? a : b);
}

/** Size of the record that {@linkcode reportFailure} writes. */
export const FAILURE_RECORD_SIZE = 16;

/** Places `at`: writes to each of `fds` which op failed and why, then ends the process with `exitCode`. */
export function reportFailure(
  p: ProgramBuilder,
  at: Label,
  fds: readonly number[],
  exitCode: number,
): void {
  p.place(at);
  const record = p.buffer(FAILURE_RECORD_SIZE);
  const op = p.load("u64", p.failedOp);
  p.store("u64", record, op);
  const result = p.load("u64", p.compute(op, "+", 64));
  p.store("u64", p.after(record, 8), result);
  for (const fd of fds) p.call("write", [fd, record, FAILURE_RECORD_SIZE]);
  p.exit(exitCode);
}

/** Reads the record that {@linkcode reportFailure} wrote; undefined if `record` is empty. */
export function decodeFailure(
  loaded: Pick<LoadedProgram, "opAt">,
  record: Uint8Array<ArrayBuffer>,
): Failure | undefined {
  if (record.length < FAILURE_RECORD_SIZE) return undefined;
  const view = new DataView(record.buffer, record.byteOffset);
  return {
    op: loaded.opAt(view.getBigUint64(0, true)),
    errno: Number(-view.getBigInt64(8, true)),
  };
}

/** The op a failure happened at. */
export function failedOp(program: Program, failure: Failure): Program["ops"][number] {
  return program.ops[failure.op]!;
}
