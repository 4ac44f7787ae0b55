import { assertEquals, assertThrows } from "@std/assert";
import { formatBinarySize, formatSize, parseBytes } from "./units.ts";

Deno.test("parseBytes() takes docker's units", () => {
  const cases: [string, number][] = [["64", 64], ["1b", 1], ["2k", 2048], ["1.5m", 1572864], [
    "1GiB",
    2 ** 30,
  ]];
  for (const [text, bytes] of cases) assertEquals(parseBytes(text), bytes);
  for (const text of ["", "x", "-1", "1x", "1 000", "9".repeat(400), "8192p"]) {
    assertThrows(() => parseBytes(text), Error, `invalid size: '${text}'`);
  }
});

Deno.test("formatSize() and formatBinarySize() print as docker does", () => {
  const sizes = [0, 999, 1000, 1984230, 12_000_000_000].map((size) => formatSize(size));
  assertEquals(sizes, ["0B", "999B", "1kB", "1.98MB", "12GB"]);
  assertEquals(formatBinarySize(25276502016), "23.54GiB");
});
