/**
 * `dhow doctor`: what this machine gives dhow, what it keeps from it, and the command that mends it.
 *
 * @module
 */
import { isWritable } from "../../ffi/access.ts";
import { CGROUP_ROOT, controllersOf, delegatedGroup, isUnified } from "../cgroup/hierarchy.ts";
import { findPlace } from "../cgroup/place.ts";
import { measureAbilities } from "../container/storage_choice.ts";
import { apparmorRemedy } from "../host/apparmor.ts";
import { caller } from "../host/subid.ts";
import { endsWithSession, LINGER_COMMAND } from "../host/linger.ts";
import type { StorePaths } from "../host/paths.ts";
import { isThere } from "../host/stat.ts";
import { formatBinarySize } from "../lib/units.ts";
import { findProgram } from "../network/uplink.ts";
import { ensureUserNamespace } from "../runtime/userns.ts";
import type { HostCheck } from "./engine.ts";

/** The oldest kernel on which everything works. */
const KERNEL = [5, 14] as const;
const CONTROLLERS = ["cpu", "cpuset", "io", "memory", "pids"];
/** Below that many bytes a pull is likely to fail. */
const FREE_BYTES = 2 * 1024 ** 3;

type Finding = Omit<HostCheck, "name">;

/** Looks at the machine. Makes the user namespace and measures the storage as a first container would. */
export async function* checkHost(paths: StorePaths): AsyncGenerator<HostCheck> {
  const check = (name: string, finding: Finding): HostCheck => ({ name, ...finding });
  yield check("kernel", checkKernel());
  const namespace = await checkNamespace(paths);
  yield check("user namespace", namespace);
  if (namespace.state !== "failed") {
    yield check("ids", await checkIds(paths));
    yield check("storage", await checkStorage(paths));
  }
  const apparmor = apparmorRemedy();
  if (apparmor !== undefined) {
    yield check("AppArmor", failed("it takes all powers in user namespaces from dhow", apparmor));
  }
  yield check("disk", await checkDisk(paths));
  yield check("network", checkNetwork());
  yield check("limits", checkLimits());
  yield check("runtime directory", checkRuntime());
  yield check("after logout", checkLogout());
  yield check("seccomp", checkSeccomp());
  yield check("IPv6", checkIpv6());
  yield check("low ports", checkPorts());
}

const ok = (found: string): Finding => ({ state: "ok", found });
const warning = (found: string, remedy: string): Finding => ({ state: "warning", found, remedy });
const failed = (found: string, remedy: string): Finding => ({ state: "failed", found, remedy });

function checkKernel(): Finding {
  const release = Deno.osRelease();
  const [major = 0, minor = 0] = release.split(".").map(Number);
  const isOld = major < KERNEL[0] || major === KERNEL[0] && minor < KERNEL[1];
  return isOld
    ? warning(
      `${release}, where some things take longer ways`,
      `a kernel from ${KERNEL.join(".")} on`,
    )
    : ok(release);
}

async function checkNamespace(paths: StorePaths): Promise<Finding> {
  try {
    using namespace = await ensureUserNamespace(paths);
    return ok(`held by process ${namespace.holderPid}`);
  } catch (error) {
    const { message } = error as Error;
    return failed(message, remedyOf(message) ?? "ask the administrator to allow user namespaces");
  }
}

/** Errors end in what mends them. */
function remedyOf(message: string): string | undefined {
  return /to mend it: (.*)$/s.exec(message)?.[1];
}

async function checkIds(paths: StorePaths): Promise<Finding> {
  using namespace = await ensureUserNamespace(paths);
  const { map } = namespace;
  if (map.single) {
    const { user, uid } = caller();
    const name = user ?? String(uid);
    const isMissing = (map.reason ?? "").includes("is not installed");
    return warning(
      `one: ${map.reason}`,
      isMissing
        ? "apt-get install uidmap, or dnf install shadow-utils"
        : `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${name}, then no container running: dhow doctor`,
    );
  }
  const count = map.uids.reduce((sum, { size }) => sum + size, 0);
  return ok(`${count} users, ${map.gids.reduce((sum, { size }) => sum + size, 0)} groups`);
}

