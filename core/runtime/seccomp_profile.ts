/**
 * The default seccomp profile, with the effect of docker's, and the format of profiles: docker's JSON, of which the
 * runtime-spec's `linux.seccomp` is a subset. Data only; imported where a filter is compiled, never on a warm start.
 *
 * @see https://docs.docker.com/engine/security/seccomp/
 * @module
 */
import type { SeccompArg } from "../spec/runtime.ts";

/** A profile in docker's format or the runtime-spec's. */
export interface SeccompProfile {
  /** What befalls calls without a rule: `SCMP_ACT_ERRNO`. */
  defaultAction: string;
  /** @default 1, EPERM. */
  defaultErrnoRet?: number;
  /** `SCMP_ARCH_X86_64`, ...; the native one is always in. Not together with `archMap`. */
  architectures?: string[];
  archMap?: { architecture: string; subArchitectures?: string[] | null }[];
  /** `SECCOMP_FILTER_FLAG_LOG`, ... */
  flags?: string[];
  syscalls?: ProfileRule[];
}

/** A rule, and when it applies. */
export interface ProfileRule {
  names?: string[];
  /** The old format's one name. */
  name?: string;
  action: string;
  errnoRet?: number;
  args?: SeccompArg[] | null;
  comment?: string;
  /** All must hold. */
  includes?: ProfileCondition;
  /** None may hold. */
  excludes?: ProfileCondition;
}

/** What a rule may depend on. */
export interface ProfileCondition {
  /** `CAP_SYS_ADMIN`: in the bounding set. */
  caps?: string[];
  /** Go's names: `amd64`, `arm64`. */
  arches?: string[];
  /** `4.8`. */
  minKernel?: string;
}

/** Calls open to every container. */
const ALLOWED = `
_llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir
chmod chown chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime
clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range
creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2
epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2
fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32
fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64
futex_wait futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents
getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer
getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid
getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getuid32
getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel
io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl ioprio_get
ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown
lchown32 lgetxattr link linkat listen listmount listxattr listxattrat llistxattr lremovexattr
lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret
mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr
mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap
name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe
pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2
prlimit64 process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read readahead
readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages
removexattr removexattrat rename renameat renameat2 restart_syscall riscv_hwprobe rmdir rseq
rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max
sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam
sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop semtimedop_time64
send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address
setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid
setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32
setrlimit setsid setsockopt setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown
sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64
statfs statfs64 statmount statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill
time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime
timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64
times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime utimensat
utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev
`;

/** Calls open to containers that hold the capability. */
const ALLOWED_WITH: Record<string, string> = {
  CAP_DAC_READ_SEARCH: "open_by_handle_at",
  CAP_SYS_ADMIN: "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie " +
    "lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree " +
    "perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare",
  CAP_SYS_BOOT: "reboot",
  CAP_SYS_CHROOT: "chroot",
  CAP_SYS_MODULE: "delete_module init_module finit_module",
  CAP_SYS_PACCT: "acct",
  CAP_SYS_PTRACE: "kcmp pidfd_getfd process_madvise",
  CAP_SYS_RAWIO: "iopl ioperm",
  CAP_SYS_TIME: "settimeofday stime clock_settime clock_settime64",
  CAP_SYS_TTY_CONFIG: "vhangup",
  CAP_SYS_NICE: "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
  CAP_SYSLOG: "syslog",
  CAP_BPF: "bpf",
  CAP_PERFMON: "perf_event_open",
};

/** The capabilities that change what the default profile allows: they, and no others, tell compiled filters apart. */
export const PROFILE_CAPABILITIES: readonly string[] = Object.keys(ALLOWED_WITH);

/** Flags of clone(2) that make a namespace. */
const NAMESPACE_FLAGS = 0x7e020000;

const AF_ALG = 38;
const AF_VSOCK = 40;

/** Execution domains that only change addresses and uname: Linux, Linux32, both without randomisation, query. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** The default profile. */
export function defaultProfile(): SeccompProfile {
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 1,
    archMap: [
      {
        architecture: "SCMP_ARCH_X86_64",
        subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
      },
      { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
    ],
    syscalls: [
      allow(`${ALLOWED} process_vm_readv process_vm_writev ptrace`),
      // Neither the kernel's crypto (a frequent way to root) nor the hypervisor's sockets, which know no namespaces.
      allow("socket", { args: [{ index: 0, value: AF_ALG, op: "SCMP_CMP_LT" }] }),
      allow("socket", { args: [{ index: 0, value: AF_ALG + 1, op: "SCMP_CMP_EQ" }] }),
      allow("socket", { args: [{ index: 0, value: AF_VSOCK, op: "SCMP_CMP_GT" }] }),
      ...PERSONALITIES.map((value) =>
        allow("personality", { args: [{ index: 0, value, op: "SCMP_CMP_EQ" }] })
      ),
      allow("arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls", {
        includes: { arches: ["arm", "arm64"] },
      }),
      allow("arch_prctl modify_ldt", { includes: { arches: ["amd64"] } }),
      ...Object.entries(ALLOWED_WITH).map(([capability, names]) =>
        allow(names, { includes: { caps: [capability] } })
      ),
      allow("clone", {
        args: [{ index: 0, value: NAMESPACE_FLAGS, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
        excludes: { caps: ["CAP_SYS_ADMIN"] },
      }),
      // Its flags lie in memory, out of a filter's reach: ENOSYS makes libc fall back to clone().
      {
        names: ["clone3"],
        action: "SCMP_ACT_ERRNO",
        errnoRet: 38,
        excludes: { caps: ["CAP_SYS_ADMIN"] },
      },
    ],
  };
}

function allow(names: string, more: Partial<ProfileRule> = {}): ProfileRule {
  return { names: names.trim().split(/\s+/), action: "SCMP_ACT_ALLOW", ...more };
}
