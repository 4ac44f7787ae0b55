import { assertEquals } from "@std/assert";
import { printable } from "./printable.ts";

Deno.test("printable() drops escape sequences whole and other controls one by one", () => {
  assertEquals(printable("a\x1b[31mred\x1b[0m b"), "ared b");
  assertEquals(printable("a\x1b]0;title\x07b\x1b]52;c;aGk=\x1b\\c"), "abc");
  assertEquals(printable("a\x1bPq...\x1b\\b\x1b(Bc\x1bMd"), "abcd");
  assertEquals(printable("\x9b31mred\x9d0;x\x9cy\x00\x7f\x85"), "redy");
  assertEquals(printable("one\r\ntwo\tthree\x08"), "one two three");
  assertEquals(printable("safe\u202etxt.exe\u2066"), "safetxt.exe");
  assertEquals(printable("unfinished \x1b[12"), "unfinished 12");
  assertEquals(printable("unfinished \x1b]0;all of this"), "unfinished ");
});

Deno.test("printable() keeps other scripts, and cuts between characters", () => {
  assertEquals(printable("café 日本 🐳"), "café 日本 🐳");
  assertEquals(printable("🐳🐳🐳", 2), "🐳🐳");
});
