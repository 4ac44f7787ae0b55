/**
 * Mounting, in a mount namespace of one's own.
 *
 * @module
 */
import { CLONE_NEWNS, MS_PRIVATE, MS_REC } from "./abi/constants.ts";
import { check, cString, openLibc } from "./libc.ts";

const libc = openLibc({
  fchdir: { parameters: [/* fd */ "i32"], result: "i32" },
  chroot: { parameters: [/* path */ "buffer"], result: "i32" },
  unshare: { parameters: [/* flags */ "i32"], result: "i32" },
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
