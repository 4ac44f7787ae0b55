import { assertEquals, assertThrows } from "@std/assert";
import { OP, ProgramBuilder } from "./builder.ts";

Deno.test("ProgramBuilder gives a program as data", () => {
  const p = new ProgramBuilder();
  const failed = p.label("failed");
  const fd = p.call("openat", [-100, "/etc/passwd", 0, 0], { orElse: failed, label: "open it" });
  p.jumpIf(fd, "<", 3, failed);
  p.return(fd);
  p.place(failed);
  p.return(-1);
  const { ops, data } = p.build();
  assertEquals(ops.map((op) => op.code), [OP.TRY, OP.JUMP_IF, OP.RETURN, OP.RETURN]);
  assertEquals([ops[0]!.syscall, ops[0]!.label, ops[0]!.target?.op], ["openat", "open it", 3]);
  assertEquals(ops[0]!.args[1], { kind: "address", of: "data", at: 0 });
  assertEquals(new TextDecoder().decode(data.subarray(0, 12)), "/etc/passwd\0");
  assertEquals(ops[1]!.args[0], fd);
});

Deno.test("ProgramBuilder keeps equal strings once, and 8-aligned", () => {
  const p = new ProgramBuilder();
  const [a, b, c] = [p.string("abc"), p.string("other"), p.string("abc")];
  assertEquals([a.at, b.at, c], [0, 8, a]);
});

Deno.test("ProgramBuilder.strings() points at each and ends with NULL", () => {
  const p = new ProgramBuilder();
  const array = p.strings(["a", "b"]);
  const { data, relocations } = p.build();
  assertEquals(relocations.map(({ at }) => at), [array.at, array.at + 8]);
  assertEquals(data.subarray(array.at + 16, array.at + 24), new Uint8Array(8));
});

Deno.test("ProgramBuilder refuses labels without a place, or with two, and strings with NUL", () => {
  const p = new ProgramBuilder();
  const label = p.label("nowhere");
  p.jump(label);
  assertThrows(() => p.build(), TypeError, 'Label "nowhere" is never placed');
  p.place(label);
  assertThrows(() => p.place(label), TypeError, 'Label "nowhere" is placed twice');
  assertThrows(() => p.string("a\0b"), TypeError, "NUL");
});

Deno.test("ProgramBuilder's data grows as needed", () => {
  const p = new ProgramBuilder();
  const big = p.bytes(new Uint8Array(10_000).fill(7));
  const after = p.string("end");
  const { data } = p.build();
  assertEquals([data[big.at], data[big.at + 9999], after.at], [7, 7, 10_000]);
});
