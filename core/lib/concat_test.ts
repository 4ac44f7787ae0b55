import { assertEquals, assertStrictEquals } from "@std/assert";
import { concat } from "./concat.ts";

Deno.test("concat() joins in order, and copies no single part", () => {
  const one = new Uint8Array([1, 2]);
  assertEquals([...concat([one, new Uint8Array(), new Uint8Array([3])])], [1, 2, 3]);
  assertEquals(concat([]).length, 0);
  assertStrictEquals(concat([one]), one);
});
