/**
 * A root that fuse-overlayfs serves, held by a process inside until a container has taken it over.
 *
 * @module
 */
import { POLLIN } from "../../ffi/abi/constants.ts";
import { pipe, pollAsync, read } from "../../ffi/fd.ts";
import { DhowError } from "../errors.ts";
import { fromWire, type WireError } from "../lib/wire_error.ts";
import { startInside } from "../runtime/inside.ts";
import type { UserNamespace } from "../runtime/userns.ts";
import type { StoppedRoot } from "./mount_root.ts";

/** Disposing lets go: the mount, and fuse-overlayfs with it, lasts as long as somebody else has it. */
export interface HeldMount extends Disposable {
  /** The mount namespace it is in, as a path that can be opened. */
  mounts: string;
}

/** Mounts `root` in a mount namespace of its own. @throws {DhowError} `unavailable` with fuse-overlayfs's words. */
export async function holdMount(
  namespace: UserNamespace,
  root: StoppedRoot,
): Promise<HeldMount> {
  const input = pipe(), output = pipe();
  const request = JSON.stringify({ op: "mount", ...root });
  const held = startInside(namespace, "__storage", [request], {
    stdin: input.read.number,
    stdout: output.write.number,
    stderr: 2,
  });
  input.read.close();
  output.write.close();
  const answer = await readLine(output.read.number);
  output.read.close();
  const error = parseError(answer);
  if (error !== undefined) {
    input.write.close();
    await held.ended;
    throw error;
  }
  return { mounts: `/proc/${held.pid}/ns/mnt`, [Symbol.dispose]: () => input.write.close() };
}

async function readLine(fd: number): Promise<string> {
  const buffer = new Uint8Array(65536);
  let text = "";
  while (!text.endsWith("\n")) {
    await pollAsync([{ fd, events: POLLIN }]);
    const n = read(fd, buffer);
    if (n <= 0) break;
    text += new TextDecoder().decode(buffer.subarray(0, n));
  }
  return text;
}

function parseError(answer: string): DhowError | undefined {
  try {
    const { error }: { error?: WireError } = JSON.parse(answer);
    return error && fromWire(error);
  } catch {
    return new DhowError("internal", "dhow __storage ended without an answer");
  }
}
