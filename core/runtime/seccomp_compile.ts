/**
 * Compiles a seccomp profile to a BPF program: one section an architecture, in each a binary search over ranges of
 * system call numbers. Large and slow to load beside a container's start: `cachedFilter()` imports it on a miss.
 *
 * @module
 */
import { type SyscallArchitecture, syscallTable, X32_SYSCALL_BIT } from "../../ffi/abi/syscalls.ts";
import { DhowError } from "../errors.ts";
import type { Seccomp, SeccompArg, SeccompRule } from "../spec/runtime.ts";
import { BPF, bpf, type BpfInstruction, branchGreaterEqual, encodeBpf } from "./bpf.ts";
import { multiplexedCall } from "./seccomp_multiplex.ts";
import type { SeccompProfile } from "./seccomp_profile.ts";
import { resolveProfile, type ResolveProfileOptions } from "./seccomp_resolve.ts";

/** `AUDIT_ARCH_*` of `<linux/audit.h>`; x32 shares x86_64's. */
const AUDIT_ARCH: Record<Exclude<SyscallArchitecture, "x32">, number> = {
  x86_64: 0xc000003e,
  x86: 0x40000003,
  aarch64: 0xc00000b7,
  arm: 0x40000028,
};

const OCI_ARCHITECTURES: Record<string, SyscallArchitecture> = {
  SCMP_ARCH_X86_64: "x86_64",
  SCMP_ARCH_X86: "x86",
  SCMP_ARCH_X32: "x32",
  SCMP_ARCH_AARCH64: "aarch64",
  SCMP_ARCH_ARM: "arm",
};

// Offsets in struct seccomp_data.
const DATA_NR = 0;
const DATA_ARCH = 4;
const DATA_ARGS = 16;

const SECCOMP_RET_KILL_THREAD = 0;
const SECCOMP_RET_ERRNO = 0x00050000;
const SECCOMP_RET_TRACE = 0x7ff00000;
const ENOSYS = 38;

const SECCOMP_RET_USER_NOTIF = 0x7fc00000;
const ACTIONS: Record<string, number> = {
  /** Ours: the monitor is asked. */
  DHOW_ACT_ASK: SECCOMP_RET_USER_NOTIF,
  SCMP_ACT_KILL: SECCOMP_RET_KILL_THREAD,
  SCMP_ACT_KILL_THREAD: SECCOMP_RET_KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: SECCOMP_RET_ERRNO,
  SCMP_ACT_TRACE: SECCOMP_RET_TRACE,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};

/** What happens to one system call: the first rule whose conditions all hold, else the default. */
interface Decision {
  rules: { args: SeccompArg[]; value: number }[];
  otherwise: number;
}

/** Numbers from `start` up to the next segment's share a decision. */
interface Segment {
  start: number;
  decision: Decision;
}

/**
 * Compiles `profile` for this container's capabilities and machine.
 *
 * A system call newer than any the profile names answers ENOSYS where the default is to refuse, as runc does, so that
 * libc falls back; names unknown to us are ignored, as libseccomp does. Calls of an architecture the profile does not
 * list kill the thread.
 *
 * @returns An array of `struct sock_filter`.
 * @throws {DhowError} `invalid_argument` for unknown actions, operators and architectures, `unsupported` for `NOTIFY`.
 */
export function compileSeccomp(
  profile: SeccompProfile,
  options: ResolveProfileOptions,
): Uint8Array<ArrayBuffer> {
  return encodeBpf(compileResolved(resolveProfile(profile, options), options.architecture));
}

function compileResolved(
  seccomp: Seccomp,
  native: ResolveProfileOptions["architecture"],
): BpfInstruction[] {
  const architectures = listArchitectures(seccomp, native);
  const program = [bpf(BPF.LD_W_ABS, DATA_ARCH)];
  for (const architecture of architectures) {
    if (architecture === "x32") continue;
    const section = [
      bpf(BPF.LD_W_ABS, DATA_NR),
      ...compileArchitecture(seccomp, architecture, architectures.has("x32")),
    ];
    program.push(
      bpf(BPF.JEQ, AUDIT_ARCH[architecture], 1, 0),
      bpf(BPF.JA, section.length),
      ...section,
    );
  }
  program.push(bpf(BPF.RET, SECCOMP_RET_KILL_THREAD));
  return program;
}

function listArchitectures(
  seccomp: Seccomp,
  native: SyscallArchitecture,
): Set<SyscallArchitecture> {
  const result = new Set([native]);
  for (const name of seccomp.architectures ?? []) {
    const architecture = Object.hasOwn(OCI_ARCHITECTURES, name)
      ? OCI_ARCHITECTURES[name]
      : undefined;
    if (architecture !== undefined) result.add(architecture);
    else if (!name.startsWith("SCMP_ARCH_")) throw invalid(`unknown architecture "${name}"`);
  }
  // The kernel reports x32 calls as x86_64's, so there is no x32 without it.
  return result;
}

