/**
 * Mounting, in a mount namespace of one's own.
 *
 * @module
 */
import {
  AT_FDCWD,
  CLONE_NEWNS,
  MNT_DETACH,
  MS_PRIVATE,
  MS_REC,
  O_CLOEXEC,
} from "./abi/constants.ts";
import { check, cString, openLibc } from "./libc.ts";

// <asm-generic/unistd.h>, the same everywhere; the C library has no wrapper before glibc 2.36.
const SYS_open_tree = 428n;
// <linux/mount.h>
const OPEN_TREE_CLONE = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const SYS_move_mount = 429n;

const libcMove = openLibc({
  /** (long number, int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags) */
  syscall: { parameters: ["i64", "i32", "buffer", "i32", "buffer", "u32"], result: "i64" },
});

const libc = openLibc({
  fchdir: { parameters: [/* fd */ "i32"], result: "i32" },
  chroot: { parameters: [/* path */ "buffer"], result: "i32" },
  unshare: { parameters: [/* flags */ "i32"], result: "i32" },
  setns: { parameters: [/* fd */ "i32", /* nstype */ "i32"], result: "i32" },
  /** (long number, int dirfd, const char *path, unsigned flags) */
  syscall: { parameters: ["i64", "i32", "buffer", "u32"], result: "i64" },
  umount2: { parameters: [/* target */ "buffer", /* flags */ "i32"], result: "i32" },
  mount: {
    parameters: [
      /* source */ "buffer",
      /* target */ "buffer",
      /* filesystemtype */ "buffer",
      /* mountflags */ "u64",
      /* data */ "buffer",
    ],
    result: "i32",
  },
});

/**
 * Gives this thread mounts of its own, as unshare(2) with `CLONE_NEWNS`. Other threads, and with them every asynchronous
 * operation, keep the old ones: go on with plain FFI calls only.
 *
 * @throws {SyscallError} `EPERM` outside a user namespace where this process is root.
 */
export function unshareMounts(): void {
  check("unshare", libc.unshare(CLONE_NEWNS), "mount namespace");
  mount("none", "/", { flags: MS_REC | MS_PRIVATE });
}

/** Goes to the mount namespace `fd`, this thread alone. Only after {@linkcode unshareMounts}. @throws {SyscallError} */
export function enterMounts(fd: number): void {
  check("setns", libc.setns(fd, CLONE_NEWNS), "mount namespace");
}

/**
 * A copy of the mount at `path` without those below it, attached nowhere, as open_tree(2).
 *
 * @returns A descriptor of its root.
 * @throws {SyscallError} `ENOSYS` before Linux 5.2.
 */
export function cloneMount(path: string): number {
  const flags = OPEN_TREE_CLONE | O_CLOEXEC;
  return check("open_tree", libc.syscall(SYS_open_tree, AT_FDCWD, cString(path), flags), path);
}

/** Attaches what {@linkcode cloneMount} has made at `target`, as move_mount(2). @throws {SyscallError} */
export function attachMount(fd: number, target: string): void {
  const result = libcMove.syscall(
    SYS_move_mount,
    fd,
    cString(""),
    AT_FDCWD,
    cString(target),
    MOVE_MOUNT_F_EMPTY_PATH,
  );
  check("move_mount", result, target);
}

/** Detaches the mount at `target`, as umount2(2) with `MNT_DETACH`: who uses it keeps it. @throws {SyscallError} */
export function detachMount(target: string): void {
  check("umount2", libc.umount2(cString(target), MNT_DETACH), target);
}

/** Mounts, as mount(2). @throws {SyscallError} */
export function mount(
  source: string,
  target: string,
  options: { type?: string; flags?: number; data?: string } = {},
): void {
  const { type = "", flags = 0, data = "" } = options;
  const result = libc.mount(
    cString(source),
    cString(target),
    cString(type),
    BigInt(flags),
    cString(data),
  );
  check("mount", result, target);
}

/**
 * Makes the directory `fd` this thread's root and working directory. Only after {@linkcode unshareMounts}, which also
 * parts this thread's root from the others'.
 *
 * @throws {SyscallError} `EPERM` without CAP_SYS_CHROOT.
 */
export function chrootTo(fd: number): void {
  check("fchdir", libc.fchdir(fd), `fd ${fd}`);
  check("chroot", libc.chroot(cString(".")), ".");
  check("fchdir", libc.fchdir(fd), `fd ${fd}`);
}
