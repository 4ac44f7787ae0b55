/**
 * AppArmor's restriction of user namespaces: Ubuntu lets only programs with a profile that says so have powers in them.
 *
 * @see https://ubuntu.com/blog/ubuntu-23-10-restricted-unprivileged-user-namespaces
 * @module
 */

/** The profile, for one program. */
function profileFor(program: string): string {
  return `abi <abi/4.0>,
include <tunables/global>
profile dhow-deno ${program} flags=(unconfined) {
  userns,
}
`;
}

/** The commands, for root, that allow this program user namespaces; undefined where nothing restricts it. */
export function apparmorRemedy(program: string = Deno.execPath()): string | undefined {
  if (read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") !== "1") return undefined;
  // A profile that is there has a name; without one it reads "unconfined".
  if (!/^(unconfined)?$/.test(read("/proc/self/attr/current") ?? "")) return undefined;
  const lines = profileFor(program).trimEnd().split("\n").map((line) => `'${line}'`).join(" ");
  return `printf '%s\\n' ${lines} > /etc/apparmor.d/dhow-deno && apparmor_parser -r /etc/apparmor.d/dhow-deno`;
}

function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).replaceAll("\0", "").trim();
  } catch {
    return undefined;
  }
}
