/**
 * The filter where the user namespace has but one id: what would change owners or users answers that it has.
 *
 * @module
 */
import type { SeccompProfile } from "./seccomp_profile.ts";

/** Calls that change whose a file is. */
const OWNERS = "chown chown32 fchown fchown32 fchownat lchown lchown32".split(" ");
/** Calls that change who a process is. */
const USERS =
  ("setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid " +
    "setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32")
    .split(" ");

/**
 * A profile in which these calls succeed and do nothing, whatever it says of them itself.
 *
 * @param asks The monitor is asked what to do with files' owners; else it is nothing.
 */
export function answerForIds(profile: SeccompProfile, asks: boolean): SeccompProfile {
  const answered = new Set([...OWNERS, ...USERS]);
  const rest = (profile.syscalls ?? []).map((rule) => {
    const { name, names, ...others } = rule;
    const all = name ? [name] : names ?? [];
    return { ...others, names: all.filter((each) => !answered.has(each)) };
  });
  const nothing = { action: "SCMP_ACT_ERRNO", errnoRet: 0 };
  return {
    ...profile,
    syscalls: [
      { names: USERS, ...nothing },
      { names: OWNERS, ...asks ? { action: "DHOW_ACT_ASK" } : nothing },
      ...rest.filter(({ names }) => names.length > 0),
    ],
  };
}
