/**
 * A program's bytes: ops as the interpreter reads them (x86_64.s has the layout), and data with its addresses filled in.
 *
 * @module
 */
import { type SyscallName, syscallNumber } from "../abi/syscall_numbers.ts";
import type { Address, Arg, Op, Program } from "./builder.ts";
import { putWord } from "./word.ts";

/** Bytes of one op. */
export const OP_SIZE = 72;
/** Bytes before op 0: 56 spare ones and the slot for the address of the last failed op. */
export const OPS_HEADER = 64;

const OP_ARGS = 16;
const OP_RESULT = 64;

/** Where the parts of a program go, as offsets from where its memory begins. */
export interface ProgramLayout {
  opsAt: number;
  dataAt: number;
  /** Bytes from the beginning to the end of the data. */
  sizeBytes: number;
  /** The same without the zeroes at the end. */
  fileBytes: number;
}

/** Lays a program out behind `before` bytes of something else. */
export function layOutProgram(program: Program, before: number): ProgramLayout {
  const opsAt = before + OPS_HEADER;
  const dataAt = opsAt + program.ops.length * OP_SIZE;
  const fileBytes = dataAt + program.data.length;
  return { opsAt, dataAt, fileBytes, sizeBytes: fileBytes + program.zeroBytes };
}

/** The offset of `address`; `end` is where the whole memory ends. */
export function programOffset(address: Address, layout: ProgramLayout, end: number): number {
  switch (address.of) {
    case "start":
      return 0;
    case "end":
      return end;
    case "data":
      return layout.dataAt + address.at;
    case "result":
      return address.at < 0 ? layout.opsAt - 8 : layout.opsAt + address.at * OP_SIZE + OP_RESULT;
  }
}

/**
 * Writes ops and data to where `layout` puts them in `memory`.
 *
 * @param place The address something of the program will have when it runs.
 * @param arch Whose system call numbers to use. @default those the program was built with
 */
export function encodeProgram(
  memory: ArrayBuffer,
  program: Program,
  layout: ProgramLayout,
  { place, arch }: { place: (address: Address) => number; arch?: string },
): void {
  const bytes = new Uint8Array(memory);
  const words = new Int32Array(memory, 0, memory.byteLength >> 2);
  bytes.set(program.data, layout.dataAt);
  for (const { at, address } of program.relocations) {
    putWord(words, layout.dataAt + at, place(address));
  }
  let at = layout.opsAt;
  for (const op of program.ops) {
    const { args } = op;
    let refs = 0;
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!;
      if (arg === 0) continue; // fresh memory is zero
      if (typeof arg === "object" && arg.kind === "value") refs |= 1 << i;
      putWord(words, at + OP_ARGS + 8 * i, encodeArg(arg, place));
    }
    bytes[at] = op.code;
    bytes[at + 1] = refs;
    bytes[at + 2] = op.sub;
    words[(at >> 2) + 1] = (op.target?.op ?? 0) * OP_SIZE;
    words[(at >> 2) + 2] = numberOf(op, arch);
    at += OP_SIZE;
  }
}

function encodeArg(arg: Arg, place: (address: Address) => number): number | bigint {
  if (typeof arg === "number" || typeof arg === "bigint") return arg;
  if (typeof arg === "string") throw new TypeError("A string argument was not placed");
  return place(arg.kind === "value" ? arg.address : arg);
}

function numberOf(op: Op, arch: string | undefined): number {
  if (op.syscall === undefined || arch === undefined) return op.nr;
  return syscallNumber(op.syscall as SyscallName, arch as typeof Deno.build.arch);
}
