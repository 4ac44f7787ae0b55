import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import {
  allCapabilities,
  capabilityMask,
  capabilityNames,
  capabilityNumber,
  DEFAULT_CAPABILITIES,
  parseCapability,
  resolveCapabilities,
} from "./capabilities.ts";

Deno.test("resolveCapabilities() gives docker's default set, as /proc shows it", () => {
  assertEquals(capabilityMask(resolveCapabilities()), 0xa80425fbn);
});

Deno.test("resolveCapabilities() gives privileged containers all the kernel knows", () => {
  const options = { privileged: true, drop: ["ALL"], lastCapability: 37 };
  assertEquals(capabilityMask(resolveCapabilities(options)), 0x3fffffffffn);
  assertEquals(capabilityMask(resolveCapabilities({ add: ["all"] })), 0x1ffffffffffn);
});

Deno.test("resolveCapabilities() adds and drops", () => {
  assertEquals(resolveCapabilities({ drop: ["ALL"], add: ["net_admin", "CAP_CHOWN"] }), [
    "CAP_NET_ADMIN",
    "CAP_CHOWN",
  ]);
  assertEquals(resolveCapabilities({ drop: ["all"] }), []);
  const options = { add: ["ALL"], drop: ["SYS_ADMIN"] };
  assertEquals(resolveCapabilities(options).includes("CAP_SYS_ADMIN"), false);
  assertEquals(resolveCapabilities({ drop: ["chown"] }).includes("CAP_CHOWN"), false);
  assertEquals(resolveCapabilities({ drop: ["chown"], add: ["chown"] }).at(-1), "CAP_CHOWN");
});

Deno.test("resolveCapabilities() reports unknown names in docker's words", () => {
  assertThrows(
    () => resolveCapabilities({ add: ["foo"] }),
    DhowError,
    'invalid CapAdd: unknown capability: "CAP_FOO"',
  );
  assertThrows(
    () => resolveCapabilities({ drop: ["cap_foo"] }),
    DhowError,
    'invalid CapDrop: unknown capability: "CAP_FOO"',
  );
});

Deno.test("capabilityMask() and capabilityNames() are inverses", () => {
  const all = allCapabilities();
  assertEquals(capabilityNames(capabilityMask(all)), all);
  assertEquals(new Set(capabilityNames(0xa80425fbn)), new Set(DEFAULT_CAPABILITIES));
  assertEquals(capabilityNumber("CAP_SYS_ADMIN"), 21);
  assertEquals(parseCapability("bpf"), "CAP_BPF");
});
