/**
 * Network namespaces and sockets in them, for a process that stays outside: a child that shares our table of descriptors
 * enters or makes the namespace, opens what is wanted there, and is gone.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { Fd } from "../../ffi/fd.ts";
import { NetlinkSocket } from "../../ffi/netlink/socket.ts";
import { type Label, ProgramBuilder, type Value } from "../../ffi/program/builder.ts";
import { withSignalsBlocked } from "../../ffi/program/fragments.ts";
import { LoadedProgram } from "../../ffi/program/loader.ts";
import { SyscallError } from "../../ffi/errno.ts";

const AF_NETLINK = 16, NETLINK_ROUTE = 0, SOL_NETLINK = 270, NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;

/** A program under construction that runs in a child which shares our descriptors; failures go to `fail`. */
export class Visit {
  readonly p: ProgramBuilder;
  readonly fail: Label;

  constructor(p: ProgramBuilder, fail: Label) {
    this.p = p;
    this.fail = fail;
  }

  /** Enters a namespace. @param flag `CLONE_NEW*` */
  enter(fd: number, flag: number, label: string): void {
    this.p.call("setns", [fd, flag], { orElse: this.fail, label });
  }

  /** Makes a network namespace and enters it. @returns Its descriptor. */
  makeNetwork(): Value {
    const label = "create a network namespace";
    this.p.call("unshare", [C.CLONE_NEWNET], { orElse: this.fail, label });
    return this.p.call("openat", [C.AT_FDCWD, "/proc/self/ns/net", C.O_RDONLY | C.O_CLOEXEC], {
      orElse: this.fail,
      label,
    });
  }

  /** Opens a netlink socket where the child is. */
  openNetlink(): Value {
    const label = "open a netlink socket";
    const type = C.SOCK_RAW | C.SOCK_CLOEXEC;
    const fd = this.p.call("socket", [AF_NETLINK, type, NETLINK_ROUTE], {
      orElse: this.fail,
      label,
    });
    const on = this.p.words([1]);
    for (const option of [NETLINK_EXT_ACK, NETLINK_CAP_ACK]) {
      this.p.call("setsockopt", [fd, SOL_NETLINK, option, on, 4]);
    }
    return fd;
  }

  /** Writes a setting of the network namespace the child is in; one the kernel lacks is left alone. */
  writeSysctl(name: string, value: string): void {
    const path = `/proc/sys/${name.replaceAll(".", "/")}`;
    const over = this.p.label("written");
    const fd = this.p.call("openat", [C.AT_FDCWD, path, C.O_WRONLY | C.O_CLOEXEC, 0]);
    this.p.jumpIf(fd, "<", 0, over);
    this.p.call("write", [fd, value, value.length]);
    this.p.call("close", [fd]);
    this.p.place(over);
  }

  /** Writes to a file as it is seen from there. */
  write(path: string, text: string): void {
    const orElse = this.fail, label = `write ${path}`;
    const flags = C.O_WRONLY | C.O_CLOEXEC;
    const fd = this.p.call("openat", [C.AT_FDCWD, path, flags, 0], { orElse, label });
    this.p.call("write", [fd, text, text.length], { orElse, label });
    this.p.call("close", [fd]);
  }
}

/**
 * Runs a visit.
 *
 * @param body Adds what the child does; answers the descriptors to keep.
 * @returns These, opened in our own table.
 * @throws {SyscallError} What failed, by its label; nothing stays open then.
 */
export function visit(body: (visit: Visit) => Value[]): Fd[] {
  const p = new ProgramBuilder();
  const child = p.label("child");
  const fail = p.label("failed");
  const over = p.label("over");
  let opened: Value[] = [];
  withSignalsBlocked(p, () => {
    const flags = C.CLONE_VM | C.CLONE_VFORK | C.CLONE_FILES | C.SIGCHLD;
    const pid = p.clone(flags, child, { label: "fork" });
    p.call("wait4", [pid, 0, 0, 0]);
    p.jump(over);
    p.place(child);
    opened = body(new Visit(p, fail));
    p.exit(0);
    p.place(fail);
    p.exit(1);
    p.place(over);
  });
  p.return(0);
  const program = p.build();
  using loaded = new LoadedProgram(program);
  loaded.run();
  const failed = loaded.word(p.failedOp);
  // What the child's calls returned is in memory that we share; 0 is a call it never came to.
  const numbers = opened.map(({ address }) => Number(loaded.word(address)));
  const fds = numbers.filter((number) => number > 0).map((number) => new Fd(number));
  if (failed === 0n) return fds;
  for (const fd of fds) fd.close();
  const index = loaded.opAt(failed);
  const op = program.ops[index]!;
  throw new SyscallError(op.syscall ?? "clone", -loaded.result(index), op.label);
}

/** A container's network namespace in the making. */
export interface NewNamespace extends Disposable {
  /** The namespace, for setns(2) and `IFLA_NET_NS_FD`. */
  readonly fd: Fd;
  /** Speaks to the kernel about what is in it. */
  readonly inside: NetlinkSocket;
}

/**
 * Makes a network namespace that belongs to a user namespace.
 *
 * @param userNamespace Descriptor.
 * @param sysctls To be set in it, by name.
 */
export function makeNamespace(
  userNamespace: number,
  sysctls: Readonly<Record<string, string>> = {},
): NewNamespace {
  const [fd, socket] = visit((there) => {
    there.enter(userNamespace, C.CLONE_NEWUSER, "enter the user namespace");
    const made = there.makeNetwork();
    for (const [name, value] of Object.entries(sysctls)) there.writeSysctl(name, value);
    return [made, there.openNetlink()];
  });
  const inside = new NetlinkSocket(socket!);
  return {
    fd: fd!,
    inside,
    [Symbol.dispose]() {
      inside[Symbol.dispose]();
      fd![Symbol.dispose]();
    },
  };
}

/** A netlink socket in a network namespace that belongs to a user namespace, both by descriptor. */
export function openNetlinkIn(userNamespace: number, netns: number): NetlinkSocket {
  const [socket] = visit((there) => {
    there.enter(userNamespace, C.CLONE_NEWUSER, "enter the user namespace");
    there.enter(netns, C.CLONE_NEWNET, "enter the network namespace");
    return [there.openNetlink()];
  });
  return new NetlinkSocket(socket!);
}
