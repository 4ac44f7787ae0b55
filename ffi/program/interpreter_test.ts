import { assertEquals } from "@std/assert";
import { syscallNumber } from "../abi/syscall_numbers.ts";
import { type Address, type Arg, OP, type Program, ProgramBuilder } from "./builder.ts";
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
    result: 9 << 8,
    build: (p) => {
      const [child, bad] = [p.label("child"), p.label("bad")];
      const pid = p.clone(17, child, { orElse: bad });
      const status = p.buffer(8);
      p.call("wait4", [pid, status, 0, 0], { orElse: bad });
      p.return(p.load("u32", status));
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

const BASE = 0x400000;
const PAGE = 0x1000;
const OP_BYTES = 72;

/** A static executable for aarch64 that runs `program` and writes what it returns, as 8 bytes, to stdout. */
function makeElf(program: Program): Uint8Array {
  const image = new Uint8Array(PAGE * 2 + 64 + program.ops.length * OP_BYTES + program.data.length);
  const view = new DataView(image.buffer);
  const opsAt = PAGE * 2 + 64;
  const dataAt = opsAt + program.ops.length * OP_BYTES;
  const place = (address: Address): bigint => {
    const at = address.of === "data"
      ? dataAt + address.at
      : address.at < 0
      ? opsAt - 8
      : opsAt + address.at * OP_BYTES + 64;
    return BigInt(BASE + at);
  };
  writeElfHeader(view, image.length);
  writeStub(view, opsAt);
  image.set(interpreter("aarch64").code, PAGE + 64);
  image.set(program.data, dataAt);
  for (const { at, address } of program.relocations) {
    view.setBigUint64(dataAt + at, place(address), true);
  }
  for (const [index, op] of program.ops.entries()) {
    const at = opsAt + index * OP_BYTES;
    const isCall = op.code === OP.CALL || op.code === OP.TRY || op.code === OP.CLONE;
    let refs = 0;
    for (const [i, arg] of op.args.entries()) {
      if (typeof arg === "object" && arg.kind === "value") refs |= 1 << i;
      const value = typeof arg === "object"
        ? place(arg.kind === "value" ? arg.address : arg)
        : BigInt.asUintN(64, BigInt(arg));
      view.setBigUint64(at + 16 + 8 * i, value, true);
    }
    view.setUint8(at, op.code);
    view.setUint8(at + 1, refs);
    view.setUint8(at + 2, op.sub);
    view.setUint32(at + 4, (op.target?.op ?? 0) * OP_BYTES, true);
    view.setUint32(at + 8, isCall ? syscallNumber(op.syscall!, "aarch64") : 0, true);
  }
  return image;
}

/** @see man 5 elf */
function writeElfHeader(view: DataView, size: number): void {
  new Uint8Array(view.buffer).set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 183, true); // EM_AARCH64
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(BASE + PAGE), true); // entry
  view.setBigUint64(32, 64n, true); // program headers
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true); // PT_LOAD
  view.setUint32(68, 7, true); // read, write, execute
  view.setBigUint64(80, BigInt(BASE), true);
  view.setBigUint64(88, BigInt(BASE), true);
  view.setBigUint64(96, BigInt(size), true);
  view.setBigUint64(104, BigInt(size), true);
  view.setBigUint64(112, BigInt(PAGE), true);
}

/** enter(ops), write(1, &result, 8), exit_group(0); the interpreter follows 64 bytes on. */
function writeStub(view: DataView, opsAt: number): void {
  const code = [
    0x580001c0, // ldr x0, ops, 56 bytes on
    0x9400000f, // bl enter, 60 bytes on
    0xf81f0fe0, // str x0, [sp, #-16]!
    0xd2800020, // mov x0, #1
    0x910003e1, // mov x1, sp
    0xd2800102, // mov x2, #8
    0xd2800808, // mov x8, #64, write
    0xd4000001, // svc #0
    0xd2800000, // mov x0, #0
    0xd2800bc8, // mov x8, #94, exit_group
    0xd4000001, // svc #0
  ];
  for (const [index, word] of code.entries()) view.setUint32(PAGE + index * 4, word, true);
  view.setBigUint64(PAGE + 56, BigInt(BASE + opsAt), true);
}

const hasQemu = hasTool("qemu-aarch64");

for (const { name, build: make, result } of CASES) {
  Deno.test({
    name: `a program ${name}, on an emulated aarch64`,
    // qemu-user cannot clone a process that shares memory.
    ignore: !hasQemu || name.startsWith("shares"),
    fn() {
      const path = Deno.makeTempFileSync();
      try {
        Deno.writeFileSync(path, makeElf(build(make)));
        Deno.chmodSync(path, 0o700);
        const { code, stdout, stderr } = new Deno.Command("qemu-aarch64", { args: [path] })
          .outputSync();
        assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
        const view = new DataView(stdout.buffer, stdout.byteOffset, stdout.length);
        assertEquals(Number(view.getBigInt64(0, true)), result);
      } finally {
        Deno.removeSync(path);
      }
    },
  });
}
