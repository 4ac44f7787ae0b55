/**
 * Places a program in memory of its own and runs it.
 *
 * @module
 */
import { SyscallError } from "../errno.ts";
import { errno, openLibc } from "../libc.ts";
import type { Address, Arg, Op, Program } from "./builder.ts";
import { interpreter } from "./interpreter.ts";

const OP_SIZE = 72;
const OP_ARGS = 16;
const OP_RESULT = 64;
/** Before op 0: 56 spare bytes and the slot for the address of the last failed op. */
const HEADER = 64;
const PAGE = 4096;

const PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4;
const MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20;

const ENTER = { parameters: ["usize"], result: "i64" } as const;
const THREAD_POINTER = { parameters: [], result: "u64" } as const;

const libc = openLibc({
  mmap: {
    parameters: [
      /* addr */ "usize",
      /* length */ "usize",
      /* prot */ "i32",
      /* flags */ "i32",
      /* fd */ "i32",
      /* offset */ "i64",
    ],
    result: "pointer",
  },
  mprotect: {
    parameters: [/* addr */ "pointer", /* length */ "usize", /* prot */ "i32"],
    result: "i32",
  },
  munmap: { parameters: [/* addr */ "pointer", /* length */ "usize"], result: "i32" },
});

/** Where and why a program stopped. */
export interface Failure {
  /** Index of the op. */
  op: number;
  /** Positive errno. */
  errno: number;
}

/** A program in memory. Disposing unmaps it: only when no process that shares this memory runs it any more. */
export class LoadedProgram implements Disposable {
  readonly program: Program;
  readonly #base: Deno.PointerObject;
  readonly #address: bigint;
  readonly #size: number;
  readonly #view: DataView<ArrayBuffer>;
  readonly #opsAt: number;
  readonly #dataAt: number;

  /** @throws {SyscallError} `mmap` or `mprotect` failed, as where no memory may be made executable. */
  constructor(program: Program) {
    this.program = program;
    const { code } = interpreter();
    const codeSize = pages(code.length);
    this.#opsAt = codeSize + HEADER;
    this.#dataAt = this.#opsAt + program.ops.length * OP_SIZE;
    this.#size = pages(this.#dataAt + program.data.length);
    const base = libc.mmap(
      0n,
      BigInt(this.#size),
      PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS,
      -1,
      0n,
    );
    if (base === null || Deno.UnsafePointer.value(base) === 0xffffffffffffffffn) {
      throw new SyscallError("mmap", errno(), `${this.#size} bytes for a syscall program`);
    }
    this.#base = base;
    this.#address = BigInt(Deno.UnsafePointer.value(base));
    const memory = Deno.UnsafePointerView.getArrayBuffer(base, this.#size);
    this.#view = new DataView(memory as ArrayBuffer);
    new Uint8Array(memory).set(code);
    this.#write(program);
    if (libc.mprotect(base, BigInt(codeSize), PROT_READ | PROT_EXEC) !== 0) {
      const error = new SyscallError("mprotect", errno(), "a syscall program's code");
      this[Symbol.dispose]();
      throw error;
    }
  }

  #write(program: Program): void {
    new Uint8Array(this.#view.buffer).set(program.data, this.#dataAt);
    for (const { at, address } of program.relocations) {
      this.#view.setBigUint64(this.#dataAt + at, this.address(address), true);
    }
    program.ops.forEach((op, i) => this.#writeOp(op, this.#opsAt + i * OP_SIZE));
  }

  #writeOp(op: Op, at: number): void {
    const view = this.#view;
    let refs = 0;
    op.args.forEach((arg, i) => {
      if (typeof arg === "object" && arg.kind === "value") refs |= 1 << i;
      view.setBigUint64(at + OP_ARGS + 8 * i, this.#argument(arg), true);
    });
    view.setUint8(at, op.code);
    view.setUint8(at + 1, refs);
    view.setUint8(at + 2, op.sub);
    view.setUint32(at + 4, (op.target?.op ?? 0) * OP_SIZE, true);
    view.setUint32(at + 8, op.nr, true);
  }

  #argument(arg: Arg): bigint {
    if (typeof arg === "number") return BigInt.asUintN(64, BigInt(arg));
    if (typeof arg === "bigint") return BigInt.asUintN(64, arg);
    if (typeof arg === "string") throw new TypeError("A string argument was not placed");
    return this.address(arg.kind === "value" ? arg.address : arg);
  }

  /** Where `address` is in memory. */
  address(address: Address): bigint {
    return this.#address + BigInt(this.#offset(address));
  }

  #offset(address: Address): number {
    switch (address.of) {
      case "start":
        return 0;
      case "end":
        return this.#size;
      case "data":
        return this.#dataAt + address.at;
      case "result":
        return address.at < 0 ? this.#opsAt - 8 : this.#opsAt + address.at * OP_SIZE + OP_RESULT;
    }
  }

  /** Runs it on this thread until it returns. */
  run(): number {
    const at = this.#base as Deno.PointerObject<typeof ENTER>;
    const enter = new Deno.UnsafeFnPointer(at, ENTER);
    return Number(enter.call(this.#address + BigInt(this.#opsAt)));
  }

  /** The address that the C library's thread-local data count from, on this thread. */
  threadPointer(): bigint {
    const { threadPointer } = interpreter();
    const at = Deno.UnsafePointer.offset<typeof THREAD_POINTER>(this.#base, threadPointer);
    return new Deno.UnsafeFnPointer(at!, THREAD_POINTER).call();
  }

  /** The index of the op that an address in this memory (as a program's failure record holds it) belongs to. */
  opAt(address: bigint): number {
    return Number(address - this.#address - BigInt(this.#opsAt)) / OP_SIZE;
  }

  /** Result of op `index`, as far as this process's memory knows. */
  result(index: number): number {
    return Number(this.#view.getBigInt64(this.#opsAt + index * OP_SIZE + OP_RESULT, true));
  }

  /** The bytes at `address` in this process's memory. */
  bytes(address: Address, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#view.buffer, this.#offset(address), length);
  }

  /** Writes a 64-bit word at `address`, before the program runs. */
  setWord(address: Address, value: bigint): void {
    this.#view.setBigUint64(this.#offset(address), BigInt.asUintN(64, value), true);
  }

  /** Reads a 64-bit word at `address`. */
  word(address: Address): bigint {
    return this.#view.getBigInt64(this.#offset(address), true);
  }

  [Symbol.dispose](): void {
    libc.munmap(this.#base, BigInt(this.#size));
  }
}

function pages(bytes: number): number {
  return Math.ceil(bytes / PAGE) * PAGE;
}
