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

const symbols = {
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

const core = Deno.dlopen(LIBC, symbols).symbols;

const errnoView = new Deno.UnsafePointerView(core.__errno_location()!);

/** errno of the last failed call on this thread, positive. */
export function errno(): number {
  return errnoView.getInt32(0);
}

/** Opens further functions of libc, for one family of calls; lazily, so that start-up pays for what it uses. */
export function openLibc<const S extends Deno.ForeignLibraryInterface>(
  table: S,
): Deno.DynamicLibrary<S>["symbols"] {
  return Deno.dlopen(LIBC, table).symbols;
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
