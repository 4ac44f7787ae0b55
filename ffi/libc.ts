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

/** An argument that no callee looks at. */
const UNCOMPILED = [{ struct: ["u64"] }] as const;
const PAD = new Uint8Array(8);
/** Calls of one function after which compiling it has paid off. */
const OFTEN = 200;

const errnoView = openErrno();

/** errno of the last failed call on this thread, positive. */
export function errno(): number {
  return errnoView.getInt32(0);
}

/** Where errno is: the same place for the life of the thread. */
function openErrno(): Deno.UnsafePointerView {
  const bound = Deno.dlopen(LIBC, {
    __errno_location: { parameters: [...UNCOMPILED], result: "pointer" },
  });
  return new Deno.UnsafePointerView(bound.symbols.__errno_location(PAD)!);
}

/**
 * Functions of libc for one family of calls. Each is bound when it is first used, and cheaply: Deno compiles a trampoline
 * for each function it binds, which takes longer than a command makes calls. A parameter of a struct type keeps it from
 * that; by the calling conventions of x86_64 and aarch64 a callee does not see arguments it does not declare. A function
 * that turns out to be called often is bound again, compiled.
 */
export function openLibc<const S extends Deno.ForeignLibraryInterface>(
  table: S,
): Deno.DynamicLibrary<S>["symbols"] {
  const bound = {};
  for (const name of Object.keys(table)) {
    const definition = table[name]!;
    Object.defineProperty(bound, name, {
      configurable: true,
      get() {
        const isFunction = "parameters" in definition && definition.nonblocking !== true;
        const value = isFunction
          ? bindUncompiled(bound, name, definition)
          : Deno.dlopen(LIBC, { [name]: definition }).symbols[name];
        Object.defineProperty(bound, name, { value, configurable: true });
        return value;
      },
    });
  }
  return bound as Deno.DynamicLibrary<S>["symbols"];
}

function bindUncompiled(
  bound: object,
  name: string,
  definition: Deno.ForeignFunction,
): (...args: unknown[]) => unknown {
  const parameters = [...definition.parameters, ...UNCOMPILED];
  const { symbols } = Deno.dlopen(LIBC, { [name]: { ...definition, parameters } });
  const uncompiled = symbols[name] as (...args: unknown[]) => unknown;
  let calls = 0;
  return (...args) => {
    if (++calls === OFTEN) {
      const value = Deno.dlopen(LIBC, { [name]: definition }).symbols[name];
      Object.defineProperty(bound, name, { value, configurable: true });
    }
    return uncompiled(...args, PAD);
  };
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
