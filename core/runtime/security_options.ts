/**
 * `--security-opt`, read.
 *
 * @module
 */
import { DhowError } from "../errors.ts";

/** What the options of one container amount to. */
export interface SecurityOptions {
  noNewPrivileges: boolean;
  /** Text of a custom profile, `unconfined`, or undefined for the default one. */
  seccomp?: string;
  apparmor?: string;
  /** SELinux: `disable`, `user:USER`, `type:TYPE`, ... */
  labels: string[];
}

/**
 * Reads the options as a container's record keeps them: `seccomp=` carries the profile's text, not its path.
 *
 * @throws {DhowError} `invalid_argument`, in docker's words.
 */
export function parseSecurityOptions(options: readonly string[] | null): SecurityOptions {
  const result: SecurityOptions = { noNewPrivileges: false, labels: [] };
  for (const option of options ?? []) {
    if (option === "no-new-privileges") {
      result.noNewPrivileges = true;
    } else if (option === "disable") {
      result.labels.push("disable");
    } else {
      readPair(result, option);
    }
  }
  return result;
}

function readPair(result: SecurityOptions, option: string): void {
  // The colon is the older separator.
  const at = option.includes("=") ? option.indexOf("=") : option.indexOf(":");
  if (at < 0) throw new DhowError("invalid_argument", `invalid --security-opt 1: "${option}"`);
  const value = option.slice(at + 1);
  switch (option.slice(0, at)) {
    case "label":
      result.labels.push(value);
      return;
    case "apparmor":
      result.apparmor = value;
      return;
    case "seccomp":
      // `builtin` names the default profile.
      if (value === "builtin") delete result.seccomp;
      else result.seccomp = value;
      return;
    case "no-new-privileges":
      if (/^(1|t|T|TRUE|true|True)$/.test(value)) result.noNewPrivileges = true;
      else if (/^(0|f|F|FALSE|false|False)$/.test(value)) result.noNewPrivileges = false;
      else break;
      return;
  }
  throw new DhowError("invalid_argument", `invalid --security-opt 2: "${option}"`);
}
