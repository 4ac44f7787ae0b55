/**
 * Writing to a non-blocking pipe.
 *
 * @module
 */
import { POLLOUT } from "../../ffi/abi/constants.ts";
import { SyscallError } from "../../ffi/errno.ts";
import { type Fd, pollAsync, write } from "../../ffi/fd.ts";

/** Writes all, waiting for the reader as long as it takes. @returns False if nobody reads any more. */
export async function writePipe(fd: Fd, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  for (let at = 0; at < bytes.length;) {
    const n = tryWrite(fd, bytes.subarray(at));
    if (n === undefined) return false;
    if (n < 0) await pollAsync([{ fd: fd.number, events: POLLOUT }]);
    else at += n;
  }
  return true;
}

function tryWrite(fd: Fd, bytes: Uint8Array<ArrayBuffer>): number | undefined {
  try {
    return write(fd.number, bytes);
  } catch (error) {
    if (error instanceof SyscallError && error.code === "EPIPE") return undefined;
    throw error;
  }
}
