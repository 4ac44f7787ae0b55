import { assertEquals } from "@std/assert";
import { decodeName, encodeName } from "./file_name.ts";

Deno.test("decodeName() and encodeName() lose no byte", () => {
  const names = [
    [0x61],
    [0xff, 0xfe],
    [0xc3, 0xa4, 0xc3],
    [0xed, 0xb2, 0x80],
    [0xf0, 0x9f, 0x98, 0x80, 0x80],
    [0xef, 0xbb, 0xbf, 0x61],
    Array.from({ length: 255 }, (_, i) => i + 1),
  ];
  for (const bytes of names) {
    const decoded = decodeName(new Uint8Array(bytes));
    assertEquals([...encodeName(decoded)], [...bytes, 0]);
  }
  assertEquals(decodeName(new TextEncoder().encode("grün.txt")), "grün.txt");
});
