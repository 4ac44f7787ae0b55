/**
 * A program as a process of its own, executed from memory: nothing of Deno is copied for it, and nothing of Deno is to be
 * seen in it.
 *
 * @module
 */
import {
  AT_EMPTY_PATH,
  CLONE_VFORK,
  CLONE_VM,
  F_SETFD,
  MFD_CLOEXEC,
  MFD_EXEC,
  SIGCHLD,
} from "../abi/constants.ts";
import { ERRNO } from "../errno.ts";
import { type Program, ProgramBuilder } from "./builder.ts";
import { type Executable, makeExecutable } from "./executable.ts";
import { forkOrphan } from "./fragments.ts";
import { LoadedProgram } from "./loader.ts";

/** What became of it. */
export interface Spawned {
  /** Its pid; or negative errno of what kept it from being started. */
  pid: number;
  /** As {@linkcode Executable.opAt}. */
  opAt: Executable["opAt"];
}

/**
 * Runs `program` as a process that is nobody's child.
 *
 * @param name argv[0].
 * @param keep The descriptors it gets, no longer close-on-exec; those that are not close-on-exec it has as well.
 */
export function spawnOrphan(program: Program, name: string, keep: readonly number[]): Spawned {
  const executable = makeExecutable(program);
  const { bytes, pieces, opAt } = executable;
  const p = new ProgramBuilder();
  const child = p.label("child");
  const made = p.label("file made");
  const failed = p.label("failed");
  const fd = p.variable(0);
  const error = p.variable(0);
  p.set(fd, p.call("memfd_create", [name, MFD_CLOEXEC | MFD_EXEC]));
  p.jumpIf(fd, "!=", -ERRNO.EINVAL, made); // before Linux 6.3
  p.set(fd, p.call("memfd_create", [name, MFD_CLOEXEC]));
  p.place(made);
  p.set(error, fd);
  p.jumpIf(fd, "<", 0, failed);
  for (const { at, size } of pieces) {
    const written = p.call("pwrite64", [fd, p.bytes(bytes.subarray(at, at + size)), size, at]);
    p.set(error, written);
    p.jumpIf(written, "<", 0, failed);
  }
  p.set(error, 0);
  const pid = forkOrphan(p, child, CLONE_VM | CLONE_VFORK | SIGCHLD);
  p.call("close", [fd]);
  p.jumpIf(error, "<", 0, failed);
  p.return(pid);

  p.place(failed);
  p.return(error);

  // Shares our memory until it executes, but not the table of descriptors.
  p.place(child);
  for (const kept of new Set(keep)) p.call("fcntl", [kept, F_SETFD, 0]);
  const none = p.strings([]);
  p.set(error, p.call("execveat", [fd, "", p.strings([name]), none, AT_EMPTY_PATH]));
  p.exit(127);

  using loaded = new LoadedProgram(p.build());
  return { pid: loaded.run(), opAt };
}
