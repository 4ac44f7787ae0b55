/**
 * One request, one answer: in time, or an error that says why not.
 *
 * @module
 */
import { VERSION } from "../version.ts";
import { type Bytes, watchBody } from "./body.ts";
import { connectionError } from "./connection_error.ts";
import { RegistryError } from "./errors.ts";
import type { HttpClients, HttpInit } from "./http_clients.ts";
import type { Limits } from "./limits.ts";

/** How to go about it. */
export interface ExchangeOptions {
  limits: Limits;
  /** A certificate nobody vouches for will do. */
  isInsecure: boolean;
  /** From the last byte sent to the first of the answer, in milliseconds. */
  patienceMs: number;
}

/**
 * Sends one request; redirects are not followed.
 *
 * @returns The answer, whatever its status; its body fails if it stalls.
 * @throws {RegistryError} If there is none; the signal's reason once it is aborted.
 */
export async function exchange(
  clients: HttpClients,
  url: URL,
  init: Omit<HttpInit, "signal"> & { signal?: AbortSignal },
  options: ExchangeOptions,
): Promise<Response> {
  const { limits, isInsecure, patienceMs } = options;
  const what = describe(init, url);
  const { signal } = init;
  const own = new AbortController();
  const late = () =>
    own.abort(
      new RegistryError("unavailable", `${what}: no answer within ${patienceMs / 1000} s`, {
        isTemporary: true,
      }),
    );
  const onAbort = () => own.abort(signal!.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  let timer = setTimeout(late, patienceMs);
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(late, patienceMs);
  };
  const body = init.body instanceof ReadableStream ? observe(init.body, restart) : init.body;
  const headers = {
    "accept-encoding": "identity",
    "user-agent": `dhow/${VERSION}`,
    ...init.headers,
  };
  try {
    signal?.throwIfAborted();
    const response = await unlessAborted(
      clients.fetch(url, {
        method: init.method,
        headers,
        ...body !== undefined && { body },
        signal: own.signal,
      }, { isInsecure }),
      own.signal,
    );
    if (response.body === null) return response;
    return new Response(watchBody(response.body, limits, { what, url, signal }), {
      status: response.status,
      headers: response.headers,
    });
  } catch (error) {
    if (own.signal.aborted) throw own.signal.reason;
    signal?.throwIfAborted();
    throw connectionError(pingOf(url), url, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** The answer, or the signal's reason; an answer that comes too late is let go. */
async function unlessAborted(answer: Promise<Response>, signal: AbortSignal): Promise<Response> {
  return await new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    answer.then((response) => {
      if (signal.aborted) response.body?.cancel().catch(() => {});
      else resolve(response);
    }, reject);
  });
}

function observe(body: ReadableStream<Bytes>, onChunk: () => void): ReadableStream<Bytes> {
  return body.pipeThrough(
    new TransformStream<Bytes, Bytes>({
      transform(chunk, controller) {
        onChunk();
        controller.enqueue(chunk);
      },
    }),
  );
}

/** `Get "https://host/v2/x"`: Go's way to name a request; without the query, which may be a secret. */
export function describe(request: { method: string }, url: URL): string {
  const method = request.method.charAt(0) + request.method.slice(1).toLowerCase();
  return `${method} "${url.origin}${url.pathname}"`;
}

/** Docker pings first, and so speaks of that whenever a registry cannot be reached. */
function pingOf(url: URL): string {
  return `Get "${url.origin}/v2/"`;
}
