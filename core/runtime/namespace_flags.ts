/**
 * Types of namespaces, as the kernel's flags.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import type { Namespace } from "../spec/runtime.ts";

const NAMESPACE_FLAGS: Record<Namespace["type"], number> = {
  user: C.CLONE_NEWUSER,
  mount: C.CLONE_NEWNS,
  pid: C.CLONE_NEWPID,
  network: C.CLONE_NEWNET,
  ipc: C.CLONE_NEWIPC,
  uts: C.CLONE_NEWUTS,
  cgroup: C.CLONE_NEWCGROUP,
  time: 0x80,
};

/** The flag of setns(2) and clone(2) for a namespace type. */
export function namespaceFlag(type: Namespace["type"]): number {
  return NAMESPACE_FLAGS[type];
}
