/**
 * `dhow pull ssh://...` and `dhow push ssh://...`: images from and to dhow on another machine, without a registry.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { canonicalReference, familiarReference, parseReference } from "../lib/reference.ts";
import type { ProgressListener } from "../spec/progress.ts";
import type { LayerWorker } from "./ensure_unpacked.ts";
import { receiveImages } from "./ssh_receive.ts";
import { openRemote, parseSshTarget } from "./ssh_remote.ts";
import { sendImages } from "./ssh_send.ts";

/** How to transfer. */
export interface SshTransferOptions {
  /** The program on the other machine. @default `$DHOW_REMOTE`, else `dhow` on its PATH */
  remoteDhow?: string;
  platform?: string;
  signal?: AbortSignal;
  onProgress?: ProgressListener;
}

/** An image that has arrived. */
export interface TransferredImage {
  id: string;
  /** As docker shows them. */
  references: string[];
}

/**
 * Fetches an image, or without a name all that have names, from the other machine.
 *
 * @throws {DhowError} As `receiveImages()`; `unavailable` if the machine cannot be reached.
 */
export async function pullOverSsh(
  paths: StorePaths,
  address: string,
  worker: LayerWorker,
  options: SshTransferOptions = {},
): Promise<TransferredImage[]> {
  const target = parseSshTarget(address);
  const names = namesOf(target.reference);
  await using remote = openRemote(target, "send", options);
  try {
    return shown(await receiveImages(paths, remote.channel, worker, { ...options, names }));
  } catch (error) {
    throw await remote.explain(error);
  }
}

/**
 * Sends an image, or without a name all that have names, to the other machine.
 *
 * @throws {DhowError} As `sendImages()`; `unavailable` if the machine cannot be reached.
 */
export async function pushOverSsh(
  paths: StorePaths,
  address: string,
  options: SshTransferOptions = {},
): Promise<TransferredImage[]> {
  const target = parseSshTarget(address);
  const names = namesOf(target.reference);
  await using remote = openRemote(target, "receive", options);
  try {
    return shown(await sendImages(paths, remote.channel, { ...options, names }));
  } catch (error) {
    throw await remote.explain(error);
  }
}

/** A name means its tag `latest` where it has none, as for `pull`. */
function namesOf(reference: string): string[] {
  return reference === "" ? [] : [canonicalReference(parseReference(reference))];
}

function shown(images: { id: string; references: string[] }[]): TransferredImage[] {
  return images.map(({ id, references }) => ({
    id,
    references: references.map((text) => familiarReference(parseReference(text))),
  }));
}
