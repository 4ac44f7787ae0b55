import { assertEquals } from "@std/assert";
import { parseCpuSet } from "./cpu_set.ts";

Deno.test("parseCpuSet() reads sets of CPUs and nothing else", () => {
  assertEquals(parseCpuSet("0-2,5"), [0, 1, 2, 5]);
  for (const text of ["a", "1-", "3-1", "-1", "1,,2", "0-99999"]) {
    assertEquals(parseCpuSet(text), undefined, text);
  }
});
