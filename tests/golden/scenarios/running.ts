/**
 * What a program in a container finds, and what is seen of it.
 *
 * @module
 */
import type { Scenario } from "./scenario.ts";

/** What a program in a container finds, and what is seen of it. */
export const running: readonly Scenario[] = [
  {
    name: "exit codes",
    lines: [
      "docker run --rm busybox true",
      "docker run --rm busybox false",
      "docker run --rm busybox sh -c 'exit 3'",
      "docker run --rm --init busybox sh -c 'kill -9 $$'",
      "docker run --rm busybox nonexistent",
      "docker run --rm busybox /etc",
      "docker run --rm busybox /etc/passwd",
      "docker run --rm --entrypoint '' busybox",
      "docker run --rm --entrypoint '' busybox echo a",
      "docker run --rm --entrypoint echo busybox a b",
    ],
  },
  {
    name: "output and input",
    lines: [
      "docker run --rm busybox sh -c 'echo out; echo err >&2'",
      "docker run --rm --rm=false --name kept busybox echo hi; docker rm kept",
      "docker run --rm -a stdout busybox sh -c 'echo out; echo err >&2'",
      "docker run --rm -a stderr busybox sh -c 'echo out; echo err >&2'",
      "printf 'a\\nb\\n' | docker run --rm -i busybox cat",
      "printf 'a\\nb\\n' | docker run --rm busybox cat",
      "docker run --rm -t busybox sh -c 'echo a; tty'",
      "head -c 1000000 /dev/zero | docker run --rm -i busybox wc -c",
      "docker run --rm busybox head -c 3000000 /dev/zero | wc -c",
    ],
  },
  {
    name: "what a container finds",
    lines: [
      "docker run --rm -h box busybox env",
      "docker run --rm -h box -t busybox env",
      "docker run --rm -h box -e A=b -e NOPE -e X= busybox env | sort",
      "A=1 docker run --rm -h box -e A busybox env",
      "printf '# c\\n\\n  A=b \\nNOPE\\nC=d # e\\n' >env; docker run --rm -h box --env-file env busybox env",
      "docker run --rm -u 1000 busybox id",
      "docker run --rm -u 1000:5 --group-add 7 --group-add staff busybox id",
      "docker run --rm -u daemon busybox id",
      "docker run --rm -w /x/y busybox pwd",
      "docker run --rm busybox sh -c 'ls /dev; ls -ld /dev/shm /dev/mqueue /dev/pts | cut -c1-10'",
      "docker run --rm busybox grep -E '^(Cap|NoNewPrivs|Seccomp:|Uid|Gid|Groups)' /proc/self/status",
      "docker run --rm --cap-add NET_ADMIN --cap-drop MKNOD busybox grep Cap /proc/self/status",
      "docker run --rm --cap-drop ALL busybox grep Cap /proc/self/status",
      "docker run --rm -u 5 busybox grep Cap /proc/self/status",
      "docker run --rm --privileged busybox grep -E '^(NoNewPrivs|Seccomp:)' /proc/self/status",
      "docker run --rm --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status",
      "docker run --rm --security-opt seccomp=unconfined busybox grep Seccomp: /proc/self/status",
      "docker run --rm --read-only busybox touch /x",
      "docker run --rm --read-only --tmpfs /x busybox touch /x/y",
      "docker run --rm --tmpfs /x:size=1m,mode=700 busybox sh -c 'df -k /x | tail -1 | cut -c1-40; ls -ld /x | cut -c1-10'",
      "docker run --rm --shm-size 8m busybox sh -c 'df -k /dev/shm | tail -1'",
      "docker run --rm --ulimit nofile=100:200 busybox sh -c 'ulimit -n; ulimit -Hn'",
      "docker run --rm --add-host a:1.2.3.4 --add-host b=::1 busybox grep -wE 'a|b' /etc/hosts",
      "docker run --rm --network none busybox cat /etc/hosts",
      "docker run --rm --dns 1.2.3.4 --dns-search x.y --dns-option ndots:2 busybox grep -E '^[a-z]' /etc/resolv.conf",
      "docker run --rm --network none busybox ip -4 -o addr show",
      "docker run --rm busybox sh -c 'echo $$; ls -d /proc/[0-9]*'",
      "docker run --rm busybox cat /proc/1/comm",
      "docker run --rm busybox sh -c 'ls /sys/firmware; echo x >/proc/sys/kernel/hostname'",
      "docker run --rm --sysctl kernel.msgmax=1000 busybox cat /proc/sys/kernel/msgmax",
      'docker run --rm busybox sh -c \'mount | grep -E " (/proc|/sys|/dev|/dev/shm|/dev/mqueue) " | cut -d" " -f3-5\'',
    ],
  },
  {
    name: "volumes",
    lines: [
      "mkdir src; echo a >src/f; docker run --rm -v $PWD/src:/m busybox cat /m/f",
      "docker run --rm -v $PWD/src:/m:ro busybox touch /m/g",
      "docker run --rm --mount type=bind,src=$PWD/src,dst=/m,ro busybox touch /m/g",
      "docker run --rm -v ./src:/m busybox ls /m",
      "docker run --rm -v vol:/v busybox sh -c 'echo kept >/v/f'",
      "docker run --rm -v vol:/v:ro busybox cat /v/f",
      "docker run --rm --mount src=vol,dst=/v busybox cat /v/f",
      "docker run --rm -v vol:/etc/cp busybox ls /etc/cp",
      "docker run --rm -v copied:/etc busybox cat /etc/hostname.orig",
      "docker run --name from -v vol:/v -v /anon busybox touch /anon/x",
      "docker run --rm --volumes-from from busybox ls /v /anon",
      "docker run --rm --volumes-from from:ro busybox touch /anon/y",
      "docker rm -v from",
    ],
  },
];
