// What programs say of their failures, and what they leave behind: nothing.
import { assertEquals } from "@std/assert";
import { CLONE_FILES, CLONE_VFORK, CLONE_VM, SIGCHLD } from "../abi/constants.ts";
import { pipe, read } from "../fd.ts";
import { ERRNO } from "../errno.ts";
import { processStartTime } from "../process.ts";
import { type Label, type Program, ProgramBuilder } from "./builder.ts";
import {
  decodeFailure,
  failedOp,
  forkOrphan,
  keepOnlyOwnMemory,
  nameProcess,
  reportFailure,
  withSignalsBlocked,
} from "./fragments.ts";
import { LoadedProgram } from "./loader.ts";

const AT_FDCWD = -100;

interface FailingOp {
  name: string;
  emit: (p: ProgramBuilder, fail: Label) => void;
  label: string;
  errno: number;
}

const FAILING: FailingOp[] = [
  {
    name: "a call",
    emit: (p, orElse) =>
      p.call("openat", [AT_FDCWD, "/nonexistent", 0, 0], { orElse, label: "open" }),
    label: "open",
    errno: ERRNO.ENOENT,
  },
  {
    name: "a call with an earlier result",
    emit: (p, orElse) => {
      const fd = p.compute(9000, "+", 999);
      p.call("fchdir", [fd], { orElse, label: "change directory" });
    },
    label: "change directory",
    errno: ERRNO.EBADF,
  },
  {
    name: "an execve",
    emit: (p, orElse) =>
      p.call("execve", ["/etc/passwd", p.strings(["x"]), p.strings([])], {
        orElse,
        label: "execute /etc/passwd",
      }),
    label: "execute /etc/passwd",
    errno: ERRNO.EACCES,
  },
  {
    name: "a clone",
    // CLONE_NEWPID with CLONE_THREAD is refused to everybody.
    emit: (p, orElse) =>
      p.clone(0x2001_0000 | SIGCHLD, orElse, { orElse, label: "create namespaces" }),
    label: "create namespaces",
    errno: ERRNO.EINVAL,
  },
  {
    name: "a call after others that failed unchecked",
    emit: (p, orElse) => {
      p.call("close", [9999]);
      p.call("getppid", [], { orElse, label: "first" });
      p.call("umount2", ["/nonexistent", 0], { orElse, label: "unmount" });
    },
    label: "unmount",
    errno: ERRNO.ENOENT,
  },
];

/** Runs `emit` in a child; the record that the child's failure writes. */
function runFailing(emit: FailingOp["emit"]) {
  const { read: reading, write: writing } = pipe();
  using _reading = reading;
  using _writing = writing;
  const p = new ProgramBuilder();
  const [child, fail] = [p.label("child"), p.label("failed")];
  const status = p.buffer(8);
  withSignalsBlocked(p, () => {
    const over = p.label("over");
    const pid = p.clone(SIGCHLD, child);
    p.call("wait4", [pid, status, 0, 0]);
    p.jump(over);
    p.place(child);
    emit(p, fail);
    p.exit(0);
    reportFailure(p, fail, [writing.number], 125);
    p.place(over);
  });
  p.return(p.load("u32", status));
  const program = p.build();
  using loaded = new LoadedProgram(program);
  const ended = loaded.run();
  writing.close();
  const record = new Uint8Array(64);
  const failure = decodeFailure(loaded, record.slice(0, read(reading.number, record)));
  return { ended, failure, program };
}

for (const { name, emit, label, errno } of FAILING) {
  Deno.test(`reportFailure() tells which op failed and why: ${name}`, () => {
    const { ended, failure, program } = runFailing(emit);
    assertEquals(ended, 125 << 8);
    assertEquals([failedOp(program, failure!).label, failure!.errno], [label, errno]);
  });
}

Deno.test("decodeFailure() of a program that did not fail is undefined", () => {
  const { ended, failure } = runFailing((p, orElse) => p.call("getpid", [], { orElse }));
  assertEquals([ended, failure], [0, undefined]);
});

