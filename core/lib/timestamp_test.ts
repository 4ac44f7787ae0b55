import { assert, assertEquals } from "@std/assert";
import { formatTimestamp, nowNanoseconds } from "./timestamp.ts";

Deno.test("formatTimestamp() writes what Go's RFC3339Nano does", () => {
  assertEquals(formatTimestamp(0n), "0001-01-01T00:00:00Z");
  assertEquals(formatTimestamp(1795210570454994520n), "2026-11-20T21:36:10.45499452Z");
  assertEquals(formatTimestamp(1795210570000000000n), "2026-11-20T21:36:10Z");
});

Deno.test("nowNanoseconds() is about now", () => {
  assert(Math.abs(Number(nowNanoseconds() / 1_000_000n) - Date.now()) < 1000);
});
