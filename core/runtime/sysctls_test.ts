import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { assertSysctlsAllowed, parseSysctl } from "./sysctls.ts";

Deno.test("parseSysctl() takes what belongs to a namespace, in docker's words", () => {
  assertEquals(parseSysctl("net.core.somaxconn=1=2"), {
    name: "net.core.somaxconn",
    value: "1=2",
  });
  assertEquals(parseSysctl("fs.mqueue.msg_max=3").name, "fs.mqueue.msg_max");
  for (const text of ["foo", "net.a", "kernel.hostname=x", "user.max_user_namespaces=1"]) {
    assertThrows(() => parseSysctl(text), DhowError, `sysctl '${text}' is not allowed`);
  }
});

Deno.test("assertSysctlsAllowed() protects the host's namespaces", () => {
  assertSysctlsAllowed(["net.a", "kernel.sem"], { ipc: true, network: true });
  assertThrows(
    () => assertSysctlsAllowed(["net.a"], { ipc: true, network: false }),
    DhowError,
    'sysctl "net.a" not allowed in host network namespace',
  );
  assertThrows(
    () => assertSysctlsAllowed(["kernel.sem"], { ipc: false, network: true }),
    DhowError,
    'sysctl "kernel.sem" is not allowed in the hosts ipc namespace',
  );
});
