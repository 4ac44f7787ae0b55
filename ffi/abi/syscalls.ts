/**
 * Numbers of all system calls by name, for each architecture a seccomp filter may meet. Large: import it only
 * where a filter is compiled.
 *
 * @module
 */
import { SYSCALLS_AARCH64 } from "./syscalls_aarch64.ts";
import { SYSCALLS_ARM } from "./syscalls_arm.ts";
import { SYSCALLS_X86 } from "./syscalls_x86.ts";
import { SYSCALLS_X86_64 } from "./syscalls_x86_64.ts";

/** An instruction set as the kernel's system call entry sees it. */
export type SyscallArchitecture = "x86_64" | "x86" | "x32" | "aarch64" | "arm";

/** Bit that marks a call of the x32 ABI; `__X32_SYSCALL_BIT` of asm/unistd.h. */
export const X32_SYSCALL_BIT = 0x40000000;

// Calls of x86_64 that x32 does not have, and those it has under another number (from 512 on, in order).
const X32_ABSENT = "uselib _sysctl create_module get_kernel_syms query_module nfsservctl " +
  "set_thread_area get_thread_area epoll_ctl_old epoll_wait_old vserver";
const X32_OWN = "rt_sigaction rt_sigreturn ioctl readv writev recvfrom sendmsg recvmsg execve " +
  "ptrace rt_sigpending rt_sigtimedwait rt_sigqueueinfo sigaltstack timer_create mq_notify " +
  "kexec_load waitid set_robust_list get_robust_list vmsplice move_pages preadv pwritev " +
  "rt_tgsigqueueinfo recvmmsg sendmmsg process_vm_readv process_vm_writev setsockopt getsockopt " +
  "io_setup io_submit execveat preadv2 pwritev2";

const tables = new Map<SyscallArchitecture, Map<string, number>>();

/** The table of `architecture`, name to number. x32's numbers carry {@linkcode X32_SYSCALL_BIT}. */
export function syscallTable(architecture: SyscallArchitecture): ReadonlyMap<string, number> {
  let table = tables.get(architecture);
  if (table === undefined) tables.set(architecture, table = buildTable(architecture));
  return table;
}

function buildTable(architecture: SyscallArchitecture): Map<string, number> {
  switch (architecture) {
    case "x86_64":
      return decodeSyscallTable(SYSCALLS_X86_64);
    case "x86":
      return decodeSyscallTable(SYSCALLS_X86);
    case "aarch64":
      return decodeSyscallTable(SYSCALLS_AARCH64);
    case "arm":
      return decodeSyscallTable(SYSCALLS_ARM);
    case "x32":
      return x32Table();
  }
}

function x32Table(): Map<string, number> {
  const table = decodeSyscallTable(SYSCALLS_X86_64);
  for (const name of X32_ABSENT.split(" ")) table.delete(name);
  for (const [index, name] of X32_OWN.split(" ").entries()) table.set(name, 512 + index);
  for (const [name, nr] of table) table.set(name, nr + X32_SYSCALL_BIT);
  return table;
}

/** Reads `read write 9:mmap mprotect`: 0, 1, 9, 10. */
export function decodeSyscallTable(text: string): Map<string, number> {
  const table = new Map<string, number>();
  let next = 0;
  for (const word of text.trim().split(/\s+/)) {
    const colon = word.indexOf(":");
    if (colon > 0) next = Number(word.slice(0, colon));
    table.set(word.slice(colon + 1), next++);
  }
  return table;
}