function compileArchitecture(
  seccomp: Seccomp,
  architecture: Exclude<SyscallArchitecture, "x32">,
  withX32: boolean,
): BpfInstruction[] {
  const segments = layOutSegments(seccomp, architecture);
  if (architecture === "x86_64") {
    if (withX32) {
      segments.push(...layOutSegments(seccomp, "x32"));
    } else {
      const refuse = { rules: [], otherwise: SECCOMP_RET_KILL_THREAD };
      segments.push({ start: X32_SYSCALL_BIT, decision: refuse });
    }
  }
  const is64 = architecture === "x86_64" || architecture === "aarch64";
  return search(segments, 0, segments.length, is64);
}

function layOutSegments(seccomp: Seccomp, architecture: SyscallArchitecture): Segment[] {
  const defaultValue = actionValue(seccomp.defaultAction, seccomp.defaultErrnoRet);
  const decisions = collectDecisions(seccomp, architecture, defaultValue);
  const base = architecture === "x32" ? X32_SYSCALL_BIT : 0;
  const none: Decision = { rules: [], otherwise: defaultValue };
  const segments: Segment[] = [{ start: base, decision: none }];
  const push = (start: number, decision: Decision) => {
    const last = segments.at(-1)!;
    if (isConstant(last.decision, decision)) return;
    if (last.start === start) segments.pop();
    const before = segments.at(-1);
    if (before === undefined || !isConstant(before.decision, decision)) {
      segments.push({ start, decision });
    }
  };
  let next = base;
  for (const nr of [...decisions.keys()].sort((a, b) => a - b)) {
    if (nr > next) push(next, none);
    push(nr, decisions.get(nr)!);
    next = nr + 1;
  }
  const newest = newestNamed(seccomp, architecture);
  if (newest !== undefined && refuses(seccomp)) {
    if (newest >= next) push(next, none);
    push(newest + 1, { rules: [], otherwise: SECCOMP_RET_ERRNO | ENOSYS });
  } else {
    push(next, none);
  }
  return segments;
}

/** Whether both are one and the same return value. */
function isConstant(a: Decision, b: Decision): boolean {
  return a.rules.length === 0 && b.rules.length === 0 && a.otherwise === b.otherwise;
}

/** Whether the default keeps unknown calls from the kernel, so that ENOSYS is the kinder answer. */
function refuses(seccomp: Seccomp): boolean {
  return !["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"].includes(seccomp.defaultAction);
}

function newestNamed(seccomp: Seccomp, architecture: SyscallArchitecture): number | undefined {
  const table = syscallTable(architecture);
  let newest: number | undefined;
  for (const rule of seccomp.syscalls ?? []) {
    for (const name of rule.names) {
      const nr = table.get(name);
      if (nr !== undefined && nr > (newest ?? -1)) newest = nr;
    }
  }
  return newest;
}

function collectDecisions(
  seccomp: Seccomp,
  architecture: SyscallArchitecture,
  defaultValue: number,
): Map<number, Decision> {
  const table = syscallTable(architecture);
  const decisions = new Map<number, Decision>();
  for (const rule of seccomp.syscalls ?? []) {
    const value = actionValue(rule.action, rule.errnoRet);
    if (value === defaultValue) continue;
    for (const name of rule.names) {
      const nr = table.get(name);
      if (nr !== undefined) addRule(decisions, nr, rule, { value, defaultValue });
      const multiplexed = architecture === "x86" ? multiplexedCall(name) : undefined;
      if (multiplexed !== undefined && !rule.args?.length) {
        const args = [{ index: 0, value: multiplexed.selector, op: "SCMP_CMP_EQ" }];
        addRule(decisions, table.get(multiplexed.call)!, { ...rule, args }, {
          value,
          defaultValue,
        });
      }
    }
  }
  return decisions;
}

/** An unconditional rule replaces conditional ones and is never overruled, as in libseccomp. */
function addRule(
  decisions: Map<number, Decision>,
  nr: number,
  rule: SeccompRule,
  { value, defaultValue }: { value: number; defaultValue: number },
): void {
  const present = decisions.get(nr);
  if (present !== undefined && present.rules.length === 0) return;
  if (!rule.args?.length) {
    decisions.set(nr, { rules: [], otherwise: value });
  } else {
    const rules = [...present?.rules ?? [], { args: rule.args, value }];
    decisions.set(nr, { rules, otherwise: defaultValue });
  }
}

function actionValue(action: string, errnoRet = 1): number {
  if (action === "SCMP_ACT_NOTIFY") {
    throw new DhowError("unsupported", "Seccomp profile: SCMP_ACT_NOTIFY needs a listener");
  }
  const value = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (value === undefined) throw invalid(`unknown action "${action}"`);
  const takesErrno = value === SECCOMP_RET_ERRNO || value === SECCOMP_RET_TRACE;
  return takesErrno ? value | (errnoRet & 0xffff) : value;
}

