import { assertEquals } from "@std/assert";
import { type Arg, type Program, ProgramBuilder } from "./builder.ts";
import { encodeExecutable } from "./executable.ts";
import { interpreter } from "./interpreter.ts";
import { LoadedProgram } from "./loader.ts";

const folder = import.meta.dirname!;

function hasTool(name: string): boolean {
  try {
    return new Deno.Command(name, { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

function execute(command: string, args: string[]): void {
  const { success, stderr } = new Deno.Command(command, { args }).outputSync();
  if (!success) throw new Error(`${command} failed: ${new TextDecoder().decode(stderr)}`);
}

for (const arch of ["x86_64", "aarch64"]) {
  const prefix = arch === Deno.build.arch ? "" : `${arch}-linux-gnu-`;
  Deno.test({
    name: `interpreter() holds the bytes of ${arch}.s`,
    ignore: !hasTool(`${prefix}as`) || !hasTool(`${prefix}objcopy`),
    fn() {
      const directory = Deno.makeTempDirSync();
      try {
        const [object, binary] = [`${directory}/a.o`, `${directory}/a.bin`];
        execute(`${prefix}as`, ["-o", object, `${folder}/${arch}.s`]);
        execute(`${prefix}objcopy`, ["-O", "binary", "-j", ".text", object, binary]);
        assertEquals(interpreter(arch).code.toHex(), Deno.readFileSync(binary).toHex());
      } finally {
        Deno.removeSync(directory, { recursive: true });
      }
    },
  });
}

/** A program and what it returns. */
interface Case {
  name: string;
  build: (p: ProgramBuilder) => void;
  result: number;
}

const AT_FDCWD = -100;

const CASES: Case[] = [
  { name: "returns a literal", result: 7, build: (p) => p.return(7) },
  {
    name: "computes",
    result: 42,
    build: (p) => {
      let value = p.compute(100, "/", 7); // 14
      value = p.compute(value, "*", 9); // 126
      value = p.compute(value, "-", 1); // 125
      value = p.compute(value, "&", 0x2f); // 45
      value = p.compute(value, "|", 2); // 47
      value = p.compute(value, "<<", 2); // 188
      value = p.compute(value, ">>", 1); // 94
      value = p.compute(value, "+", -52); // 42
      p.return(p.compute(value, "="));
    },
  },
  {
    name: "loads and stores behind an address",
    result: 0x77,
    build: (p) => {
      const place = p.variable(p.words([1, 2, 3]));
      const offset = p.variable(16);
      p.store("u64", place, 0x70, 8);
      p.store("u64", place, 7, offset);
      p.return(p.compute(p.load("u64", place, 8), "+", p.load("u64", place, 16)));
    },
  },
  {
    name: "loads and stores every width",
    result: 0xff + 0xfffe + 0x7d - 2 + 5 + 0x34,
    build: (p) => {
      const place = p.words([-1n, -1n, 0]);
      p.store("u8", place, 0x1ff);
      p.store("u16", p.after(place, 2), 0x1fffe);
      p.store("u32", p.after(place, 4), 0x7d);
      p.store("u64", p.after(place, 8), -2);
      const parts = [
        p.load("u8", place),
        p.load("u16", p.after(place, 2)),
        p.load("u32", p.after(place, 4)),
        p.load("i32", p.after(place, 8)),
      ];
      const sum = p.variable(5);
      for (const part of parts) p.set(sum, p.compute(sum, "+", part));
      p.store("u64", p.after(place, 16), 0x1234);
      p.return(p.compute(sum, "+", p.load("u8", p.after(place, 16))));
    },
  },
  {
    name: "takes every kind of jump",
    result: 0b11111,
    build: (p) => {
      const score = p.variable(0);
      const check = (a: Arg, condition: "==" | "!=" | "<" | ">=" | "&", b: Arg, no: Arg) => {
        const bit = 1 << ["==", "!=", "<", ">=", "&"].indexOf(condition);
        const [yes, wrong, over] = [p.label("yes"), p.label("wrong"), p.label("over")];
        p.jumpIf(a, condition, b, yes);
        p.jump(wrong);
        p.place(yes);
        p.jumpIf(no, condition, b, wrong);
        p.set(score, p.compute(score, "|", bit));
        p.jump(over);
        p.place(wrong);
        p.return(bit + 64);
        p.place(over);
      };
      check(-3, "==", -3, 3);
      check(4, "!=", -3, -3);
      check(-3, "<", 2, 2);
      check(2, ">=", 2, -1);
      check(6, "&", 2, 5);
      p.return(score);
    },
  },
  {
    name: "loops",
    result: 55,
    build: (p) => {
      const [sum, i] = [p.variable(0), p.variable(1)];
      const again = p.here("again");
      p.set(sum, p.compute(sum, "+", i));
      p.set(i, p.compute(i, "+", 1));
      p.jumpIf(i, "<", 11, again);
      p.return(sum);
    },
  },
  {
    name: "calls and sees errors as negative numbers",
    result: 2,
    build: (p) => {
      const fd = p.call("openat", [AT_FDCWD, "/nonexistent", 0, 0]);
      p.return(p.compute(0, "-", fd));
    },
  },
  {
    name: "passes six arguments",
    result: 0,
    build: (p) => {
      const bad = p.label("bad");
      // mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      const page = p.call("mmap", [0, 4096, 3, 0x22, -1, 0], { orElse: bad });
      p.store("u64", page, 99);
      p.jumpIf(p.load("u64", page), "!=", 99, bad);
      p.return(0);
      p.place(bad);
      p.return(1);
    },
  },
  {
    name: "leaves a failing op for its label, and keeps its place",
    result: 33,
    build: (p) => {
      const failed = p.label("failed");
      p.call("close", [9999]);
      const first = p.after({ kind: "address", of: "result", at: 2 }, 0);
      p.call("getpid", [], { orElse: failed });
      p.call("openat", [AT_FDCWD, "/nonexistent", 0, 0], { orElse: failed });
      p.return(1);
      p.place(failed);
      // The failed op is 64 bytes before its result.
      const at = p.load("u64", p.failedOp);
      const distance = p.compute(p.compute(at, "+", 64), "-", first);
      p.return(p.compute(distance, "+", 33));
    },
  },
  {
    name: "clones, and waits for its child",
    result: 9,
    build: (p) => {
      const [child, bad] = [p.label("child"), p.label("bad")];
      const pid = p.clone(17, child, { orElse: bad });
      const status = p.buffer(8);
      p.call("wait4", [pid, status, 0, 0], { orElse: bad });
      p.return(p.compute(p.load("u32", status), ">>", 8));
      p.place(child);
      p.exit(9);
      p.place(bad);
      p.return(1);
    },
  },
  {
    name: "shares its memory with a clone",
    result: 77,
    build: (p) => {
      const [child, bad] = [p.label("child"), p.label("bad")];
      const shared = p.variable(0);
      const CLONE_VM = 0x100;
      const pid = p.clone(CLONE_VM | 17, child, { orElse: bad });
      p.call("wait4", [pid, 0, 0, 0], { orElse: bad });
      p.return(shared);
      p.place(child);
      p.set(shared, 77);
      p.exit(0);
      p.place(bad);
      p.return(1);
    },
  },
];

function build(make: (p: ProgramBuilder) => void): Program {
  const p = new ProgramBuilder();
  make(p);
  return p.build();
}

for (const { name, build: make, result } of CASES) {
  Deno.test(`a program ${name}`, () => {
    using loaded = new LoadedProgram(build(make));
    assertEquals(loaded.run(), result);
  });
}

for (const arch of ["x86_64", "aarch64"]) {
  const emulator = arch === Deno.build.arch ? undefined : `qemu-${arch}`;
  for (const { name, build: make, result } of CASES) {
    Deno.test({
      name: `a program ${name}, as an executable of ${arch}`,
      // qemu-user cannot clone a process that shares memory.
      ignore: emulator !== undefined && (!hasTool(emulator) || name.startsWith("shares")),
      fn() {
        const path = Deno.makeTempFileSync();
        try {
          Deno.writeFileSync(path, encodeExecutable(build(make), arch));
          Deno.chmodSync(path, 0o700);
          const [command, args] = emulator === undefined ? [path, []] : [emulator, [path]];
          const { code, stderr } = new Deno.Command(command, { args }).outputSync();
          assertEquals([code, new TextDecoder().decode(stderr)], [result & 0xff, ""]);
        } finally {
          Deno.removeSync(path);
        }
      },
    });
  }
}
