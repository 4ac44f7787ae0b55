/**
 * The filter where the user namespace has but one id: what would change owners or users answers that it has.
 *
 * @module
 */
import type { SeccompProfile } from "./seccomp_profile.ts";

/** Calls that need a second id to mean anything. */
const ANSWERED =
  ("chown chown32 fchown fchown32 fchownat lchown lchown32 setfsgid setfsgid32 setfsuid " +
    "setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 setresuid " +
    "setresuid32 setreuid setreuid32 setuid setuid32").split(" ");

/** A profile in which these calls succeed and do nothing, whatever it says of them itself. */
export function answerForIds(profile: SeccompProfile): SeccompProfile {
  const answered = new Set(ANSWERED);
  const rest = (profile.syscalls ?? []).map((rule) => {
    const { name, names, ...others } = rule;
    const all = name ? [name] : names ?? [];
    return { ...others, names: all.filter((each) => !answered.has(each)) };
  });
  const answer = { names: ANSWERED, action: "SCMP_ACT_ERRNO", errnoRet: 0 };
  return { ...profile, syscalls: [answer, ...rest.filter(({ names }) => names.length > 0)] };
}