function search(segments: Segment[], from: number, to: number, is64: boolean): BpfInstruction[] {
  if (to - from === 1) {
    const { start, decision } = segments[from]!;
    // libseccomp takes x32 for a 32-bit architecture.
    return decide(decision, is64 && start < X32_SYSCALL_BIT);
  }
  const middle = (from + to) >> 1;
  return branchGreaterEqual(
    segments[middle]!.start,
    search(segments, middle, to, is64),
    search(segments, from, middle, is64),
  );
}

function decide(decision: Decision, is64: boolean): BpfInstruction[] {
  return [
    ...decision.rules.flatMap(({ args, value }) => testRule(args, value, is64)),
    bpf(BPF.RET, decision.otherwise),
  ];
}

const FAIL = -1;
const PASS = -2;

/** Returns `value` if all conditions hold, else falls off its end. */
function testRule(args: SeccompArg[], value: number, is64: boolean): BpfInstruction[] {
  const code: BpfInstruction[] = [];
  for (const arg of args) {
    const test = testArg(arg, is64);
    // PASS leads behind this condition; FAIL is known when all are laid out.
    code.push(...patchJumps(test, PASS, test.length));
  }
  code.push(bpf(BPF.RET, value));
  return patchJumps(code, FAIL, code.length);
}

function patchJumps(code: BpfInstruction[], mark: number, target: number): BpfInstruction[] {
  return code.map((instruction, index) => ({
    ...instruction,
    jt: instruction.jt === mark ? target - index - 1 : instruction.jt,
    jf: instruction.jf === mark ? target - index - 1 : instruction.jf,
  }));
}

/** A condition on 64 bits, in halves: BPF's registers have 32. On 32-bit architectures only the low half counts. */
function testArg(arg: SeccompArg, is64: boolean): BpfInstruction[] {
  if (!(arg.index >= 0 && arg.index <= 5)) throw invalid(`argument index ${arg.index}`);
  const [high, low] = halves(arg.value ?? 0);
  const loadLow = bpf(BPF.LD_W_ABS, DATA_ARGS + arg.index * 8);
  const onHigh = (...tests: BpfInstruction[]) =>
    is64 ? [bpf(BPF.LD_W_ABS, DATA_ARGS + arg.index * 8 + 4), ...tests] : [];
  switch (arg.op) {
    case "SCMP_CMP_EQ":
      return [...onHigh(bpf(BPF.JEQ, high, 0, FAIL)), loadLow, bpf(BPF.JEQ, low, 0, FAIL)];
    case "SCMP_CMP_NE":
      return [...onHigh(bpf(BPF.JEQ, high, 0, PASS)), loadLow, bpf(BPF.JEQ, low, FAIL, 0)];
    case "SCMP_CMP_GT":
    case "SCMP_CMP_GE":
      return [
        ...onHigh(bpf(BPF.JGT, high, PASS, 0), bpf(BPF.JEQ, high, 0, FAIL)),
        loadLow,
        bpf(arg.op === "SCMP_CMP_GT" ? BPF.JGT : BPF.JGE, low, 0, FAIL),
      ];
    case "SCMP_CMP_LT":
    case "SCMP_CMP_LE":
      return [
        ...onHigh(bpf(BPF.JGT, high, FAIL, 0), bpf(BPF.JEQ, high, 0, PASS)),
        loadLow,
        bpf(arg.op === "SCMP_CMP_LT" ? BPF.JGE : BPF.JGT, low, FAIL, 0),
      ];
    case "SCMP_CMP_MASKED_EQ": {
      const [wantedHigh, wantedLow] = halves(arg.valueTwo ?? 0);
      const masked = (load: BpfInstruction, mask: number, wanted: number) => [
        load,
        bpf(BPF.AND, mask),
        bpf(BPF.JEQ, wanted, 0, FAIL),
      ];
      const loadHigh = bpf(BPF.LD_W_ABS, DATA_ARGS + arg.index * 8 + 4);
      const skipHigh = !is64 || (high === 0 && wantedHigh === 0);
      return [
        ...skipHigh ? [] : masked(loadHigh, high, wantedHigh),
        ...masked(loadLow, low, wantedLow),
      ];
    }
    default:
      throw invalid(`unknown operator "${arg.op}"`);
  }
}

function halves(value: number | bigint): [number, number] {
  const wide = BigInt.asUintN(64, BigInt(value));
  return [Number(wide >> 32n), Number(wide & 0xffffffffn)];
}

function invalid(what: string): DhowError {
  return new DhowError("invalid_argument", `Seccomp profile: ${what}`);
}
