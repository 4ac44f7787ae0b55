/**
 * HTTPS without looking at the certificate, for registries that the user called insecure: Deno's fetch has no way to.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import type { HttpInit } from "./http_clients.ts";

/** As `fetch()` with `redirect: "manual"`. Each request has a connection of its own. */
export async function unverifiedFetch(url: URL, init: HttpInit): Promise<Response> {
  const { method, headers, body, signal } = init;
  signal.throwIfAborted();
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpsRequest(url, {
      method,
      headers,
      rejectUnauthorized: false,
      agent: false,
      signal,
    }, resolve);
    request.on("error", (error) => reject(signal.aborted ? signal.reason : error));
    if (body instanceof ReadableStream) {
      const source = Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
      source.on("error", (error) => request.destroy(error));
      source.pipe(request);
    } else request.end(body);
  });
  const status = message.statusCode ?? 0;
  const answerHeaders = new Headers();
  for (const [name, values] of Object.entries(message.headersDistinct)) {
    for (const value of values ?? []) answerHeaders.append(name, value);
  }
  const hasBody = method !== "HEAD" && ![101, 103, 204, 205, 304].includes(status);
  if (!hasBody) message.resume();
  const stream = hasBody
    ? Readable.toWeb(message) as ReadableStream<Uint8Array<ArrayBuffer>>
    : null;
  return new Response(stream, { status, headers: answerHeaders });
}
