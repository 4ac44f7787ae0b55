import { assertEquals } from "@std/assert";
import { errno, openLibc } from "./libc.ts";

const libc = openLibc({
  unlink: { parameters: [/* path */ "buffer"], result: "i32" },
});

Deno.test("errno() is the call's own, however busy the engine is, before and after a function is compiled", () => {
  const root = new Uint8Array([0x2f, 0]);
  const found = new Set<number>();
  let garbage: unknown[] = [];
  for (let i = 0; i < 20_000; i++) {
    garbage.push({ i, text: `${i}` });
    if (i % 1000 === 0) garbage = [];
    assertEquals(libc.unlink(root), -1);
    found.add(errno());
  }
  assertEquals([...found], [21]); // EISDIR
});
