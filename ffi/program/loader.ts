/**
 * Places a program in memory of its own and runs it.
 *
 * @module
 */
import { SyscallError } from "../errno.ts";
import { errno, openLibc } from "../libc.ts";
import type { Address, Program } from "./builder.ts";
import {
  encodeProgram,
  layOutProgram,
  OP_SIZE,
  type ProgramLayout,
  programOffset,
} from "./encode.ts";
import { interpreter } from "./interpreter.ts";

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
  /** The same as a number: user space ends far below 2^53. */
  readonly #start: number;
  readonly #size: number;
  readonly #view: DataView<ArrayBuffer>;
  readonly #layout: ProgramLayout;

  /** @throws {SyscallError} `mmap` or `mprotect` failed, as where no memory may be made executable. */
  constructor(program: Program) {
    this.program = program;
    const { code } = interpreter();
    const codeSize = pages(code.length);
    this.#layout = layOutProgram(program, codeSize);
    this.#size = pages(this.#layout.sizeBytes);
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
    this.#start = Number(this.#address);
    const memory = Deno.UnsafePointerView.getArrayBuffer(base, this.#size);
    this.#view = new DataView(memory as ArrayBuffer);
    new Uint8Array(memory).set(code);
    const place = (address: Address) => this.#start + this.#offset(address);
    encodeProgram(memory as ArrayBuffer, program, this.#layout, { place });
    if (libc.mprotect(base, BigInt(codeSize), PROT_READ | PROT_EXEC) !== 0) {
      const error = new SyscallError("mprotect", errno(), "a syscall program's code");
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Where `address` is in memory. */
  address(address: Address): bigint {
    return this.#address + BigInt(this.#offset(address));
  }

  #offset(address: Address): number {
    return programOffset(address, this.#layout, this.#size);
  }

  /** Runs it on this thread until it returns. */
  run(): number {
    const at = this.#base as Deno.PointerObject<typeof ENTER>;
    const enter = new Deno.UnsafeFnPointer(at, ENTER);
    return Number(enter.call(this.#address + BigInt(this.#layout.opsAt)));
  }

  /** The address that the C library's thread-local data count from, on this thread. */
  threadPointer(): bigint {
    const { threadPointer } = interpreter();
    const at = Deno.UnsafePointer.offset<typeof THREAD_POINTER>(this.#base, threadPointer);
    return new Deno.UnsafeFnPointer(at!, THREAD_POINTER).call();
  }

  /** The index of the op that an address in this memory (as a program's failure record holds it) belongs to. */
  opAt(address: bigint): number {
    return Number(address - this.#address - BigInt(this.#layout.opsAt)) / OP_SIZE;
  }

  /** Result of op `index`, as far as this process's memory knows. */
  result(index: number): number {
    return Number(
      this.#view.getBigInt64(this.#offset({ kind: "address", of: "result", at: index }), true),
    );
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
