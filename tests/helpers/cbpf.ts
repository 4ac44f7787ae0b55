/**
 * An interpreter of classic BPF as seccomp runs it, to ask filters for their decisions without a kernel.
 *
 * @module
 */

/** What a filter sees; `arch` is an `AUDIT_ARCH_*`. */
export interface SeccompData {
  nr: number;
  arch: number;
  args?: (number | bigint)[];
}

/** Runs an array of `struct sock_filter`; returns `SECCOMP_RET_*` with its data. */
export function runFilter(program: Uint8Array, data: SeccompData): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const input = encodeData(data);
  let a = 0;
  for (let pc = 0; pc < program.length / 8; pc++) {
    const code = view.getUint16(pc * 8, true);
    const k = view.getUint32(pc * 8 + 4, true);
    const jump = (taken: boolean) => pc += view.getUint8(pc * 8 + (taken ? 2 : 3));
    switch (code) {
      case 0x20:
        a = input.getUint32(k, true);
        break;
      case 0x54:
        a = (a & k) >>> 0;
        break;
      case 0x05:
        pc += k;
        break;
      case 0x15:
        jump(a === k);
        break;
      case 0x25:
        jump(a > k);
        break;
      case 0x35:
        jump(a >= k);
        break;
      case 0x45:
        jump((a & k) !== 0);
        break;
      case 0x06:
        return k;
      default:
        throw new Error(`BPF code 0x${code.toString(16)} at ${pc}`);
    }
  }
  throw new Error("BPF program runs off its end");
}

function encodeData({ nr, arch, args = [] }: SeccompData): DataView {
  const view = new DataView(new ArrayBuffer(64));
  view.setInt32(0, nr, true);
  view.setUint32(4, arch, true);
  for (const [index, arg] of args.entries()) {
    view.setBigUint64(16 + index * 8, BigInt.asUintN(64, BigInt(arg)), true);
  }
  return view;
}
