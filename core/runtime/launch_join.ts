/**
 * The part of a start between monitor and init: a process that enters what is there already, and clones init.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import type { Label, ProgramBuilder, Value } from "../../ffi/program/builder.ts";
import type { Namespace } from "../spec/runtime.ts";
import { cloneInto } from "./clone_into.ts";
import type { LaunchGroup, LaunchPlan } from "./launch.ts";
import { namespaceFlag } from "./namespace_flags.ts";

/** What the go-between and the monitor have in common. */
export interface Joiner {
  pid: Value;
  mounts: Value;
  /** The control group's descriptor; undefined if there is none. */
  group: Value | undefined;
  fail: Label;
}

/**
 * Adds the go-between that enters namespaces, clones init as the monitor's child and leaves init's pid in `pid`.
 *
 * Init's mount namespace is made before init, so that the monitor can hold it by a descriptor, left in `mounts`: taking
 * it down takes the kernel 2 ms, which then come after init's end instead of before.
 */
export function emitJoin(
  p: ProgramBuilder,
  plan: LaunchPlan,
  { pid, mounts, group, init, fail }: Joiner & { init: Label },
): void {
  p.call("setns", [plan.userNamespace, C.CLONE_NEWUSER], {
    orElse: fail,
    label: "enter the user namespace",
  });
  for (const { type, fd } of plan.join) {
    p.call("setns", [fd, namespaceFlag(type)], {
      orElse: fail,
      label: `join the ${type} namespace`,
    });
  }
  if (plan.ownNamespace !== undefined) {
    p.call("setns", [plan.ownNamespace, C.CLONE_NEWUSER], {
      orElse: fail,
      label: "enter the container's user namespace",
    });
  }
  let flags = ownNamespaces(plan) | C.CLONE_PARENT | C.SIGCHLD;
  if ((flags & C.CLONE_NEWNS) !== 0) {
    const label = "create the mount namespace";
    p.call("unshare", [C.CLONE_NEWNS], { orElse: fail, label });
    const flagsOfOpen = C.O_RDONLY | C.O_CLOEXEC;
    p.set(mounts, p.call("openat", [C.AT_FDCWD, "/proc/self/ns/mnt", flagsOfOpen]));
    flags &= ~C.CLONE_NEWNS;
  }
  const label = "create the container's namespaces";
  if (group === undefined) p.set(pid, p.clone(flags, init, { orElse: fail, label }));
  else p.set(pid, cloneInto(p, group, flags & ~C.CLONE_NEWCGROUP, init, { orElse: fail, label }));
  p.exit(0);
}

/** The longest path there is. */
const PATH_MAX = 4096;

/** Adds what opens the container's control group, once it is there. */
export function emitGroup(p: ProgramBuilder, group: LaunchGroup, leave: Label, fail: Label): Value {
  const fd = p.variable(0);
  if (group.kind === "open") {
    p.set(fd, group.fd);
    return fd;
  }
  const path = p.buffer(PATH_MAX);
  p.jumpIf(p.call("read", [group.path, path, PATH_MAX - 1]), "<", 1, leave);
  const flags = C.O_PATH | C.O_DIRECTORY | C.O_CLOEXEC;
  const label = "open the control group";
  p.set(fd, p.call("openat", [C.AT_FDCWD, path, flags, 0], { orElse: fail, label }));
  return fd;
}

/** Flags of the namespaces that init is to get by clone(2): neither joined nor made before. */
function ownNamespaces({ spec, join }: LaunchPlan): number {
  return spec.linux.namespaces
    .filter(({ type, path }) => path === undefined && type !== "user" && !joins(join, type))
    .reduce((flags, { type }) => flags | namespaceFlag(type), 0);
}

/** Whether it joins another's namespace of that type. */
export function joins(join: LaunchPlan["join"], type: Namespace["type"]): boolean {
  return join.some((joined) => joined.type === type);
}
