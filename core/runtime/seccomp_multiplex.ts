/**
 * 32-bit x86's older doors to the same calls: `socketcall(1, ...)` is `socket(...)`. A rule on the call has to hold
 * there too.
 *
 * @see https://github.com/torvalds/linux/blob/master/include/uapi/linux/net.h
 * @see https://github.com/torvalds/linux/blob/master/include/uapi/linux/ipc.h
 * @module
 */

const SOCKETCALL = " socket bind connect listen accept getsockname getpeername socketpair send " +
  "recv sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg";

const IPC: Record<string, number> = {
  semop: 1,
  semget: 2,
  semctl: 3,
  semtimedop: 4,
  msgsnd: 11,
  msgrcv: 12,
  msgget: 13,
  msgctl: 14,
  shmat: 21,
  shmdt: 22,
  shmget: 23,
  shmctl: 24,
};

const socketCalls = new Map(SOCKETCALL.split(" ").entries().map(([nr, name]) => [name, nr]));

/** The call and first argument behind which `name` can also be reached on 32-bit x86. */
export function multiplexedCall(
  name: string,
): { call: "socketcall" | "ipc"; selector: number } | undefined {
  const socket = socketCalls.get(name);
  if (socket !== undefined) return { call: "socketcall", selector: socket };
  const ipc = IPC[name];
  return ipc === undefined ? undefined : { call: "ipc", selector: ipc };
}