/** Clones children that end at once, as the launcher does; the program returns how many could be reaped. */
function buildClones(count: number): Program {
  const p = new ProgramBuilder();
  const child = p.label("child");
  const [left, reaped] = [p.variable(count), p.variable(0)];
  withSignalsBlocked(p, () => {
    const over = p.label("over");
    const again = p.here("again");
    const next = p.label("next");
    const pid = p.clone(CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, child);
    p.jumpIf(p.call("wait4", [pid, 0, 0, 0]), "<", 1, next);
    p.set(reaped, p.compute(reaped, "+", 1));
    p.place(next);
    p.set(left, p.compute(left, "-", 1));
    p.jumpIf(left, "!=", 0, again);
    p.jump(over);
    p.place(child);
    p.exit(0);
    p.place(over);
  });
  p.return(reaped);
  return p.build();
}

function openFds(): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => name).sort();
}

function children(): string {
  return Deno.readTextFileSync(`/proc/self/task/${Deno.pid}/children`);
}

Deno.test("2,000 clones from a busy event loop: none hangs, nothing leaks", async () => {
  const mounts = await Deno.readTextFile("/proc/self/mountinfo");
  const [fdsBefore, childrenBefore] = [openFds().length, children()];
  let [ticks, reads, isDone] = [0, 0, false];
  const timer = setInterval(() => ticks++, 1);
  const reading = (async () => {
    while (!isDone) {
      await Deno.readTextFile("/proc/self/status");
      reads++;
    }
  })();
  let reaped = 0;
  const copying = buildCopies();
  for (let i = 0; i < 100; i++) {
    {
      using loaded = new LoadedProgram(buildClones(10));
      reaped += loaded.run();
    }
    {
      using loaded = new LoadedProgram(copying);
      reaped += loaded.run();
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  isDone = true;
  await reading;
  clearInterval(timer);
  assertEquals(reaped, 2000);
  assertEquals([ticks > 10, reads > 10], [true, true]);
  assertEquals([openFds().length <= fdsBefore + 1, children()], [true, childrenBefore]);
  assertEquals(await Deno.readTextFile("/proc/self/mountinfo"), mounts);
});

/** Ten children with a copy of all memory. */
function buildCopies(): Program {
  const p = new ProgramBuilder();
  const child = p.label("child");
  const reaped = p.variable(0);
  withSignalsBlocked(p, () => {
    const over = p.label("over");
    for (let i = 0; i < 10; i++) {
      const pid = p.clone(SIGCHLD, child);
      const next = p.label("next");
      p.jumpIf(p.call("wait4", [pid, 0, 0, 0]), "<", 1, next);
      p.set(reaped, p.compute(reaped, "+", 1));
      p.place(next);
    }
    p.jump(over);
    p.place(child);
    p.exit(0);
    p.place(over);
  });
  p.return(reaped);
  return p.build();
}

Deno.test("keepOnlyOwnMemory() leaves a helper process a few pages", async () => {
  const { read: reading, write: writing } = pipe();
  using _reading = reading;
  using _writing = writing;
  const p = new ProgramBuilder();
  const helper = p.label("helper");
  p.return(forkOrphan(p, helper));
  p.place(helper);
  nameProcess(p, "dhow-test");
  const fixup = keepOnlyOwnMemory(p);
  p.call("close", [writing.number]);
  p.call("read", [reading.number, p.buffer(8), 1]); // until our end is closed
  p.exit(0);
  using loaded = new LoadedProgram(p.build());
  fixup(loaded);
  const pid = loaded.run();
  const name = () => Deno.readTextFileSync(`/proc/${pid}/comm`).trim();
  for (let i = 0; name() !== "dhow-test" && i < 100; i++) {
    await new Promise((r) => setTimeout(r, 5));
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(name(), "dhow-test");
  const rss = Number(
    (await Deno.readTextFile(`/proc/${pid}/status`)).match(/VmRSS:\s+(\d+) kB/)![1],
  );
  assertEquals(rss < 40, true, `${rss} kB`);
  const maps = await Deno.readTextFile(`/proc/${pid}/maps`);
  assertEquals(maps.trimEnd().split("\n").length <= 6, true);
  writing.close();
  for (let i = 0; i < 200 && processStartTime(pid) !== undefined; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals(processStartTime(pid), undefined);
});
