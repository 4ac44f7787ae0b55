import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { rlimitNumber, toRlimits } from "./rlimits.ts";

Deno.test("rlimitNumber() is the kernel's", () => {
  assertEquals(rlimitNumber("RLIMIT_CPU"), 0);
  assertEquals(rlimitNumber("RLIMIT_NOFILE"), 7);
  assertEquals(rlimitNumber("RLIMIT_MEMLOCK"), 8);
  assertEquals(rlimitNumber("RLIMIT_AS"), 9);
  assertEquals(rlimitNumber("RLIMIT_LOCKS"), 10);
  assertEquals(rlimitNumber("RLIMIT_RTTIME"), 15);
  assertThrows(() => rlimitNumber("RLIMIT_FOO"), DhowError);
});

Deno.test("toRlimits() speaks the runtime-spec's names", () => {
  assertEquals(toRlimits([{ Name: "core", Soft: 0, Hard: -1 }]), [
    { type: "RLIMIT_CORE", soft: 0, hard: -1 },
  ]);
});
