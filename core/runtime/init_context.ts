/**
 * What the parts of a container's init program share.
 *
 * @module
 */
import { AT_FDCWD, O_CLOEXEC, O_CREAT } from "../../ffi/abi/constants.ts";
import type { Arg, CallOptions, Label, ProgramBuilder, Value } from "../../ffi/program/builder.ts";
import type { SyscallName } from "../../ffi/abi/syscall_numbers.ts";

/** A program under construction and the place where its failures go. */
export class InitContext {
  readonly p: ProgramBuilder;
  readonly fail: Label;

  constructor(p: ProgramBuilder, fail: Label) {
    this.p = p;
    this.fail = fail;
  }

  /** A call that must succeed. @param label What it is for: `mount volume /data`. */
  must(label: string, syscall: SyscallName, args: Arg[]): Value {
    return this.p.call(syscall, args, { orElse: this.fail, label });
  }

  /** A call that may fail. */
  may(syscall: SyscallName, args: Arg[], options: CallOptions = {}): Value {
    return this.p.call(syscall, args, options);
  }

  /** Makes `path` and its parents, as far as they are missing; what cannot be made shows when it is used. */
  makeDirectories(path: string, mode = 0o755): void {
    const parts = path.split("/").filter((part) => part !== "");
    for (let i = 1; i <= parts.length; i++) {
      this.may("mkdirat", [AT_FDCWD, "/" + parts.slice(0, i).join("/"), mode]);
    }
  }

  /** Makes an empty file at `path`, and its parents, if missing. */
  makeFile(path: string): void {
    this.makeDirectories(path.slice(0, path.lastIndexOf("/")));
    const over = this.p.label("file made");
    const fd = this.may("openat", [AT_FDCWD, path, O_CREAT | O_CLOEXEC, 0o644]);
    this.p.jumpIf(fd, "<", 0, over);
    this.p.call("close", [fd]);
    this.p.place(over);
  }

  /** Writes `text` to an existing file, as to a file of /proc. */
  writeFile(label: string, path: string, text: string): void {
    const fd = this.must(label, "openat", [AT_FDCWD, path, 1 | O_CLOEXEC, 0]);
    this.must(label, "write", [fd, text, new TextEncoder().encode(text).length]);
    this.p.call("close", [fd]);
  }
}
