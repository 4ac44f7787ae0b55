import { assertEquals, assertMatch } from "@std/assert";
import { containerTest } from "../helpers/sandbox.ts";

containerTest("doctor says of everything how it is, and what mends it", async (box) => {
  const { code, out } = await box.dhow("doctor");
  assertEquals(code, 0, out);
  const lines = out.split("\n");
  for (const line of lines) {
    assertMatch(line, /^(ok {2}|WARN) {2}\S.{17} {2}\S/);
    assertEquals(line.startsWith("WARN"), line.includes(" -> "), line);
  }
  const line = (name: string) => lines.find((text) => text.slice(6).startsWith(`${name} `))!;
  assertMatch(line("user namespace"), /^ok .*held by process \d+$/);
  assertMatch(line("ids"), /^ok .*\d+ users, \d+ groups$/);
  assertMatch(line("storage"), /overlay/);
});
