/**
 * The one `Deno.dlopen`: libc's functions that the other files of ffi/ wrap with names, checks and errors.
 *
 * None is `nonblocking`: errno does not survive the thread hop. Calls that may block for long have a
 * `_async` twin whose errno must not be read.
 *
 * @module
 */
import { SyscallError } from "./errno.ts";

const LIBC = "libc.so.6";

let errnoView: Deno.UnsafePointerView | undefined;

/** errno of the last failed call on this thread, positive. */
export function errno(): number {
  return errnoView!.getInt32(0);
}

/** Where errno is: the same place for the life of the thread. */
function openErrno(): Deno.UnsafePointerView {
  const { symbols } = Deno.dlopen(LIBC, {
    __errno_location: { parameters: [], result: "pointer" },
  });
  return new Deno.UnsafePointerView(symbols.__errno_location()!);
}

/**
 * Functions of libc for one family of calls. Each is bound when it is first used: binding costs a tenth of a
 * millisecond, since Deno compiles a trampoline, and a command uses few of them.
 */
export function openLibc<const S extends Deno.ForeignLibraryInterface>(
  table: S,
): Deno.DynamicLibrary<S>["symbols"] {
  const bound = {};
  for (const name of Object.keys(table)) {
    Object.defineProperty(bound, name, {
      configurable: true,
      get() {
        errnoView ??= openErrno(); // not when a call has failed: that might change errno
        const symbol = Deno.dlopen(LIBC, { [name]: table[name]! }).symbols[name];
        Object.defineProperty(bound, name, { value: symbol });
        return symbol;
      },
    });
  }
  return bound as Deno.DynamicLibrary<S>["symbols"];
}

const encoder = new TextEncoder();

/** `text` as a C string: UTF-8 with a final NUL. Throws `TypeError` on a NUL inside. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new TypeError(`Cannot pass a string with a NUL byte: "${text}"`);
  return encoder.encode(text + "\0");
}

/** Returns `result` as a number, or throws what errno says when it is -1. */
export function check(syscall: string, result: number | bigint, subject = ""): number {
  const value = Number(result);
  if (value === -1) throw new SyscallError(syscall, errno(), subject);
  return value;
}
