/**
 * Where the user namespace has but one id, the kernel asks the monitor instead of changing a file's owner: it notes the
 * owner beside the file, in the attributes of `core/layer/kept_owners.ts`, and the caller goes on as if it had changed.
 *
 * @see man 2 seccomp_unotify
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { syscallNumber } from "../../ffi/abi/syscall_numbers.ts";
import { ERRNO } from "../../ffi/errno.ts";
import type { Address, Label, ProgramBuilder, Value } from "../../ffi/program/builder.ts";
import { OWNER_ATTRIBUTES } from "../lib/owner_attributes.ts";

const ARM = Deno.build.arch === "aarch64";
const AUDIT_ARCH = ARM ? 0xc00000b7 : 0xc000003e;
/** x86_64 has more of them than aarch64. */
const NR = {
  chown: ARM ? -1 : 92,
  lchown: ARM ? -1 : 94,
  fchown: syscallNumber("fchown"),
  fchownat: syscallNumber("fchownat"),
};
/** `struct seccomp_notif`, with the `struct seccomp_data` in it. */
const REQUEST = { id: 0, pid: 8, nr: 16, arch: 20, args: 32, size: 80 } as const;
/** `struct seccomp_notif_resp`. */
const ANSWER = { id: 0, value: 8, error: 16, size: 24 } as const;
const SECCOMP_IOCTL_NOTIF_RECV = 0xc0502100, SECCOMP_IOCTL_NOTIF_SEND = 0xc0182101;
const PATH_MAX = 4096, XATTR_NAME_MAX = 255;
const NO_ID = 0xffffffff;

/** Adds what answers one request. @param listener The seccomp listener. @param init A pidfd of the container's init. */
export function emitOwnerRequest(p: ProgramBuilder, listener: Value, init: Value): void {
  const over = p.label("request answered"), work = p.label("note an owner");
  const request = p.buffer(REQUEST.size), answer = p.buffer(ANSWER.size);
  const error = p.variable(0);
  for (let at = 0; at < REQUEST.size; at += 8) p.store("u64", p.after(request, at), 0);
  p.jumpIf(p.call("ioctl", [listener, SECCOMP_IOCTL_NOTIF_RECV, request]), "<", 0, over);
  p.set(error, 0);
  // Shares our memory, but neither namespaces nor root: those are the caller's.
  const child = p.clone(C.CLONE_VM | C.CLONE_VFORK | C.SIGCHLD, work);
  p.call("wait4", [child, 0, 0, 0]);
  p.store("u64", p.after(answer, ANSWER.id), p.load("u64", p.after(request, REQUEST.id)));
  p.store("u64", p.after(answer, ANSWER.value), 0);
  p.store("u64", p.after(answer, ANSWER.error), error);
  p.call("ioctl", [listener, SECCOMP_IOCTL_NOTIF_SEND, answer]);
  p.jump(over);
  p.place(work);
  new OwnerNote(p, request, error).emit(init);
  p.place(over);
}

class OwnerNote {
  readonly #p: ProgramBuilder;
  readonly #request: Address;
  readonly #error: Value;
  /** `/proc/PID/fd/N` and the like. */
  readonly #path: Address;
  readonly #at: Value;
  readonly #text: Address;
  readonly #digits: Address;

  constructor(p: ProgramBuilder, request: Address, error: Value) {
    this.#p = p;
    this.#request = request;
    this.#error = error;
    this.#path = p.buffer(64);
    this.#at = p.variable(0);
    this.#text = p.trailingBuffer(PATH_MAX);
    this.#digits = p.buffer(16);
  }

