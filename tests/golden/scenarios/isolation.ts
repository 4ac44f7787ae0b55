/**
 * What a container may and may not, asked from inside.
 *
 * @module
 */
import type { Scenario } from "./scenario.ts";

const MASKED =
  "/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats " +
  "/proc/sched_debug /proc/scsi /proc/timer_list /proc/timer_stats /sys/firmware " +
  "/sys/devices/virtual/powercap";
const look =
  `for p in ${MASKED}; do [ -e $p ] && { [ -d $p ] && ls -A $p || head -c 1 $p; }; done; echo over`;
const READ_ONLY = "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger";
const mounts =
  "grep -E ' (/dev[^ ]*|/sys|/proc|/proc/(bus|fs|irq|sys|kcore|sysrq-trigger)) ' /proc/mounts | cut -d' ' -f2-4 | " +
  "sed 's/,size=[0-9]*k//; s/,inode64//; s/,[gu]id=[0-9]*//g; s/,nr_inodes=[^,]*//; s/,mode=[0-7]*//' | sort";
const caps = "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status";

/** What docker was asked. */
export const isolation: readonly Scenario[] = [
  {
    name: "isolation",
    lines: [
      `docker run --rm busybox sh -c "${mounts.replaceAll("$", "\\$")}" | grep -v cgroup`,
      `docker run --rm busybox sh -c '${look}'`,
      `docker run --rm --security-opt systempaths=unconfined busybox sh -c 'head -c 4 /proc/interrupts >/dev/null && echo seen'`,
      `docker run --rm busybox sh -c 'for p in ${READ_ONLY}; do touch $p/x; echo x >$p || echo no; done' 2>/dev/null | sort | uniq -c`,
      "docker run --rm busybox sh -c 'ls /proc/self/fd | wc -l; ls -l /proc/1/fd | grep -c /'",
      `docker run --rm -u 1000 busybox ${caps}`,
      `docker run --rm -u 1000 --cap-add NET_ADMIN busybox ${caps}`,
      `docker run --rm --cap-add ALL busybox sh -c "${caps}" | grep -v 'Cap'`,
      `docker run --rm -u 1000 --privileged busybox ${caps}`,
      `docker run --rm --cap-drop ALL --cap-add chown busybox ${caps}`,
      `docker run --rm --security-opt no-new-privileges -u 7 busybox ${caps}`,
      "docker run --rm --cap-add NOPE busybox true",
      "docker run --rm --security-opt seccomp=nofile busybox true",
      "docker run --rm --security-opt nope busybox true",
      "docker run --rm busybox mount -t tmpfs none /mnt",
      "docker run --rm busybox mount --bind /tmp /mnt",
      "docker run --rm busybox umount /proc",
      "docker run --rm busybox mknod /x c 1 3",
      "docker run --rm busybox mknod /x p",
      "docker run --rm busybox chroot / true",
      "docker run --rm busybox unshare -U true",
      "docker run --rm busybox unshare -m true",
      "docker run --rm busybox unshare -n true",
      "docker run --rm busybox hostname other",
      "docker run --rm busybox ip link add d0 type dummy",
      "docker run --rm busybox chown 1000:1000 /tmp",
      "docker run --rm busybox sh -c 'echo 0 >/proc/sys/kernel/panic || echo no' 2>/dev/null",
      "docker run --rm busybox sh -c 'echo 1 >/proc/self/oom_score_adj; cat /proc/self/oom_score_adj'",
      "docker run --rm busybox sh -c 'echo -1 >/proc/self/oom_score_adj || echo no' 2>/dev/null",
      "docker run --rm busybox sh -c 'umask; ulimit -c; cat /proc/self/timerslack_ns'",
      "docker run --rm busybox sh -c 'cat /proc/self/attr/current 2>/dev/null | head -c 0; echo'",
      "docker run --rm busybox sh -c 'kill -9 1; echo alive'",
      "docker run --rm --pid host busybox sh -c 'test $$ != 1 && echo other'",
      "docker run --rm --uts host --hostname x busybox true",
      "docker run --rm --ipc none busybox ls /dev/shm",
      "docker run --rm busybox ls -ld / /root /tmp /dev /dev/pts /dev/shm | cut -c1-10",
    ],
  },
];