async function checkStorage(paths: StorePaths): Promise<Finding> {
  const { attributes, owners, overlay, fuse } = await measureAbilities(paths);
  const missing = attributes ?? owners;
  if (missing !== undefined) {
    return warning(
      `every container gets a copy of its image: ${missing}`,
      `a local file system with extended attributes for "${paths.root}" (DHOW_ROOT says where)`,
    );
  }
  if (overlay === undefined) return ok("the kernel's overlay");
  if (fuse === undefined) {
    return warning(`fuse-overlayfs, one process a container: ${overlay}`, "a kernel from 5.11 on");
  }
  return warning(
    `every container gets a copy of its image: ${overlay}; ${fuse}`,
    isThere("/dev/fuse") && isWritable("/dev/fuse")
      ? "apt-get install fuse-overlayfs"
      : "chmod 666 /dev/fuse, and apt-get install fuse-overlayfs",
  );
}

async function checkDisk(paths: StorePaths): Promise<Finding> {
  const { statfs } = await import("node:fs/promises");
  let directory = paths.root;
  while (!isThere(directory)) directory = directory.slice(0, directory.lastIndexOf("/")) || "/";
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const text = `${formatBinarySize(free)} free at "${directory}"`;
  return free < FREE_BYTES
    ? warning(text, "dhow system prune -a, or DHOW_ROOT for another place")
    : ok(text);
}

function checkNetwork(): Finding {
  const uplink = findProgram("pasta") ?? findProgram("slirp4netns");
  if (uplink === undefined) {
    return warning("only --network none and host: no uplink", "apt-get install passt");
  }
  if (findProgram("nft") === undefined) {
    return warning("only --network none and host: no nft", "apt-get install nftables");
  }
  if (!isThere("/dev/net/tun")) {
    return warning("only --network none and host: there is no /dev/net/tun", "modprobe tun");
  }
  if (!isWritable("/dev/net/tun")) {
    return warning(
      "only --network none and host: /dev/net/tun may not be opened",
      "chmod 666 /dev/net/tun",
    );
  }
  return ok(`by ${uplink}`);
}

const DELEGATE =
  "systemctl edit user@.service, adding [Service] and Delegate=cpu cpuset io memory pids; then log in anew";

function checkLimits(): Finding {
  if (!isUnified()) {
    return warning(
      "none: control groups are of version 1, or mixed",
      "the kernel's option systemd.unified_cgroup_hierarchy=1",
    );
  }
  const place = findPlace("");
  if (place === undefined) {
    return warning(
      "none: no service manager (systemd --user), and no control group is yours",
      "log in by ssh or at the console rather than by su, or start dhow in a delegated group",
    );
  }
  const { uid } = caller();
  const slice = `${CGROUP_ROOT}/user.slice/user-${uid}.slice/user@${uid}.service`;
  const there = controllersOf(place.kind === "scope" ? slice : delegatedGroup() ?? CGROUP_ROOT);
  const lacking = CONTROLLERS.filter((name) => !there.includes(name));
  const how = place.kind === "scope" ? "by the service manager" : `below "${place.parent}"`;
  return lacking.length === 0
    ? ok(`${CONTROLLERS.join(", ")}, ${how}`)
    : warning(`no ${lacking.join(", ")}; the rest ${how}`, DELEGATE);
}

function checkRuntime(): Finding {
  const { uid } = caller();
  const told = Deno.env.get("XDG_RUNTIME_DIR");
  if (uid === 0 || told) return ok(told ?? "/run");
  return isThere(`/run/user/${uid}`)
    ? warning("XDG_RUNTIME_DIR is not set", `export XDG_RUNTIME_DIR=/run/user/${uid}`)
    : ok("a directory of dhow's own, since there is no XDG_RUNTIME_DIR");
}

function checkLogout(): Finding {
  return endsWithSession()
    ? warning("containers end when you log out", LINGER_COMMAND)
    : ok("containers live on");
}

function checkSeccomp(): Finding {
  return isThere("/proc/sys/kernel/seccomp/actions_avail")
    ? ok("system calls are filtered")
    : failed("the kernel has no seccomp filters", "a kernel with CONFIG_SECCOMP_FILTER");
}

function checkIpv6(): Finding {
  return isThere("/proc/sys/net/ipv6") ? ok("there") : ok("not there: IPv4 only");
}

function checkPorts(): Finding {
  const first = Number(readText("/proc/sys/net/ipv4/ip_unprivileged_port_start") ?? "1024");
  if (caller().uid === 0 || first <= 80) return ok("may be published");
  return ok(`from ${first} on; lower ones with: sysctl net.ipv4.ip_unprivileged_port_start=80`);
}

function readText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return undefined;
  }
}
