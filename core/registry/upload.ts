/**
 * Uploading a blob: in one piece if it is small, as a stream otherwise, from where it broke off if it did.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
 * @module
 */
import type { Descriptor } from "../spec/image.ts";
import { type Bytes, readBounded } from "./body.ts";
import { RegistryError } from "./errors.ts";
import { backoffMs, type Limits, pause } from "./limits.ts";
import type { OpenBlob, UploadOptions } from "./repository.ts";
import type { Transport } from "./transport.ts";

/** Blobs up to here, configs mostly, are sent with their length in one request. */
const SMALL = 64 << 10;

/** What an upload needs to know of its repository. */
export interface UploadContext {
  transport: Transport;
  limits: Limits;
  /** `/v2/NAME/blobs/uploads/`. */
  path: string;
  scope: string;
}

/** Uploads `descriptor`. @throws {RegistryError} If the registry refuses, or all tries have failed. */
export async function uploadBlob(
  context: UploadContext,
  descriptor: Descriptor,
  open: OpenBlob,
  options: UploadOptions = {},
): Promise<void> {
  const { limits } = context;
  const { signal, onProgress = () => {} } = options;
  let location = await startUpload(context, signal);
  let offset = 0;
  for (let attempt = 1;; attempt++) {
    const before = offset;
    try {
      if (descriptor.size > SMALL) {
        location = await sendRest(context, { location, offset, open, signal, onProgress });
      }
      await finish(context, { location, descriptor, open, signal });
      onProgress(descriptor.size);
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof RegistryError)) throw error;
      const isLost = error.status === 404 || error.registryCodes.includes("BLOB_UPLOAD_UNKNOWN");
      const isShort = error.status === 416;
      if (!error.isTemporary && error.status !== undefined && !isLost && !isShort) throw error;
      if (attempt >= limits.attempts) throw error;
      await pause(error.retryAfterMs ?? backoffMs(limits, attempt), signal);
      const found = await findUpload(context, location, signal);
      // What the registry has beyond the last start is headway: that try does not count.
      if (found !== undefined && found.offset > before) attempt = 0;
      offset = found !== undefined && found.offset <= descriptor.size ? found.offset : 0;
      location = offset > 0 ? found!.location : await startUpload(context, signal);
      onProgress(offset);
    }
  }
}

/** Begins an upload. @returns Where to send it. */
async function startUpload(context: UploadContext, signal?: AbortSignal): Promise<string> {
  const response = await context.transport.send({
    method: "POST",
    path: context.path,
    scope: context.scope,
    accept: [202],
    signal,
  });
  await response.body?.cancel();
  return locationOf(response);
}

/** Where the registry wants the next piece; relative addresses are resolved by the transport. */
export function locationOf(response: Response): string {
  const location = response.headers.get("location");
  if (location !== null) return location;
  throw new RegistryError("unavailable", "The registry began an upload but did not say where");
}

interface Piece {
  location: string;
  offset: number;
  open: OpenBlob;
  signal: AbortSignal | undefined;
  onProgress(sentBytes: number): void;
}

/** Streams the blob from `offset` on, as docker does: one PATCH, its length unknown. */
async function sendRest(context: UploadContext, piece: Piece): Promise<string> {
  const { location, offset, open, signal, onProgress } = piece;
  const source = new CountedSource(await open(offset), offset, onProgress);
  try {
    const response = await context.transport.send({
      method: "PATCH",
      path: location,
      scope: context.scope,
      headers: { "content-type": "application/octet-stream" },
      body: source.stream,
      accept: [201, 202, 204],
      signal,
    });
    await response.body?.cancel();
    return locationOf(response);
  } catch (error) {
    // Not the connection broke, but what it was to carry.
    throw source.failure === undefined ? error : source.failure.error;
  }
}

/** Closes the upload with its digest, sending a small blob along. */
async function finish(
  context: UploadContext,
  upload: {
    location: string;
    descriptor: Descriptor;
    open: OpenBlob;
    signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const { location, descriptor, open, signal } = upload;
  const isSmall = descriptor.size <= SMALL;
  const body = isSmall ? await readBounded(await open(0), SMALL) : new Uint8Array();
  const mark = location.includes("?") ? "&" : "?";
  const response = await context.transport.send({
    method: "PUT",
    path: `${location}${mark}digest=${encodeURIComponent(descriptor.digest)}`,
    scope: context.scope,
    headers: { "content-type": "application/octet-stream" },
    ...body && { body },
    accept: [201, 204],
    signal,
  });
  await response.body?.cancel();
}

/** How far a broken upload came; undefined if the registry has forgotten it. */
async function findUpload(
  context: UploadContext,
  location: string,
  signal?: AbortSignal,
): Promise<{ location: string; offset: number } | undefined> {
  try {
    const response = await context.transport.send({
      method: "GET",
      path: location,
      scope: context.scope,
      accept: [204, 404],
      signal,
    });
    await response.body?.cancel();
    const range = /^(?:bytes=)?0-(\d{1,15})$/.exec(response.headers.get("range") ?? "");
    if (response.status === 404 || range === null) return undefined;
    const last = Number(range[1]);
    // An upload without a byte says 0-0 as well as one with a single byte does.
    return {
      offset: last === 0 ? 0 : last + 1,
      location: response.headers.get("location") ?? location,
    };
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

/** A stream that tells how far it was read, and why it failed if it did. */
class CountedSource {
  readonly stream: ReadableStream<Bytes>;
  failure: { error: unknown } | undefined;

  constructor(
    body: ReadableStream<Bytes>,
    offset: number,
    onProgress: (sentBytes: number) => void,
  ) {
    const reader = body.getReader();
    let sent = offset;
    this.stream = new ReadableStream({
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (done) return controller.close();
          controller.enqueue(value);
          onProgress(sent += value.length);
        } catch (error) {
          this.failure = { error };
          throw error;
        }
      },
      cancel: (reason) => reader.cancel(reason),
    }, { highWaterMark: 0 });
  }
}
