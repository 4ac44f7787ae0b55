/**
 * Builds syscall programs: tables of system calls that machine code runs where no JavaScript can, between clone and exec
 * and in the small helper processes that outlive dhow (DESIGN 3).
 *
 * A program is plain data until `load()` (loader.ts) places it in memory: tests look at its ops without running them, and
 * `explain()` (explain.ts) prints it.
 *
 * @module
 */
import { putWord } from "./word.ts";
import { type SyscallName, syscallNumber } from "../abi/syscall_numbers.ts";

/** What an op does; the interpreter's numbers. */
export const OP = {
  CALL: 0,
  TRY: 1,
  CLONE: 2,
  JUMP: 3,
  JUMP_IF: 4,
  COMPUTE: 5,
  LOAD: 6,
  STORE: 7,
  RETURN: 8,
} as const;

/** Conditions of JUMP_IF; comparisons are signed, `&` is "any bit in common". */
export const CONDITION = { "==": 0, "!=": 1, "<": 2, ">=": 3, "&": 4 } as const;
/** Operations of COMPUTE on unsigned 64-bit numbers. */
export const OPERATION = {
  "=": 0,
  "+": 1,
  "-": 2,
  "&": 3,
  "|": 4,
  "<<": 5,
  ">>": 6,
  "*": 7,
  "/": 8,
} as const;
/** Widths of LOAD and STORE in the interpreter's numbers. */
export const WIDTH = { u8: 1, u16: 2, u32: 4, i32: 5, u64: 8 } as const;

/** A comparison for {@linkcode ProgramBuilder.jumpIf}. */
export type Condition = keyof typeof CONDITION;
/** An operation for {@linkcode ProgramBuilder.compute}. */
export type Operation = keyof typeof OPERATION;
/** A width for loads and stores. */
export type Width = keyof typeof WIDTH;

/** The address of something in the program's own memory. */
export interface Address {
  readonly kind: "address";
  readonly of: "data" | "result" | "start" | "end";
  /** Byte offset in the data, or index of the op. */
  readonly at: number;
}

/** The 64-bit value found at an address when the op runs: an earlier result, a variable. */
export interface Value {
  readonly kind: "value";
  readonly address: Address;
}

/** A place to jump to; `place()` says where. */
export interface Label {
  readonly kind: "label";
  readonly name: string;
  /** Index of the op it stands before, once placed. */
  op: number | undefined;
}

/** An argument: a number, the address of a NUL-terminated copy of a string, an address, or a value read when run. */
export type Arg = number | bigint | string | Address | Value;

/** One op, as data. */
export interface Op {
  code: number;
  sub: number;
  nr: number;
  args: Arg[];
  target?: Label;
  /** The system call's name, for calls. */
  syscall?: SyscallName;
  /** What this op is for, in the words of an error message: `mount volume /data`. */
  label?: string;
}

/** A finished program: everything `load()` needs. */
export interface Program {
  ops: Op[];
  /** Initial content of the data segment. */
  data: Uint8Array<ArrayBuffer>;
  /** Zeroed bytes behind the data that a file need not hold. */
  zeroBytes: number;
  /** Places in `data` that hold addresses. */
  relocations: { at: number; address: Address }[];
}

/** What one call may have besides its arguments. */
export interface CallOptions {
  /** Where to go when it fails; without it a failure is just a negative result. */
  orElse?: Label;
  /** What it is for, in the words of an error message. */
  label?: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const encoder = new TextEncoder();

/** Collects ops and data. Methods return what later ops can refer to. */
export class ProgramBuilder {
  readonly #ops: Op[] = [];
  readonly #relocations: Program["relocations"] = [];
  readonly #strings = new Map<string, Address>();
  #data = new Uint8Array(4096);
  #used = 0;
  readonly #trailing: { address: { at: number }; size: number }[] = [];

  /** Number of ops so far. */
  get length(): number {
    return this.#ops.length;
  }

  /** Start and end of the whole mapping: code, ops and data. */
  readonly start: Address = { kind: "address", of: "start", at: 0 };
  readonly end: Address = { kind: "address", of: "end", at: 0 };

