import { assertEquals } from "@std/assert";
import { dataRuns } from "./data_runs.ts";

Deno.test("dataRuns() leaves out whole blocks of zeros, and only those", () => {
  const bytes = new Uint8Array(5 * 4096);
  assertEquals(dataRuns(bytes, 0), []);
  assertEquals(dataRuns(bytes, 1), [[0, 4095], [4 * 4096 + 4095, 5 * 4096]]);
  bytes[4096] = 1;
  assertEquals(dataRuns(bytes, 0), [[4096, 8192]]);
  bytes[4096] = 0;
  bytes[3 * 4096 - 1] = 1;
  assertEquals(dataRuns(bytes, 8192), [[8192, 12288]]);
  assertEquals(dataRuns(new Uint8Array(100), 0), [[0, 100]]);
  assertEquals(dataRuns(new Uint8Array(8192).fill(7), 5), [[0, 8192]]);
});
