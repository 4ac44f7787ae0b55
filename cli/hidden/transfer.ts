/**
 * `dhow __transfer receive|send`: the half of `push ssh://` and `pull ssh://` that runs on the other machine, on its
 * user's own store; the exchange is on stdin and stdout.
 *
 * @module
 */
import { prepareStore } from "../../core/container/store_place.ts";
import { DhowError } from "../../core/errors.ts";
import { toWire } from "../../core/lib/wire_error.ts";
import { storePaths } from "../../core/host/paths.ts";
import { openNamespaceWorker } from "../../core/image/namespace_worker.ts";
import { FrameChannel } from "../../core/image/ssh_frames.ts";
import { receiveImages } from "../../core/image/ssh_receive.ts";
import { sendImages } from "../../core/image/ssh_send.ts";

/** Runs the verb. @returns The exit code. */
export async function run(args: string[]): Promise<number> {
  const channel = new FrameChannel({
    readable: Deno.stdin.readable,
    writable: Deno.stdout.writable,
  });
  try {
    await transfer(channel, args[0]);
    return 0;
  } catch (error) {
    await channel.send({ error: toWire(error) }).catch(() => {/* nobody listens any more */});
    return 1;
  } finally {
    await channel.close();
  }
}

async function transfer(channel: FrameChannel, verb: string | undefined): Promise<void> {
  const paths = storePaths();
  if (verb === "send") {
    await sendImages(paths, channel);
  } else if (verb === "receive") {
    await prepareStore(paths);
    using worker = await openNamespaceWorker(paths);
    await receiveImages(paths, channel, worker);
  } else {
    throw new DhowError("invalid_argument", `dhow __transfer ${verb}: no such verb`);
  }
}
