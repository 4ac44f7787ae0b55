import { assertEquals, assertThrows } from "@std/assert";
import { runFilter } from "../../tests/helpers/cbpf.ts";
import { BPF, bpf, branchGreaterEqual, encodeBpf } from "./bpf.ts";

Deno.test("encodeBpf() writes struct sock_filter", () => {
  assertEquals(
    encodeBpf([bpf(BPF.JEQ, 0x01020304, 5, 6), bpf(BPF.RET, 0)]),
    new Uint8Array([0x15, 0, 5, 6, 4, 3, 2, 1, 6, 0, 0, 0, 0, 0, 0, 0]),
  );
});

Deno.test("encodeBpf() refuses what the kernel would", () => {
  assertThrows(() => encodeBpf([]), RangeError);
  assertThrows(() => encodeBpf([bpf(BPF.JEQ, 0, 256, 0)]), RangeError);
  assertThrows(() => encodeBpf(Array(4097).fill(bpf(BPF.RET, 0))), RangeError);
});

Deno.test("branchGreaterEqual() reaches over branches of any length", () => {
  for (const length of [1, 255, 256, 1000]) {
    const left = [...Array(length - 1).fill(bpf(BPF.AND, 0xffffffff)), bpf(BPF.RET, 1)];
    const program = encodeBpf([
      bpf(BPF.LD_W_ABS, 0),
      ...branchGreaterEqual(7, [bpf(BPF.RET, 2)], left),
    ]);
    assertEquals(runFilter(program, { nr: 6, arch: 0 }), 1);
    assertEquals(runFilter(program, { nr: 7, arch: 0 }), 2);
  }
});
