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

/** errno of the last call that failed, as far as {@linkcode settled} saw to it. */
let settledErrno: number | undefined;

/** errno of the last failed call on this thread, positive. */
export function errno(): number {
  return settledErrno ?? errnoView.getInt32(0);
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
  const uncompiled = symbols[name] as Call;
  let calls = 0;
  const wrap = ONCE.has(name) ? unsettled : settled;
  return wrap((...args) => {
    if (++calls === OFTEN) {
      const compiled = Deno.dlopen(LIBC, { [name]: definition }).symbols[name] as Call;
      Object.defineProperty(bound, name, { value: wrap(compiled), configurable: true });
    }
    return uncompiled(...args, PAD);
  });
}

function unsettled(call: Call): Call {
  return (...args) => {
    settledErrno = undefined;
    return call(...args);
  };
}

/** Functions that tell a failure once, and then act as if nothing had been. */
const ONCE: ReadonlySet<string> = new Set(["close", "fsync", "fdatasync", "syncfs"]);

type Call = (...args: unknown[]) => unknown;

/**
 * A call whose errno can be trusted. Between a call's return and our look at errno the engine may do calls of its own: a
 * lock it has to wait for leaves EAGAIN there, the first one ENOENT of a file in /sys. A call that failed changed nothing,
 * so it is made again until errno says the same twice.
 */
function settled(call: Call): Call {
  return (...args) => {
    settledErrno = undefined;
    let result = call(...args);
    if (result !== -1 && result !== -1n) return result;
    for (let attempt = 0; attempt < 8; attempt++) {
      const before = errnoView.getInt32(0);
      result = call(...args);
      if (result !== -1 && result !== -1n) return result;
      settledErrno = errnoView.getInt32(0);
      if (settledErrno === before) break;
    }
    return result;
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
