import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import type { ProfileCondition } from "./seccomp_profile.ts";
import { parseSeccompProfile, resolveProfile } from "./seccomp_resolve.ts";

const options = {
  capabilities: ["CAP_CHOWN"],
  architecture: "x86_64",
  kernel: "6.1.0-18-amd64",
} as const;

function isKept(conditions: { includes?: ProfileCondition; excludes?: ProfileCondition }): boolean {
  const rule = { names: ["read"], action: "SCMP_ACT_ALLOW", ...conditions };
  const profile = { defaultAction: "SCMP_ACT_ERRNO", syscalls: [rule] };
  return resolveProfile(profile, options).syscalls?.length === 1;
}

Deno.test("resolveProfile() keeps rules whose conditions hold", () => {
  assertEquals(isKept({}), true);
  assertEquals(isKept({ includes: { caps: ["CAP_CHOWN"] } }), true);
  assertEquals(isKept({ includes: { caps: ["CAP_CHOWN", "CAP_BPF"] } }), false);
  assertEquals(isKept({ includes: { arches: ["amd64", "arm64"] } }), true);
  assertEquals(isKept({ includes: { arches: ["arm64"] } }), false);
  assertEquals(isKept({ includes: { minKernel: "4.8" } }), true);
  assertEquals(isKept({ includes: { minKernel: "6.2" } }), false);
  assertEquals(isKept({ excludes: { caps: ["CAP_BPF", "CAP_CHOWN"] } }), false);
  assertEquals(isKept({ excludes: { arches: ["arm64"] } }), true);
  assertEquals(isKept({ excludes: { minKernel: "6.1" } }), false);
});

Deno.test("resolveProfile() lists the native architecture's companions", () => {
  const archMap = [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] }];
  const profile = { defaultAction: "SCMP_ACT_ALLOW", archMap };
  assertEquals(resolveProfile(profile, options).architectures, [
    "SCMP_ARCH_X86_64",
    "SCMP_ARCH_X86",
  ]);
});

Deno.test("resolveProfile() refuses contradictions in docker's words", () => {
  const archMap = [{ architecture: "SCMP_ARCH_X86_64" }];
  const architectures = ["SCMP_ARCH_X86"];
  assertThrows(
    () => resolveProfile({ defaultAction: "SCMP_ACT_ALLOW", archMap, architectures }, options),
    DhowError,
    "both 'architectures' and 'archMap' are specified",
  );
});

Deno.test("parseSeccompProfile() keeps 64-bit values exact", () => {
  const profile = parseSeccompProfile(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"name": "read", "action": "SCMP_ACT_ERRNO",
     "args": [{"index": 0, "value": 18446744073709551615, "op": "SCMP_CMP_EQ"}]}]}`);
  assertEquals(profile.syscalls?.[0]?.args?.[0]?.value, 18446744073709551615n);
});

Deno.test("parseSeccompProfile() says what is no profile", () => {
  assertThrows(() => parseSeccompProfile("{"), DhowError, "Decoding seccomp profile failed");
  assertThrows(() => parseSeccompProfile("[]"), DhowError, "Decoding seccomp profile failed");
  assertThrows(
    () => parseSeccompProfile('{"syscalls": [{"args": [{"value": "x"}]}]}'),
    DhowError,
    "Decoding seccomp profile failed: the profile.syscalls[0].args[0].value is no number",
  );
  assertEquals(parseSeccompProfile('{"defaultAction": "a", "flags": null}'), {
    defaultAction: "a",
  });
});
