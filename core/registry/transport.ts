/**
 * Requests to one registry.
 *
 * @module
 */

/** A request, as {@linkcode Transport.send} takes it. */
export interface Request {
  method: "GET" | "HEAD" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Path below the registry, `/v2/...`, or a whole address that the registry gave. */
  path: string;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>;
  signal?: AbortSignal | undefined;
}

/** Sends requests to one registry. */
export class Transport implements Disposable {
  readonly #base: string;

  /** @param base `http://localhost:5000`. */
  constructor(base: string) {
    this.#base = base;
  }

  /** Sends one request. @returns The answer, whatever its status. */
  async send(request: Request): Promise<Response> {
    const { method, path, headers = {}, body, signal } = request;
    return await fetch(new URL(path, this.#base), {
      method,
      headers: { "accept-encoding": "identity", ...headers },
      ...body && { body },
      ...signal && { signal },
    });
  }

  [Symbol.dispose](): void {}
}
