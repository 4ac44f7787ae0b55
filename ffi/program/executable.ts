/**
 * A program as a file of its own: a static executable that needs nothing of the image it is run in.
 *
 * @see man 5 elf
 * @module
 */
import type { Program } from "./builder.ts";
import { encodeProgram, layOutProgram, OP_SIZE, programOffset } from "./encode.ts";
import { interpreter } from "./interpreter.ts";

const BASE = 0x400000;
/** The largest page of the two architectures: code and data must not share one. */
const PAGE = 0x10000;
const ELF_HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const CODE_AT = 0x100;
const STUB_SIZE = 32;

const PT_LOAD = 1;
const PF_X = 1, PF_W = 2, PF_R = 4;

const MACHINES: Record<string, number> = { x86_64: 62, aarch64: 183 };

/** An executable and what is where in it. */
export interface Executable {
  bytes: Uint8Array<ArrayBuffer>;
  /** The pieces of `bytes` that are not zero; a file may have holes elsewhere. */
  pieces: { at: number; size: number }[];
  /** The index of the op that an address in the running program (as its failure record holds it) belongs to. */
  opAt(address: bigint): number;
}

/**
 * Makes an executable. It ends with what the program returns as its exit code.
 *
 * @param arch Whose code and system call numbers it is to have. @default this machine's
 */
export function makeExecutable(program: Program, arch: string = Deno.build.arch): Executable {
  const { code } = interpreter(arch);
  const codeSize = CODE_AT + STUB_SIZE + code.length;
  const dataStart = Math.ceil(codeSize / PAGE) * PAGE;
  const layout = layOutProgram(program, dataStart);
  const bytes = new Uint8Array(Math.ceil(layout.fileBytes / 8) * 8);
  const view = new DataView(bytes.buffer);
  writeElfHeader(view, arch);
  writeSegment(view, 0, { at: 0, size: codeSize, memory: codeSize, flags: PF_R | PF_X });
  const size = layout.fileBytes - dataStart;
  const memory = layout.sizeBytes - dataStart;
  writeSegment(view, 1, { at: dataStart, size, memory, flags: PF_R | PF_W });
  bytes.set(stub(arch, BigInt(BASE + layout.opsAt)), CODE_AT);
  bytes.set(code, CODE_AT + STUB_SIZE);
  encodeProgram(bytes.buffer, program, layout, {
    place: (address) => BASE + programOffset(address, layout, layout.sizeBytes),
    arch,
  });
  return {
    bytes,
    pieces: [{ at: 0, size: codeSize }, { at: dataStart, size }],
    opAt: (address) => Number(address - BigInt(BASE + layout.opsAt)) / OP_SIZE,
  };
}

/** The bytes of {@linkcode makeExecutable}. */
export function encodeExecutable(program: Program, arch?: string): Uint8Array<ArrayBuffer> {
  return makeExecutable(program, arch).bytes;
}

function writeElfHeader(view: DataView, arch: string): void {
  new Uint8Array(view.buffer).set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, MACHINES[arch]!, true);
  view.setUint32(20, 1, true); // EV_CURRENT
  view.setBigUint64(24, BigInt(BASE + CODE_AT), true); // entry
  view.setBigUint64(32, BigInt(ELF_HEADER_SIZE), true); // program headers
  view.setUint16(52, ELF_HEADER_SIZE, true);
  view.setUint16(54, PROGRAM_HEADER_SIZE, true);
  view.setUint16(56, 2, true); // how many
}

function writeSegment(
  view: DataView,
  index: number,
  { at, size, memory, flags }: { at: number; size: number; memory: number; flags: number },
): void {
  const header = ELF_HEADER_SIZE + index * PROGRAM_HEADER_SIZE;
  view.setUint32(header, PT_LOAD, true);
  view.setUint32(header + 4, flags, true);
  view.setBigUint64(header + 8, BigInt(at), true); // offset
  view.setBigUint64(header + 16, BigInt(BASE + at), true); // virtual address
  view.setBigUint64(header + 24, BigInt(BASE + at), true);
  view.setBigUint64(header + 32, BigInt(size), true); // in the file
  view.setBigUint64(header + 40, BigInt(memory), true);
  view.setBigUint64(header + 48, BigInt(PAGE), true); // alignment
}

/** `exit_group(enter(ops))`; the interpreter follows. */
function stub(arch: string, ops: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(STUB_SIZE);
  const view = new DataView(bytes.buffer);
  if (arch === "aarch64") {
    const code = [
      0x580000c0, // ldr x0, 24 bytes on
      0x94000007, // bl 28 bytes on
      0xd2800bc8, // mov x8, #94
      0xd4000001, // svc #0
    ];
    for (const [index, word] of code.entries()) view.setUint32(index * 4, word, true);
    view.setBigUint64(24, ops, true);
    return bytes;
  }
  bytes.set([0x48, 0xbf]); // mov rdi, ops
  view.setBigUint64(2, ops, true);
  bytes.set([0xe8, 17, 0, 0, 0], 10); // call 17 bytes behind this
  bytes.set([0x89, 0xc7], 15); // mov edi, eax
  bytes.set([0xb8, 231, 0, 0, 0], 17); // mov eax, exit_group
  bytes.set([0x0f, 0x05], 22); // syscall
  return bytes;
}
