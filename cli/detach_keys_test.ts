import { assertEquals, assertThrows } from "@std/assert";
import { DetachKeyFilter, parseDetachKeys } from "./detach_keys.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("parseDetachKeys() reads controls and characters", () => {
  assertEquals([...parseDetachKeys("ctrl-p,ctrl-q")], [16, 17]);
  assertEquals([...parseDetachKeys("a,ctrl-@,ctrl-[")], [97, 0, 27]);
  assertThrows(() => parseDetachKeys("foo"), Error, "Unknown character: 'foo'");
});

Deno.test("DetachKeyFilter holds back a beginning and gives it up when it was none", () => {
  const filter = new DetachKeyFilter(parseDetachKeys("ctrl-p,ctrl-q"));
  assertEquals(text(filter.push(bytes("ab\x10")).passed), "ab");
  assertEquals(text(filter.push(bytes("c")).passed), "\x10c");
  assertEquals(text(filter.push(bytes("\x10\x10")).passed), "\x10");
  assertEquals(filter.push(bytes("\x11rest")), { passed: new Uint8Array(0), detached: true });
});
