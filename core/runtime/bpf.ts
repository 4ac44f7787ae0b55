/**
 * Classic BPF as seccomp runs it: instructions and their encoding. Pure.
 *
 * @see https://www.kernel.org/doc/html/latest/userspace-api/seccomp_filter.html
 * @module
 */

/** Operation codes, of `<linux/bpf_common.h>`; those seccomp filters need. */
export const BPF = {
  /** A = 32 bits of `struct seccomp_data` at offset k. */
  LD_W_ABS: 0x20,
  /** A &= k. */
  AND: 0x54,
  /** pc += k. */
  JA: 0x05,
  JEQ: 0x15,
  JGT: 0x25,
  JGE: 0x35,
  /** Ends with k. */
  RET: 0x06,
} as const;

/** One `struct sock_filter`: the jumps count instructions to skip. */
export interface BpfInstruction {
  code: number;
  jt: number;
  jf: number;
  k: number;
}

/** The longest program the kernel takes; `BPF_MAXINSNS`. */
export const BPF_MAX_INSTRUCTIONS = 4096;

/** An instruction; `k` is taken modulo 2^32. */
export function bpf(code: number, k: number, jt = 0, jf = 0): BpfInstruction {
  return { code, jt, jf, k: k >>> 0 };
}

/**
 * `A >= k ? right : left` for any lengths: a conditional jump reaches 255 instructions, a `JA` any number.
 *
 * Both branches must end in `RET`.
 */
export function branchGreaterEqual(
  k: number,
  right: BpfInstruction[],
  left: BpfInstruction[],
): BpfInstruction[] {
  if (left.length <= 255) return [bpf(BPF.JGE, k, left.length, 0), ...left, ...right];
  return [bpf(BPF.JGE, k, 0, 1), bpf(BPF.JA, left.length), ...left, ...right];
}

/**
 * A program as the kernel reads it: 8 bytes an instruction, little endian.
 *
 * @throws {RangeError} if it is empty, too long for the kernel, or a jump does not fit its byte.
 */
export function encodeBpf(program: BpfInstruction[]): Uint8Array<ArrayBuffer> {
  if (program.length === 0 || program.length > BPF_MAX_INSTRUCTIONS) {
    throw new RangeError(
      `Cannot encode a BPF program of ${program.length} instructions: 1 to ${BPF_MAX_INSTRUCTIONS} fit`,
    );
  }
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    if (jt > 255 || jf > 255) throw new RangeError(`BPF jump too far at instruction ${index}`);
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  }
  return bytes;
}
