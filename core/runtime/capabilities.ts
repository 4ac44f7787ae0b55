/**
 * Linux capabilities: names, numbers, masks, docker's default set, and what `--cap-add` and `--cap-drop` make of it.
 *
 * @see man 7 capabilities
 * @module
 */
import { DhowError } from "../errors.ts";

/** All names in the order of their numbers; `<linux/capability.h>`. */
const NAMES = ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP " +
  "LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE " +
  "SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME " +
  "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG " +
  "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE")
  .split(" ").map((name) => `CAP_${name}`);

/** What a container holds unless told otherwise, in docker's order. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

/** How {@linkcode resolveCapabilities} is asked. */
export interface ResolveCapabilitiesOptions {
  /** `--cap-add`: names with or without `CAP_`, in any case, or `ALL`. */
  add?: readonly string[] | null;
  /** `--cap-drop`, likewise. */
  drop?: readonly string[] | null;
  /** `--privileged`: all, whatever is added or dropped. */
  privileged?: boolean;
  /**
   * Number of the newest capability this kernel knows; `/proc/sys/kernel/cap_last_cap`.
   * @default 40, CAP_CHECKPOINT_RESTORE, of Linux 5.9
   */
  lastCapability?: number;
}

/** All capabilities the kernel knows, by name, in the order of their numbers. */
export function allCapabilities(lastCapability: number = NAMES.length - 1): string[] {
  return NAMES.slice(0, lastCapability + 1);
}

/**
 * `chown` or `CAP_CHOWN` to `CAP_CHOWN`, `all` to `ALL`: the form `docker inspect` shows.
 *
 * @throws {DhowError} `invalid_argument`, in docker's words, if there is no such capability.
 */
export function parseCapability(text: string): string {
  const upper = text.toUpperCase();
  if (upper === "ALL") return "ALL";
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (!NAMES.includes(name)) {
    throw new DhowError("invalid_argument", `unknown capability: "${name}"`);
  }
  return name;
}

/**
 * {@linkcode parseCapability} for a list from `--cap-add` or `--cap-drop`, in order, each name once.
 *
 * @param field `CapAdd` or `CapDrop`: begins the error's text.
 */
export function parseCapabilities(field: "CapAdd" | "CapDrop", texts: readonly string[]): string[] {
  try {
    return [...new Set(texts.map(parseCapability))];
  } catch (error) {
    if (!(error instanceof DhowError)) throw error;
    throw new DhowError(error.code, `invalid ${field}: ${error.message}`, { cause: error });
  }
}

/**
 * The capabilities of a container.
 *
 * With `ALL` among the additions it is all but the drops; with `ALL` among the drops only the additions; else the
 * default ones without the drops, then the additions, which win over a drop of the same name.
 *
 * @throws {DhowError} `invalid_argument` if a name is no capability.
 */
export function resolveCapabilities(options: ResolveCapabilitiesOptions = {}): string[] {
  const all = allCapabilities(options.lastCapability);
  const add = parseCapabilities("CapAdd", options.add ?? []);
  const drop = parseCapabilities("CapDrop", options.drop ?? []);
  if (options.privileged) return all;
  if (add.includes("ALL")) return all.filter((name) => !drop.includes(name));
  if (drop.includes("ALL")) return add;
  const base = DEFAULT_CAPABILITIES.filter((name) => !drop.includes(name));
  return [...base, ...add.filter((name) => !base.includes(name))];
}

/** The set as a mask, bit n for capability number n, as `/proc/PID/status` prints it. */
export function capabilityMask(names: Iterable<string>): bigint {
  let mask = 0n;
  for (const name of names) {
    const number = NAMES.indexOf(name);
    if (number < 0) throw new DhowError("invalid_argument", `unknown capability: "${name}"`);
    mask |= 1n << BigInt(number);
  }
  return mask;
}

/** The names in a mask, in the order of their numbers; bits without a name are left out. */
export function capabilityNames(mask: bigint): string[] {
  return NAMES.filter((_, number) => (mask >> BigInt(number) & 1n) === 1n);
}

/** The number of `name` (`CAP_CHOWN`: 0), or -1. */
export function capabilityNumber(name: string): number {
  return NAMES.indexOf(name);
}
