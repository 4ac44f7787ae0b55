import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { parseSecurityOptions } from "./security_options.ts";

Deno.test("parseSecurityOptions() reads both separators", () => {
  assertEquals(
    parseSecurityOptions(["no-new-privileges", "seccomp={}", "apparmor:x", "label=disable"]),
    { noNewPrivileges: true, seccomp: "{}", apparmor: "x", labels: ["disable"] },
  );
  assertEquals(parseSecurityOptions(["no-new-privileges:false"]).noNewPrivileges, false);
  assertEquals(parseSecurityOptions(null), { noNewPrivileges: false, labels: [] });
});

Deno.test("parseSecurityOptions() refuses in docker's words", () => {
  for (const option of ["foo=bar", "no-new-privileges=foo", "systempaths=foo"]) {
    const message = `invalid --security-opt 2: "${option}"`;
    assertThrows(() => parseSecurityOptions([option]), DhowError, message);
  }
});
