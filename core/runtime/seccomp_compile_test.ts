import { assert, assertEquals, assertThrows } from "@std/assert";
import { syscallTable } from "../../ffi/abi/syscalls.ts";
import { runFilter } from "../../tests/helpers/cbpf.ts";
import { DhowError } from "../errors.ts";
import { compileSeccomp } from "./seccomp_compile.ts";
import { defaultProfile, type ProfileRule, type SeccompProfile } from "./seccomp_profile.ts";
import recorded from "../../tests/golden/seccomp/docker_28.5.json" with { type: "json" };

const X86_64 = 0xc000003e;
const X86 = 0x40000003;
const AARCH64 = 0xc00000b7;
const ARM = 0x40000028;
const ALLOW = 0x7fff0000;
const EPERM = 0x50001;
const ENOSYS = 0x50026;
const KILL = 0;

function filterOf(syscalls: ProfileRule[], more: Partial<SeccompProfile> = {}): Uint8Array {
  const profile = { defaultAction: "SCMP_ACT_ERRNO", syscalls, ...more };
  return compileSeccomp(profile, { capabilities: [], architecture: "x86_64", kernel: "6.1.0" });
}

/** `41:++-` means: by the first arguments listed, allowed, allowed, refused. */
function expandRuns(runs: string, count: number): Map<number, string> {
  const words: Record<string, string> = { allow: "+", EPERM: "-", ENOSYS: "?" };
  const result = new Map<number, string>();
  for (const run of runs.split(" ")) {
    const [, from, to, word] = /^(\d+)(?:-(\d+))?:(.*)$/.exec(run)!;
    for (let nr = Number(from); nr <= Number(to ?? from); nr++) {
      result.set(nr, words[word!]?.repeat(count) ?? word!);
    }
  }
  return result;
}

for (const [label, { capabilities, decisions }] of Object.entries(recorded.filters)) {
  Deno.test(`the default profile decides every call as docker's own filter: ${label}`, () => {
    const program = compileSeccomp(defaultProfile(), {
      capabilities: capabilities.split(" "),
      architecture: "x86_64",
    });
    const marks: Record<number, string> = { [ALLOW]: "+", [EPERM]: "-", [ENOSYS]: "?" };
    for (const [abi, runs] of Object.entries(decisions)) {
      const arch = abi === "x86" ? X86 : X86_64;
      const base = abi === "x32" ? 0x40000000 : 0;
      const found = (nr: number) =>
        recorded.firstArguments
          .map((arg) => marks[runFilter(program, { nr: nr + base, arch, args: [arg] })])
          .join("");
      for (const [nr, expected] of expandRuns(runs, recorded.firstArguments.length)) {
        assertEquals(found(nr), expected, `${abi} ${nr}`);
      }
    }
  });
}

Deno.test("the default profile refuses kernel crypto sockets", () => {
  const program = compileSeccomp(defaultProfile(), { capabilities: [], architecture: "x86_64" });
  assertEquals(runFilter(program, { nr: 41, arch: X86_64, args: [38] }), EPERM);
});

Deno.test("the default profile on aarch64 knows aarch64 and arm, nothing else", () => {
  const program = compileSeccomp(defaultProfile(), { capabilities: [], architecture: "aarch64" });
  const ask = (arch: number, abi: "aarch64" | "arm", name: string, args: number[] = []) =>
    runFilter(program, { nr: syscallTable(abi).get(name)!, arch, args });
  assertEquals(ask(AARCH64, "aarch64", "openat"), ALLOW);
  assertEquals(ask(AARCH64, "aarch64", "mount"), EPERM);
  assertEquals(ask(AARCH64, "aarch64", "clone", [0x11]), ALLOW);
  assertEquals(ask(AARCH64, "aarch64", "clone", [0x10000011]), EPERM);
  assertEquals(ask(AARCH64, "aarch64", "clone3"), ENOSYS);
  assertEquals(ask(ARM, "arm", "open"), ALLOW);
  assertEquals(ask(ARM, "arm", "set_tls"), ALLOW);
  assertEquals(runFilter(program, { nr: 0, arch: X86_64 }), KILL);
});

Deno.test("the default profile stays small", () => {
  const program = compileSeccomp(defaultProfile(), { capabilities: [], architecture: "x86_64" });
  assert(program.length / 8 < 800, `${program.length / 8} instructions`);
});

Deno.test("compileSeccomp() tests 64-bit arguments with every operator", () => {
  const wide = 0x1_0000_0005n;
  const cases: [string, bigint[], bigint[]][] = [
    ["SCMP_CMP_EQ", [wide], [5n, wide + 1n, 0x2_0000_0005n]],
    ["SCMP_CMP_NE", [5n, wide + 1n, 0x2_0000_0005n], [wide]],
    ["SCMP_CMP_GT", [wide + 1n, 0x2_0000_0000n], [wide, 0xffffffffn, 0x1_0000_0000n]],
    ["SCMP_CMP_GE", [wide, wide + 1n, 0x2_0000_0000n], [0xffffffffn, wide - 1n]],
    ["SCMP_CMP_LT", [wide - 1n, 0xffffffffn], [wide, wide + 1n, 0x2_0000_0000n]],
    ["SCMP_CMP_LE", [wide, 0xffffffffn], [wide + 1n, 0x2_0000_0000n]],
  ];
  for (const [op, holds, fails] of cases) {
    const rule = { names: ["read"], action: "SCMP_ACT_ALLOW" };
    const program = filterOf([{ ...rule, args: [{ index: 2, value: wide, op }] }]);
    const ask = (arg: bigint) => runFilter(program, { nr: 0, arch: X86_64, args: [0, 0, arg] });
    for (const arg of holds) assertEquals(ask(arg), ALLOW, `${op} ${arg}`);
    for (const arg of fails) assertEquals(ask(arg), EPERM, `${op} ${arg}`);
  }
});

