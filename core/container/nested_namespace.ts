/**
 * A container's own user namespace, below the shared one (`--userns`).
 *
 * The shared namespace's root has power over those below it: it maps any of its ids into them, mounts the container's root
 * for them, and attaches their networks. So the mapping needs no newuidmap(1), all helpers work in the shared namespace,
 * and nothing but the container keeps its namespace alive.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { type Fd, open, pipe, read } from "../../ffi/fd.ts";
import { SyscallError } from "../../ffi/errno.ts";
import { ProgramBuilder } from "../../ffi/program/builder.ts";
import { spawnOrphan } from "../../ffi/program/spawn.ts";
import type { NestedIds } from "../host/nested_ids.ts";
import { toShared } from "../host/nested_ids.ts";
import { visit } from "../network/namespace.ts";
import type { Rootfs } from "../runtime/init_rootfs.ts";
import type { UserNamespace } from "../runtime/userns.ts";
import type { IdMapping } from "../spec/runtime.ts";

const OPEN_TREE_CLONE = 1;

/**
 * Makes a user namespace with these ids.
 *
 * @returns A descriptor of it: it is gone with that and the processes that have entered it.
 * @throws {SyscallError} `ENOSPC` if a limit of user namespaces is reached.
 */
export function makeNestedNamespace(shared: UserNamespace, ids: NestedIds): Fd {
  const ready = pipe(), wait = pipe();
  using _readReady = ready.read;
  using _readWait = wait.read;
  using _writeWait = wait.write; // closed, it lets the process below go
  let pid: number;
  {
    using writeReady = ready.write;
    pid = spawnInside(shared.fd.number, writeReady.number, wait.read.number);
  }
  if (pid < 0) throw new SyscallError("clone", -pid, "create a user namespace");
  const made = read(ready.read.number, new Uint8Array(1));
  if (made !== 1) throw new SyscallError("unshare", 28, "create a user namespace");
  visit((there) => {
    there.enter(shared.fd.number, C.CLONE_NEWUSER, "enter the user namespace");
    for (const [file, mappings] of [["uid_map", ids.uids], ["gid_map", ids.gids]] as const) {
      const text = mapText(mappings);
      const label = `write ${file}`;
      const path = `/proc/${pid}/${file}`;
      const options = { orElse: there.fail, label };
      const fd = there.p.call("openat", [C.AT_FDCWD, path, C.O_WRONLY | C.O_CLOEXEC, 0], options);
      there.p.call("write", [fd, text, text.length], options);
      there.p.call("close", [fd]);
    }
    return [];
  });
  return open(`/proc/${pid}/ns/user`, C.O_RDONLY);
}

function mapText(mappings: readonly IdMapping[]): string {
  return mappings.map((m) => `${m.containerID} ${m.hostID} ${m.size}\n`).join("");
}

/** A process in a new user namespace that stays until the other end of `wait` is closed. */
function spawnInside(shared: number, ready: number, wait: number): number {
  const p = new ProgramBuilder();
  const fail = p.label("failed");
  p.call("setns", [shared, C.CLONE_NEWUSER], { orElse: fail, label: "enter" });
  p.call("unshare", [C.CLONE_NEWUSER], { orElse: fail, label: "unshare" });
  p.call("write", [ready, p.bytes(new Uint8Array([1])), 1]);
  p.call("read", [wait, p.buffer(8), 1]);
  p.place(fail);
  p.exit(0);
  return spawnOrphan(p.build(), "dhow-userns", [shared, ready, wait]).pid;
}

/**
 * Mounts a container's root in the shared user namespace, whose root may write to it all, attached nowhere.
 *
 * @returns A descriptor of the mount.
 * @throws {SyscallError} as mount(2).
 */
export function mountDetached(shared: UserNamespace, rootfs: Rootfs): Fd {
  const { mountpoint, overlay, taken } = rootfs;
  const [tree] = visit((there) => {
    const { p, fail } = there;
    there.enter(shared.fd.number, C.CLONE_NEWUSER, "enter the user namespace");
    const must = (label: string, ...[name, args]: Parameters<typeof p.call>) =>
      p.call(name, args, { orElse: fail, label });
    if (taken !== undefined) {
      const label = "take the root from fuse-overlayfs";
      const mounts = must(label, "openat", [C.AT_FDCWD, taken, C.O_RDONLY | C.O_CLOEXEC, 0]);
      must(label, "setns", [mounts, C.CLONE_NEWNS]);
      p.call("close", [mounts]);
    } else {
      const { base, lower, upper, work } = overlay!;
      must("create a mount namespace", "unshare", [C.CLONE_NEWNS]);
      must("separate the mounts", "mount", [0, "/", 0, C.MS_REC | C.MS_PRIVATE, 0]);
      must("go to the layers", "chdir", [base]);
      const data = `lowerdir=${lower.join(":")},upperdir=${upper},workdir=${work},userxattr`;
      const label = `mount the overlay of ${lower.length} layers`;
      must(label, "mount", ["overlay", mountpoint, "overlay", 0, data]);
    }
    const flags = OPEN_TREE_CLONE | C.O_CLOEXEC;
    return [must("take the root", "open_tree", [C.AT_FDCWD, mountpoint, flags])];
  });
  return tree!;
}

/** Gives files of ours to root of the container. @param paths Absolute; links are not followed. */
export function giveToRoot(shared: UserNamespace, ids: NestedIds, paths: readonly string[]): void {
  const uid = toShared(ids.uids, 0) ?? 0, gid = toShared(ids.gids, 0) ?? 0;
  visit((there) => {
    there.enter(shared.fd.number, C.CLONE_NEWUSER, "enter the user namespace");
    for (const path of paths) {
      const args = [C.AT_FDCWD, path, uid, gid, C.AT_SYMLINK_NOFOLLOW];
      there.p.call("fchownat", args, { orElse: there.fail, label: `change the owner of ${path}` });
    }
    return [];
  });
}
