/**
 * The seccomp filter of a container: the compiled program, from a cache on disk where it can be.
 *
 * Every start passes here, so the warm path is one read; profiles, tables and compiler load on a miss.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import type { SeccompProfile } from "./seccomp_profile.ts";

/** What a filter depends on. */
export interface CachedFilterOptions {
  /** The container's bounding set, as `CAP_*` names. */
  capabilities: readonly string[];
  /** @default this machine's */
  architecture?: "x86_64" | "aarch64";
  /**
   * There is but one id: calls that change users do nothing, and say that they did; so do those that change owners, or the
   * monitor is asked.
   */
  singleId?: "answers" | "asks" | false;
}

/** Part of the name of a cached filter; raise it whenever the compiler or the default profile changes. */
const GENERATION = 1;

/** The default profile's conditions, kept equal to `PROFILE_CAPABILITIES` by a test: that module is not loaded here. */
const DECISIVE = [
  "CAP_DAC_READ_SEARCH",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_CHROOT",
  "CAP_SYS_MODULE",
  "CAP_SYS_PACCT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_SYS_NICE",
  "CAP_SYSLOG",
  "CAP_BPF",
  "CAP_PERFMON",
];

/** Ends a cached filter, before its length in bytes as u32: a file cut short by a crash does not pass for one. */
const FOOTER = 0x776f6864;

/**
 * The program for `profile` and these capabilities, ready for seccomp(2).
 *
 * @param directory Where compiled filters are kept; made on the first miss. If it cannot be written nothing is kept.
 * @param profile The JSON text of a custom profile; `undefined` for the default one.
 * @returns An array of `struct sock_filter`.
 * @throws {DhowError} `invalid_argument` if the profile is malformed, `unsupported` if it needs a listener.
 */
export async function cachedFilter(
  directory: string,
  profile: string | undefined,
  options: CachedFilterOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { capabilities, singleId = false } = options;
  const architecture = options.architecture ?? Deno.build.arch;
  const name = filterName(profile, capabilities, architecture) + (singleId ? `-${singleId}` : "");
  const path = `${directory}/${name}`;
  return readFilter(path) ??
    await compileInto(path, profile, { capabilities, architecture, singleId });
}

/** A file name that differs wherever the program may. */
function filterName(
  profile: string | undefined,
  capabilities: readonly string[],
  architecture: string,
): string {
  if (profile === undefined) {
    let mask = 0;
    for (const [bit, name] of DECISIVE.entries()) {
      if (capabilities.includes(name)) mask |= 1 << bit;
    }
    return `default-${mask.toString(16)}-${architecture}-${GENERATION}`;
  }
  // The kernel's version decides `minKernel` rules.
  const key = [profile, Deno.osRelease(), ...[...capabilities].sort()].join("\0");
  return `custom-${hash(key, 1)}${hash(key, 2)}-${architecture}-${GENERATION}`;
}

/** 53 bits that tell texts apart; not against attackers, who could only fool themselves. */
function hash(text: string, seed: number): string {
  let a = 0xdeadbeef ^ seed;
  let b = 0x41c6ce57 ^ seed;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (a >>> 0).toString(16).padStart(8, "0") + (b >>> 0).toString(16).padStart(8, "0");
}

function readFilter(path: string): Uint8Array<ArrayBuffer> | undefined {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Deno.readFileSync(path);
  } catch {
    return undefined;
  }
  const length = bytes.length - 8;
  if (length < 8) return undefined;
  const view = new DataView(bytes.buffer);
  const whole = view.getUint32(length, true) === FOOTER &&
    view.getUint32(length + 4, true) === length;
  return whole ? bytes.subarray(0, length) : undefined;
}

async function compileInto(
  path: string,
  text: string | undefined,
  options: Required<CachedFilterOptions>,
): Promise<Uint8Array<ArrayBuffer>> {
  const [{ compileSeccomp }, { defaultProfile }, { parseSeccompProfile }] = await Promise.all([
    lazy<typeof import("./seccomp_compile.ts")>("./seccomp_compile.ts", import.meta.url),
    lazy<typeof import("./seccomp_profile.ts")>("./seccomp_profile.ts", import.meta.url),
    lazy<typeof import("./seccomp_resolve.ts")>("./seccomp_resolve.ts", import.meta.url),
  ]);
  const profile: SeccompProfile = text === undefined ? defaultProfile() : parseSeccompProfile(text);
  const { answerForIds } = await lazy<typeof import("./seccomp_single.ts")>(
    "./seccomp_single.ts",
    import.meta.url,
  );
  const { singleId } = options;
  const answering = singleId ? answerForIds(profile, singleId === "asks") : profile;
  const program = compileSeccomp(answering, options);
  keepFilter(path, program);
  return program;
}

function keepFilter(path: string, program: Uint8Array): void {
  const bytes = new Uint8Array(program.length + 8);
  bytes.set(program);
  const view = new DataView(bytes.buffer);
  view.setUint32(program.length, FOOTER, true);
  view.setUint32(program.length + 4, program.length, true);
  const temporary = `${path}.${crypto.randomUUID()}`;
  try {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
    Deno.writeFileSync(temporary, bytes, { mode: 0o600 });
    Deno.renameSync(temporary, path);
  } catch {
    // A store that cannot be written costs the next start a compilation, nothing else.
    try {
      Deno.removeSync(temporary);
    } catch {
      // It was never made.
    }
  }
}
