/**
 * Reads seccomp profiles and settles what depends on the container and the machine: docker's conditional rules become
 * the runtime-spec's plain ones.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { assertShape, type Shape } from "../lib/shape.ts";
import type { Seccomp, SeccompArg, SeccompRule } from "../spec/runtime.ts";
import type { ProfileCondition, ProfileRule, SeccompProfile } from "./seccomp_profile.ts";

/** What a profile's conditions are about. */
export interface ResolveProfileOptions {
  /** The container's bounding set, as `CAP_*` names. */
  capabilities: Iterable<string>;
  /** This machine's, as `Deno.build.arch` says it. */
  architecture: "x86_64" | "aarch64";
  /**
   * Kernel version, `6.1.0-18-amd64`.
   * @default this machine's
   */
  kernel?: string;
}

const GO_ARCHITECTURE = { x86_64: "amd64", aarch64: "arm64" } as const;
const OCI_ARCHITECTURE = { x86_64: "SCMP_ARCH_X86_64", aarch64: "SCMP_ARCH_AARCH64" } as const;

const CONDITION: Shape = { caps: ["text"], arches: ["text"], minKernel: "text" };

const PROFILE: Shape = {
  defaultAction: "text",
  defaultErrnoRet: "count",
  architectures: ["text"],
  archMap: [{ architecture: "text", subArchitectures: ["text"] }],
  flags: ["text"],
  syscalls: [{
    names: ["text"],
    name: "text",
    action: "text",
    errnoRet: "count",
    args: [{ index: "count", value: "count", valueTwo: "count", op: "text" }],
    includes: CONDITION,
    excludes: CONDITION,
  }],
};

/**
 * A profile from its JSON text, docker's format or the runtime-spec's. Argument values beyond 2^53 stay exact.
 *
 * @throws {DhowError} `invalid_argument` if the text is no profile.
 */
export function parseSeccompProfile(text: string): SeccompProfile {
  try {
    const profile = JSON.parse(text, exactIntegers);
    assertShape(profile, PROFILE, "the profile");
    return profile;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DhowError("invalid_argument", `Decoding seccomp profile failed: ${why}`, { cause });
  }
}

function exactIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  // As in Go, null is as good as nothing.
  if (value === null) return undefined;
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  return /^\d+$/.test(context?.source ?? "") ? BigInt(context!.source!) : value;
}

/**
 * The runtime-spec's `linux.seccomp` that `profile` amounts to here.
 *
 * @throws {DhowError} `invalid_argument` if the profile contradicts itself.
 */
export function resolveProfile(profile: SeccompProfile, options: ResolveProfileOptions): Seccomp {
  if (profile.architectures?.length && profile.archMap?.length) {
    throw invalid(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  }
  const native = OCI_ARCHITECTURE[options.architecture];
  const mapped = profile.archMap?.find((entry) => entry.architecture === native);
  const architectures = mapped === undefined
    ? profile.architectures ?? []
    : [mapped.architecture, ...mapped.subArchitectures ?? []];
  const capabilities = new Set(options.capabilities);
  return {
    defaultAction: profile.defaultAction,
    ...profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet },
    ...architectures.length > 0 ? { architectures } : {},
    ...profile.flags === undefined ? {} : { flags: profile.flags },
    syscalls: (profile.syscalls ?? [])
      .filter((rule) => applies(rule, options, capabilities))
      .flatMap(plainRules),
  };
}

function applies(
  { includes, excludes }: ProfileRule,
  options: ResolveProfileOptions,
  capabilities: Set<string>,
): boolean {
  const hits = (condition: ProfileCondition) => ({
    arch: condition.arches?.includes(GO_ARCHITECTURE[options.architecture]) ?? false,
    kernel: condition.minKernel !== undefined && isKernelAtLeast(condition.minKernel, options),
  });
  if (excludes) {
    const { arch, kernel } = hits(excludes);
    if (arch || kernel || excludes.caps?.some((name) => capabilities.has(name))) return false;
  }
  if (includes) {
    const { arch, kernel } = hits(includes);
    if (includes.arches?.length && !arch) return false;
    if (includes.minKernel && !kernel) return false;
    if (includes.caps?.some((name) => !capabilities.has(name))) return false;
  }
  return true;
}

function plainRules(rule: ProfileRule): SeccompRule[] {
  if (rule.name && rule.names?.length) {
    throw invalid(
      "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'",
    );
  }
  const { action, errnoRet } = rule;
  const plain = {
    names: rule.name ? [rule.name] : rule.names ?? [],
    action,
    ...errnoRet === undefined || errnoRet === null ? {} : { errnoRet },
  };
  const args = rule.args ?? [];
  if (args.length === 0) return [plain];
  // Several conditions on one argument are alternatives, as runc reads them.
  return hasRepeatedIndex(args)
    ? args.map((arg) => ({ ...plain, args: [arg] }))
    : [{ ...plain, args }];
}

function hasRepeatedIndex(args: SeccompArg[]): boolean {
  return new Set(args.map((arg) => arg.index)).size < args.length;
}

function isKernelAtLeast(wanted: string, { kernel = Deno.osRelease() }: ResolveProfileOptions) {
  const match = /^(\d+)\.(\d+)$/.exec(wanted);
  if (!match) {
    throw invalid(`invalid kernel version "${wanted}" in the seccomp profile: want "MAJOR.MINOR"`);
  }
  const [major = 0, minor = 0] = kernel.split(".").map((part) => parseInt(part));
  const wantedMajor = Number(match[1]);
  return major > wantedMajor || (major === wantedMajor && minor >= Number(match[2]));
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}
