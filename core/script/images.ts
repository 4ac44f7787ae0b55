/**
 * Images from a script: fetched, sent, listed.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import { openLocalEngine } from "../engine/local.ts";
import type { ImageSummary } from "../spec/docker_api.ts";
import type { ProgressListener, PulledImage, PushedImage } from "../spec/progress.ts";

/** How to pull or push from a script. */
export interface TransferScriptOptions {
  /** Where the images are. @default the user's own store */
  engine?: Engine;
  /** `linux/arm64`. @default this machine's when pulling, all there are when pushing */
  platform?: string;
  /** Ends the transfer; the promise rejects with its reason. The next pull goes on where this one was. */
  signal?: AbortSignal;
  /** Told what happens to each layer: some ten times a second for each. */
  onProgress?: ProgressListener;
}

/**
 * Fetches an image from a registry; what is here already is not fetched again.
 *
 * @example
 * ```ts ignore
 * const { id } = await pull("debian:stable-slim", {
 *   signal: AbortSignal.timeout(60_000),
 *   onProgress: (event) => {
 *     if (event.kind === "layer") console.log(event.id, event.status, event.currentBytes);
 *   },
 * });
 * ```
 *
 * @param reference `busybox`, `localhost:5000/app:1.2`, `busybox@sha256:...`.
 * @throws {DhowError} `not_found`, `unauthorized`, `unavailable`; `digest_mismatch`, `invalid_layer`, `unsupported` for
 *   what the registry sent; `no_space`.
 */
export async function pull(
  reference: string,
  options: TransferScriptOptions = {},
): Promise<PulledImage> {
  const { engine, ...rest } = options;
  const [pulled] = await (engine ?? await openLocalEngine()).images.pull(reference, rest);
  return pulled!;
}

/**
 * Sends an image to the registry that its name says; what the registry has is not sent again.
 *
 * @throws {DhowError} `not_found` if there is no such image here; `unauthorized`, `unavailable`.
 */
export async function push(
  reference: string,
  options: TransferScriptOptions = {},
): Promise<PushedImage> {
  const { engine, ...rest } = options;
  const [pushed] = await (engine ?? await openLocalEngine()).images.push(reference, rest);
  return pushed!;
}

/** Which images to list. */
export interface ImagesOptions {
  /** Where they are. @default the user's own store */
  engine?: Engine;
  /** Docker's filters: `{reference: ["app:*"], label: ["a=b"], dangling: ["true"]}`. */
  filters?: Record<string, string[]>;
}

/** The images that are here, the newest first. */
export async function images(options: ImagesOptions = {}): Promise<ImageSummary[]> {
  const { engine, filters = {} } = options;
  return await (engine ?? await openLocalEngine()).images.list({ filters });
}
