/**
 * Notes owners for the processes of an exec, as the monitor does for the container's own: a few pages that live as long
 * as there are such processes.
 *
 * @module
 */
import { POLLIN } from "../../ffi/abi/constants.ts";
import { ProgramBuilder } from "../../ffi/program/builder.ts";
import { closeAllBut, nameProcess } from "../../ffi/program/fragments.ts";
import { spawnOrphan } from "../../ffi/program/spawn.ts";
import { emitOwnerRequest } from "./owner_requests.ts";
import { emitReceiveFd } from "./receive_fd.ts";

/** As ps(1) shows it. */
const NAME = "dhow-owners";

/**
 * Starts it.
 *
 * @param asked A socket by which the listener of the processes' filter comes.
 * @param init A pidfd of the container's init.
 * @returns Whether it runs: where nothing can be executed from memory it cannot.
 */
export function startOwnerService(asked: number, init: number): boolean {
  const p = new ProgramBuilder();
  const over = p.label("nobody asks any more");
  p.call("setsid", []);
  nameProcess(p, NAME);
  p.call("chdir", ["/"]);
  closeAllBut(p, [asked, init]);
  const listener = emitReceiveFd(p, asked, 0, over);
  p.call("close", [asked]);
  const poll = p.buffer(8);
  p.store("u32", poll, listener);
  p.store("u16", p.after(poll, 4), POLLIN);
  const loop = p.here("wait for a request");
  p.call("ppoll", [poll, 1, 0, 0, 0]);
  const revents = p.load("u16", p.after(poll, 6));
  p.jumpIf(p.compute(revents, "&", POLLIN), "==", 0, over);
  emitOwnerRequest(p, listener, p.variable(init));
  p.jump(loop);
  p.place(over);
  p.exit(0);
  return spawnOrphan(p.build(), NAME, [asked, init]).pid > 0;
}
