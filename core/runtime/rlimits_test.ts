import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { parseUlimit, rlimitNumber, toRlimits } from "./rlimits.ts";

Deno.test("parseUlimit() reads soft and hard limits", () => {
  assertEquals(parseUlimit("nofile=100:200"), { Name: "nofile", Soft: 100, Hard: 200 });
  assertEquals(parseUlimit("nofile=100"), { Name: "nofile", Soft: 100, Hard: 100 });
  assertEquals(parseUlimit("core=-1"), { Name: "core", Soft: -1, Hard: -1 });
  assertEquals(parseUlimit("core=5:-1"), { Name: "core", Soft: 5, Hard: -1 });
});

Deno.test("parseUlimit() refuses in docker's words", () => {
  const cases: [string, string][] = [
    ["foo=1", "invalid ulimit type: foo"],
    ["nofile", "invalid ulimit argument: nofile"],
    ["nofile=a", 'strconv.ParseInt: parsing "a": invalid syntax'],
    ["nofile=3:2", "ulimit soft limit must be less than or equal to hard limit: 3 > 2"],
    [
      "nofile=-1:2",
      "ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: 2",
    ],
    [
      "nofile=1:2:3",
      "too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`",
    ],
    ["nofile=99999999999999999999", "value out of range"],
  ];
  for (const [text, message] of cases) assertThrows(() => parseUlimit(text), DhowError, message);
});

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