  #arg(index: number): Value {
    return this.#p.load("u64", this.#p.after(this.#request, REQUEST.args + 8 * index));
  }

  /** An argument that is a descriptor: 32 bits, with a sign. */
  #fd(index: number): Value {
    return this.#p.load("i32", this.#p.after(this.#request, REQUEST.args + 8 * index));
  }

  #id(index: number): Value {
    return this.#p.load("u32", this.#p.after(this.#request, REQUEST.args + 8 * index));
  }

  emit(init: Value): void {
    const p = this.#p;
    const leave = p.label("leave"), fchown = p.label("fchown"), fchownat = p.label("fchownat");
    const uid = p.variable(0), gid = p.variable(0), base = p.variable(0);
    const follows = p.variable(0), name = p.variable(0);
    const named = p.label("by name"), noted = p.label("note it");
    p.jumpIf(p.load("u32", p.after(this.#request, REQUEST.arch)), "!=", AUDIT_ARCH, leave);
    p.call("setns", [init, C.CLONE_NEWUSER], { orElse: leave });
    const nr = p.load("u32", p.after(this.#request, REQUEST.nr));
    p.set(uid, this.#id(1));
    p.set(gid, this.#id(2));
    p.set(name, this.#arg(0));
    p.set(base, C.AT_FDCWD);
    p.set(follows, 1);
    p.jumpIf(nr, "==", NR.fchown, fchown);
    p.jumpIf(nr, "==", NR.fchownat, fchownat);
    if (!ARM) {
      p.jumpIf(nr, "==", NR.chown, named);
      p.set(follows, 0);
      p.jumpIf(nr, "==", NR.lchown, named);
    }
    p.jump(leave);

    p.place(fchownat);
    p.set(uid, this.#id(2));
    p.set(gid, this.#id(3));
    p.set(base, this.#fd(0));
    p.set(name, this.#arg(1));
    const flags = this.#arg(4);
    const followed = p.label("links are followed");
    p.jumpIf(p.compute(flags, "&", C.AT_SYMLINK_NOFOLLOW), "==", 0, followed);
    p.set(follows, 0);
    p.place(followed);
    this.#emitReadName(name, leave);
    // With AT_EMPTY_PATH it is the descriptor that is meant.
    p.jumpIf(p.load("u8", this.#text), "!=", 0, noted);
    p.jumpIf(p.compute(flags, "&", C.AT_EMPTY_PATH), "==", 0, noted);
    p.place(fchown);
    this.#emitPath("/fd/", this.#fd(0));
    this.#emitNote(this.#path, uid, gid, p.variable(1));
    p.jump(leave);

    p.place(named);
    this.#emitReadName(name, leave);
    p.place(noted);
    this.#emitGoThere(base, leave);
    this.#emitNote(this.#text, uid, gid, follows);
    p.place(leave);
    p.exit(0);
  }

  /** Puts `/proc/PID` and `rest`, and behind it a number, into the path. */
  #emitPath(rest: string, number?: Value): void {
    const p = this.#p;
    p.set(this.#at, this.#path);
    this.#emitText("/proc/");
    this.#emitNumber(p.load("u32", p.after(this.#request, REQUEST.pid)));
    this.#emitText(rest);
    if (number !== undefined) this.#emitNumber(number);
    p.store("u8", this.#at, 0);
  }

  #emitText(text: string): void {
    const p = this.#p;
    for (const byte of new TextEncoder().encode(text)) {
      p.store("u8", this.#at, byte);
      p.set(this.#at, p.compute(this.#at, "+", 1));
    }
  }

  /** A 32-bit number in decimal digits. There is no division: the product with 2^35 / 10 is shifted back. */
  #emitNumber(number: Value): void {
    const p = this.#p;
    const left = p.variable(0), place = p.variable(0);
    p.set(left, number);
    p.set(place, p.after(this.#digits, 15));
    const more = p.here("next digit");
    const tenth = p.compute(p.compute(left, "*", 0xcccccccd), ">>", 35);
    const digit = p.compute(left, "-", p.compute(tenth, "*", 10));
    p.store("u8", place, p.compute(digit, "+", 0x30));
    p.set(place, p.compute(place, "-", 1));
    p.set(left, tenth);
    p.jumpIf(left, "!=", 0, more);
    const copied = p.label("copied"), copy = p.here("copy a digit");
    p.set(place, p.compute(place, "+", 1));
    p.jumpIf(place, "==", p.after(this.#digits, 16), copied);
    p.store("u8", this.#at, p.load("u8", place));
    p.set(this.#at, p.compute(this.#at, "+", 1));
    p.jump(copy);
    p.place(copied);
  }

  /** Reads the caller's string. */
  #emitReadName(address: Value, leave: Label): void {
    const p = this.#p;
    this.#emitPath("/mem");
    const memory = p.call("openat", [C.AT_FDCWD, this.#path, C.O_RDONLY | C.O_CLOEXEC, 0]);
    p.jumpIf(memory, "<", 0, leave);
    const length = p.call("pread64", [memory, this.#text, PATH_MAX - 1, address]);
    const fine = p.label("name read");
    p.jumpIf(length, ">=", 1, fine);
    p.set(this.#error, -ERRNO.EFAULT);
    p.jump(leave);
    p.place(fine);
    p.store("u8", this.#text, 0, length);
  }

  /** Makes the caller's root ours, and what its name begins from our working directory. */
  #emitGoThere(base: Value, leave: Label): void {
    const p = this.#p;
    const flags = C.O_PATH | C.O_CLOEXEC;
    const there = p.variable(0), opened = p.label("opened"), other = p.label("a directory");
    const open = () => p.call("openat", [C.AT_FDCWD, this.#path, flags, 0]);
    p.jumpIf(base, "!=", C.AT_FDCWD, other);
    this.#emitPath("/cwd");
    p.set(there, open());
    p.jump(opened);
    p.place(other);
    this.#emitPath("/fd/", base);
    p.set(there, open());
    p.place(opened);
    this.#emitPath("/root");
    p.call("fchdir", [open()], { orElse: leave });
    p.call("chroot", ["."], { orElse: leave });
    p.call("fchdir", [there]); // a name from the root needs none
  }

  /** Notes an id of what can have no attributes itself, a link or a fifo, at its directory: root's need no note. */
  #emitNoteBeside(
    attribute: string,
    { id, result, value, length, follows }: {
      id: Value;
      result: Value;
      value: Address;
      length: Value;
      follows: Value;
    },
  ): void {
    const p = this.#p;
    const leave = p.label("not noted beside"), slash = p.variable(0), name = p.variable(0);
    const own = p.label("no link is followed");
    p.jumpIf(result, "!=", -ERRNO.EPERM, leave);
    p.jumpIf(follows, "==", 0, own);
    p.jumpIf(p.call("readlinkat", [C.AT_FDCWD, this.#text, p.buffer(8), 1]), ">=", 0, leave);
    p.place(own);
    const search = p.label("search the name"), found = p.label("name found");
    p.set(this.#at, this.#text);
    p.set(name, this.#text);
    p.set(slash, 0);
    const next = p.here("next byte");
    const byte = p.load("u8", this.#at);
    p.jumpIf(byte, "==", 0, found);
    p.jumpIf(byte, "!=", "/".charCodeAt(0), search);
    p.set(slash, this.#at);
    p.set(name, p.compute(this.#at, "+", 1));
    p.place(search);
    p.set(this.#at, p.compute(this.#at, "+", 1));
    p.jump(next);
    p.place(found);
    const size = p.compute(this.#at, "-", name);
    p.jumpIf(size, "==", 0, leave);
    p.jumpIf(size, ">=", XATTR_NAME_MAX - attribute.length, leave); // with the dot between them

    const key = p.buffer(XATTR_NAME_MAX + 1);
    p.set(this.#at, key);
    this.#emitText(`${attribute}.`);
    const copy = p.here("copy the name");
    const copied = p.load("u8", name);
    p.store("u8", this.#at, copied);
    p.set(this.#at, p.compute(this.#at, "+", 1));
    p.set(name, p.compute(name, "+", 1));
    p.jumpIf(copied, "!=", 0, copy);

    const directory = p.variable(0), cut = p.label("directory cut off");
    const note = p.label("note beside"), restore = p.label("the name is whole again");
    p.set(directory, p.string("."));
    p.jumpIf(slash, "==", 0, note);
    p.set(directory, p.string("/"));
    p.jumpIf(slash, "==", this.#text, cut);
    p.set(directory, this.#text);
    p.place(cut);
    p.store("u8", slash, 0);
    p.place(note);
    const other = p.label("not root's");
    p.jumpIf(id, "!=", 0, other);
    p.call("removexattr", [directory, key]);
    p.jump(restore);
    p.place(other);
    p.call("setxattr", [directory, key, value, length, 0]);
    p.place(restore);
    p.jumpIf(slash, "==", 0, leave);
    p.store("u8", slash, "/".charCodeAt(0));
    p.place(leave);
  }

  /** Notes both ids, but for one that is to stay. */
  #emitNote(path: Address, uid: Value, gid: Value, follows: Value): void {
    const p = this.#p;
    const result = p.variable(0);
    for (
      const [id, attribute] of [[uid, OWNER_ATTRIBUTES.uid], [gid, OWNER_ATTRIBUTES.gid]] as const
    ) {
      const stays = p.label(`${attribute} stays`),
        itself = p.label("itself"),
        done = p.label("done");
      const value = p.buffer(16);
      p.jumpIf(id, "==", NO_ID, stays);
      p.set(this.#at, value);
      this.#emitNumber(id);
      const length = p.compute(this.#at, "-", value);
      p.jumpIf(follows, "==", 0, itself);
      p.set(result, p.call("setxattr", [path, attribute, value, length, 0]));
      p.jump(done);
      p.place(itself);
      p.set(result, p.call("lsetxattr", [path, attribute, value, length, 0]));
      p.place(done);
      p.jumpIf(result, ">=", 0, stays);
      if (path === this.#text) {
        this.#emitNoteBeside(attribute, { id, result, value, length, follows });
      }
      // What cannot be noted is forgotten; all else is an error of the caller's.
      for (const fine of [ERRNO.EPERM, ERRNO.EOPNOTSUPP, ERRNO.ENOSPC]) {
        p.jumpIf(result, "==", -fine, stays);
      }
      p.set(this.#error, result);
      p.place(stays);
    }
  }
}
