import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { assertSysctlsAllowed, namespaceOfSysctl } from "./sysctls.ts";

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

Deno.test("namespaceOfSysctl() knows whose parameter it is", () => {
  assertEquals(namespaceOfSysctl("fs.mqueue.msg_max"), "ipc");
  assertEquals(namespaceOfSysctl("kernel.shmmax"), "ipc");
  assertEquals(namespaceOfSysctl("net.core.somaxconn"), "network");
  assertEquals(namespaceOfSysctl("kernel.hostname"), undefined);
});