Deno.test("compileSeccomp() masks 64 bits before it compares", () => {
  const arg = {
    index: 0,
    value: 0xff_0000_00ffn,
    valueTwo: 0x12_0000_0034n,
    op: "SCMP_CMP_MASKED_EQ",
  };
  const program = filterOf([{ names: ["read"], action: "SCMP_ACT_ALLOW", args: [arg] }]);
  const ask = (value: bigint) => runFilter(program, { nr: 0, arch: X86_64, args: [value] });
  assertEquals(ask(0xab12_cdef_0134n), ALLOW);
  assertEquals(ask(0x34n), EPERM);
  assertEquals(ask(0x12_0000_0035n), EPERM);
});

Deno.test("compileSeccomp() joins conditions on different arguments, and offers those on one", () => {
  const eq = (index: number, value: number) => ({ index, value, op: "SCMP_CMP_EQ" });
  const action = "SCMP_ACT_ALLOW";
  const both = filterOf([{ names: ["read"], action, args: [eq(0, 1), eq(1, 2)] }]);
  assertEquals(runFilter(both, { nr: 0, arch: X86_64, args: [1, 2] }), ALLOW);
  assertEquals(runFilter(both, { nr: 0, arch: X86_64, args: [1, 3] }), EPERM);
  const either = filterOf([{ names: ["read"], action, args: [eq(0, 1), eq(0, 2)] }]);
  assertEquals(runFilter(either, { nr: 0, arch: X86_64, args: [2] }), ALLOW);
  assertEquals(runFilter(either, { nr: 0, arch: X86_64, args: [3] }), EPERM);
});

Deno.test("compileSeccomp() gives each action its value", () => {
  const actions: Record<string, number> = {
    SCMP_ACT_KILL: 0,
    SCMP_ACT_KILL_PROCESS: 0x80000000,
    SCMP_ACT_KILL_THREAD: 0,
    SCMP_ACT_TRAP: 0x30000,
    SCMP_ACT_ERRNO: 0x50007,
    SCMP_ACT_TRACE: 0x7ff00007,
    SCMP_ACT_LOG: 0x7ffc0000,
    SCMP_ACT_ALLOW: ALLOW,
  };
  for (const [action, value] of Object.entries(actions)) {
    const program = filterOf([{ names: ["read"], action, errnoRet: 7 }]);
    assertEquals(runFilter(program, { nr: 0, arch: X86_64 }), value, action);
  }
});

Deno.test("compileSeccomp() leaves calls newer than the profile alone where the default allows", () => {
  const program = filterOf([{ names: ["mkdir"], action: "SCMP_ACT_ERRNO" }], {
    defaultAction: "SCMP_ACT_ALLOW",
  });
  assertEquals(runFilter(program, { nr: 83, arch: X86_64 }), EPERM);
  assertEquals(runFilter(program, { nr: 84, arch: X86_64 }), ALLOW);
  assertEquals(runFilter(program, { nr: 4000, arch: X86_64 }), ALLOW);
});

Deno.test("compileSeccomp() kills what comes through an architecture that is not listed", () => {
  const program = filterOf([{ names: ["read"], action: "SCMP_ACT_ALLOW" }]);
  assertEquals(runFilter(program, { nr: 3, arch: X86 }), KILL);
  assertEquals(runFilter(program, { nr: 0x40000000, arch: X86_64 }), KILL);
});

Deno.test("compileSeccomp() closes socketcall() along with socket()", () => {
  const program = filterOf([{ names: ["socket"], action: "SCMP_ACT_ERRNO" }], {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86"],
  });
  assertEquals(runFilter(program, { nr: 359, arch: X86 }), EPERM);
  assertEquals(runFilter(program, { nr: 102, arch: X86, args: [1] }), EPERM);
  assertEquals(runFilter(program, { nr: 102, arch: X86, args: [2] }), ALLOW);
});

Deno.test("compileSeccomp() ignores unknown calls and refuses unknown words", () => {
  const program = filterOf([{ names: ["no_such_call", "read"], action: "SCMP_ACT_ALLOW" }]);
  assertEquals(runFilter(program, { nr: 0, arch: X86_64 }), ALLOW);
  assertThrows(() => filterOf([{ names: ["read"], action: "ALLOW" }]), DhowError, "unknown action");
  assertThrows(
    () => filterOf([{ names: ["read"], action: "SCMP_ACT_NOTIFY" }]),
    DhowError,
    "listener",
  );
  const args = [{ index: 0, value: 0, op: "==" }];
  assertThrows(
    () => filterOf([{ names: ["read"], action: "SCMP_ACT_ALLOW", args }]),
    DhowError,
    "unknown operator",
  );
});
