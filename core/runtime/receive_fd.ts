/**
 * Receiving a descriptor in a syscall program.
 *
 * @module
 */
import { MSG_CMSG_CLOEXEC } from "../../ffi/abi/constants.ts";
import type { Label, ProgramBuilder, Value } from "../../ffi/program/builder.ts";
import { CMSG_FD_AT, CMSG_ONE_FD_SIZE } from "../../ffi/socket.ts";

/** Adds what takes a descriptor out of a socket. @param none Where it goes on if nothing comes. */
export function emitReceiveFd(
  p: ProgramBuilder,
  socket: number,
  flags: number,
  none: Label,
): Value {
  const control = p.buffer(CMSG_ONE_FD_SIZE);
  const header = p.words([0, 0, p.words([p.buffer(8), 1]), 1, control, CMSG_ONE_FD_SIZE, 0]);
  p.jumpIf(p.call("recvmsg", [socket, header, flags | MSG_CMSG_CLOEXEC]), "<", 1, none);
  return p.load("i32", p.after(control, CMSG_FD_AT));
}