  /** Reserves `size` zeroed bytes, 8-aligned. */
  buffer(size: number): Address {
    const at = this.#used;
    const used = (at + size + 7) & ~7;
    if (used > this.#data.length) {
      const grown = new Uint8Array(Math.max(used, this.#data.length * 2));
      grown.set(this.#data);
      this.#data = grown;
    }
    this.#used = used;
    return { kind: "address", of: "data", at };
  }

  /** As `buffer()`, behind everything else: pages that stay untouched until they are written to. Not for `after()`. */
  trailingBuffer(size: number): Address {
    const address: Mutable<Address> = { kind: "address", of: "data", at: -1 };
    this.#trailing.push({ address, size });
    return address;
  }

  /** Copies `bytes` into the data. */
  bytes(bytes: Uint8Array): Address {
    const address = this.buffer(bytes.length);
    this.#data.set(bytes, address.at);
    return address;
  }

  /** A NUL-terminated copy of `text`; equal strings share one. */
  string(text: string): Address {
    let address = this.#strings.get(text);
    if (address === undefined) {
      if (text.includes("\0")) {
        throw new TypeError(`Cannot pass a string with a NUL byte: "${text}"`);
      }
      address = this.bytes(encoder.encode(text + "\0"));
      this.#strings.set(text, address);
    }
    return address;
  }

  /** A NULL-terminated array of pointers to strings, as execve(2) takes. */
  strings(texts: readonly string[]): Address {
    return this.words([...texts.map((text) => this.string(text)), 0]);
  }

  /** An array of 64-bit words, each a number or an address. */
  words(words: readonly (number | bigint | Address)[]): Address {
    const array = this.buffer(words.length * 8);
    words.forEach((word, i) => this.#word(array.at + 8 * i, word));
    return array;
  }

  #word(at: number, word: number | bigint | Address): void {
    if (typeof word === "object") this.#relocations.push({ at, address: word });
    else putWord(new Int32Array(this.#data.buffer), at, word);
  }

  /** A 64-bit variable; use it as an argument to read it, `set()` to write it. */
  variable(initial: number | bigint | Address = 0): Value {
    return { kind: "value", address: this.words([initial]) };
  }

  /** The place `offset` bytes after `address`. */
  after(address: Address, offset: number): Address {
    return { ...address, at: address.at + offset };
  }

  #push(op: Op): Value {
    this.#ops.push(op);
    return {
      kind: "value",
      address: { kind: "address", of: "result", at: this.#ops.length - 1 },
    };
  }

  /** A system call. Its result is negative errno on failure, unless `orElse` catches that. */
  call(syscall: SyscallName, args: Arg[], options: CallOptions = {}): Value {
    const op: Op = {
      code: options.orElse === undefined ? OP.CALL : OP.TRY,
      sub: 0,
      nr: syscallNumber(syscall),
      args: args.map((arg) => typeof arg === "string" ? this.string(arg) : arg),
      syscall,
    };
    if (options.orElse !== undefined) op.target = options.orElse;
    if (options.label !== undefined) op.label = options.label;
    return this.#push(op);
  }

  /**
   * clone(2) with the flags of its first argument and no stack of its own: the child continues at `child`, the parent here.
   *
   * With `CLONE_VM` both run on the same memory, which is safe since the interpreter keeps nothing on the stack; the
   * result is then the parent's alone. A failure goes to `options.orElse`.
   */
  clone(flags: number | bigint, child: Label, options: CallOptions = {}): Value {
    const op: Op = {
      code: OP.CLONE,
      sub: 0,
      nr: syscallNumber("clone"),
      args: [flags, 0, 0, 0, 0],
      target: child,
      syscall: "clone",
    };
    if (options.label !== undefined) op.label = options.label;
    const pid = this.#push(op);
    if (options.orElse !== undefined) this.jumpIf(pid, "<", 0, options.orElse);
    return pid;
  }

  /** A label to be placed later. */
  label(name: string): Label {
    return { kind: "label", name, op: undefined };
  }

  /** Puts `label` before the next op. */
  place(label: Label): void {
    if (label.op !== undefined) throw new TypeError(`Label "${label.name}" is placed twice`);
    label.op = this.#ops.length;
  }

  /** Places and returns a new label here, to jump back to. */
  here(name: string): Label {
    const label = this.label(name);
    this.place(label);
    return label;
  }

  jump(target: Label): void {
    this.#push({ code: OP.JUMP, sub: 0, nr: 0, args: [], target });
  }

  jumpIf(a: Arg, condition: Condition, b: Arg, target: Label): void {
    this.#push({ code: OP.JUMP_IF, sub: CONDITION[condition], nr: 0, args: [a, b], target });
  }

  compute(a: Arg, operation: Operation, b: Arg = 0): Value {
    return this.#push({ code: OP.COMPUTE, sub: OPERATION[operation], nr: 0, args: [a, b] });
  }

  /** Reads `width` at `address`, or `offset` bytes behind it. */
  load(width: Width, address: Address | Value, offset: number | Value = 0): Value {
    return this.#push({ code: OP.LOAD, sub: WIDTH[width], nr: 0, args: [address, offset] });
  }

  /** Writes the low bits of `value` at `address`, or `offset` bytes behind it. */
  store(width: Width, address: Address | Value, value: Arg, offset: number | Value = 0): void {
    this.#push({ code: OP.STORE, sub: WIDTH[width], nr: 0, args: [address, value, offset] });
  }

  /** Sets a variable. */
  set(variable: Value, value: Arg): void {
    this.store("u64", variable.address, value);
  }

  /** Ends the program with a result for the one who called `run()`. Not in a clone. */
  return(value: Arg): void {
    this.#push({ code: OP.RETURN, sub: 0, nr: 0, args: [value] });
  }

  /** Ends the process. */
  exit(code: Arg): void {
    this.call("exit_group", [code]);
  }

  /** Address of the slot that holds the address of the last TRY or CLONE that failed. */
  readonly failedOp: Address = { kind: "address", of: "result", at: -1 };

  /** @throws {TypeError} If a label that an op jumps to was never placed. */
  build(): Program {
    for (const op of this.#ops) {
      if (op.target !== undefined && op.target.op === undefined) {
        throw new TypeError(`Label "${op.target.name}" is never placed`);
      }
    }
    let end = this.#used;
    for (const { address, size } of this.#trailing) {
      address.at = end;
      end = (end + size + 7) & ~7;
    }
    return {
      ops: this.#ops,
      data: this.#data.slice(0, this.#used),
      zeroBytes: end - this.#used,
      relocations: this.#relocations,
    };
  }
}
