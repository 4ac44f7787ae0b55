/**
 * Requests to one registry: which scheme, who we are, redirects, timeouts, and trying again.
 *
 * @module
 */
import { Authorizer } from "./authorizer.ts";
import { type Bytes, readErrorText } from "./body.ts";
import type { CredentialSource } from "./credentials.ts";
import { refusalError, RegistryError } from "./errors.ts";
import { describe, exchange } from "./exchange.ts";
import { isLoopback } from "./hosts.ts";
import { HttpClients, type HttpInit } from "./http_clients.ts";
import { backoffMs, type Limits, pause } from "./limits.ts";

/** A request, as {@linkcode Transport.send} takes it. */
export interface Request {
  method: "GET" | "HEAD" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Path below the registry, `/v2/...`, or a whole address that the registry gave. */
  path: string;
  headers?: Record<string, string>;
  /** A stream is sent once; whoever has it again tries again. */
  body?: Bytes | ReadableStream<Bytes>;
  /** What a token must allow. @default nothing */
  scope?: string;
  /** Statuses that are answers; any other is thrown as an error. @default [200] */
  accept?: readonly number[];
  /** How often to send it. @default the limits' */
  attempts?: number;
  signal?: AbortSignal | undefined;
}

/** How a registry is reached. */
export interface Endpoint {
  /** `registry-1.docker.io`, `localhost:5000`: where requests go. */
  host: string;
  /** Whose credentials to use: the domain of references. */
  domain: string;
  /** Plain http and certificates nobody vouches for will do. Loopback may be plain in any case. */
  isInsecure: boolean;
}

/** What a {@linkcode Transport} works with. */
export interface TransportOptions {
  limits: Limits;
  credentials: CredentialSource;
  /** The repository that credentials may be special for. */
  repository?: string;
  /** Asks token servers for a refresh token too. @default false */
  offline?: boolean;
}

const REDIRECTS_MAX = 10;
const AUTHORIZATIONS_MAX = 2;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Sends requests to one registry. */
export class Transport implements Disposable {
  readonly #endpoint: Endpoint;
  readonly #limits: Limits;
  readonly #clients = new HttpClients();
  readonly #authorizer: Authorizer;
  /** Schemes still to be tried; one as soon as the registry has answered. */
  #schemes: readonly ("http" | "https")[];
  #hasAnswered = false;

  constructor(endpoint: Endpoint, options: TransportOptions) {
    this.#endpoint = endpoint;
    this.#limits = options.limits;
    const { host, domain, isInsecure } = endpoint;
    // On this machine plain http is the rule, and a server that wants TLS says so at once.
    this.#schemes = isLoopback(host)
      ? ["http", "https"]
      : isInsecure
      ? ["https", "http"]
      : ["https"];
    const { repository } = options;
    this.#authorizer = new Authorizer({
      isInsecure,
      ...options.offline && { offline: true },
      credentials: () => options.credentials({ domain, ...repository && { repository } }),
      send: (url, init) => this.#exchange(url, init, this.#limits.answerMs),
    });
  }

  /**
   * Sends a request, again if that may help.
   *
   * @returns An answer of a status that the request accepts; its body fails if it stalls.
   * @throws {RegistryError} The registry's refusal, or why there was no answer.
   */
  async send(request: Request): Promise<Response> {
    const isOnce = request.body instanceof ReadableStream;
    const attempts = isOnce ? 1 : request.attempts ?? this.#limits.attempts;
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#attempt(request);
      } catch (error) {
        request.signal?.throwIfAborted();
        const delay = this.#delayAfter(error, attempt);
        if (delay === undefined || attempt >= attempts) throw error;
        await pause(delay, request.signal);
      }
    }
  }

  /** The registry's address: after the first answer the right one. */
  get base(): URL {
    return new URL(`${this.#schemes[0]}://${this.#endpoint.host}`);
  }

  /** What a token server gave to be kept instead of the password. */
  get refreshToken(): string | undefined {
    return this.#authorizer.refreshToken;
  }

  /** Ends all connections. */
  [Symbol.dispose](): void {
    this.#clients[Symbol.dispose]();
  }

  /** How long to wait before sending it again; undefined if that would be in vain. */
  #delayAfter(error: unknown, attempt: number): number | undefined {
    if (!(error instanceof RegistryError)) return undefined;
    const { isTemporary, retryAfterMs, status } = error;
    // A registry that was there a moment ago may be starting anew; one that never was is mistyped.
    if (!isTemporary && !(this.#hasAnswered && status === undefined)) return undefined;
    if (!this.#hasAnswered && status === undefined && attempt >= 2) return undefined;
    if (retryAfterMs !== undefined) {
      return retryAfterMs > this.#limits.backoffMaxMs ? undefined : retryAfterMs;
    }
    // A rate limit that does not say when it ends lasts for hours.
    if (status === 429 && attempt >= 2) return undefined;
    return backoffMs(this.#limits, attempt);
  }

  async #attempt(request: Request): Promise<Response> {
    if (request.body instanceof ReadableStream && this.#schemes.length > 1) {
      // A stream can be sent once only: find the scheme out without it.
      const { body: _body, ...rest } = request;
      const ping = await this.#tryScheme({ ...rest, method: "GET", path: "/v2/", accept: ANY });
      await ping.body?.cancel();
    }
    const response = await this.#tryScheme(request);
    if ((request.accept ?? [200]).includes(response.status)) return response;
    throw refusalError(response, await readErrorText(response.body));
  }

  /** The first scheme that the registry answers in is the one from then on. */
  async #tryScheme(request: Request): Promise<Response> {
    let first: { error?: unknown; response?: Response } | undefined;
    for (const scheme of this.#schemes) {
      const base = new URL(`${scheme}://${this.#endpoint.host}`);
      try {
        let response = await this.#authorized(base, request);
        if (scheme === "http" && response.status === 400 && this.#schemes.length > 1) {
          // So servers answer that want TLS. Some of them break the connection at once, so that the reason gets lost.
          const { status, headers } = response;
          response = new Response(await readErrorText(response.body), { status, headers });
          first ??= { response };
          continue;
        }
        this.#settle(scheme);
        return response;
      } catch (error) {
        if (!(error instanceof RegistryError) || error.status !== undefined) throw error;
        if (this.#isNobodyThere(error)) throw error;
        // Of two errors docker tells the one about http; but if that was a 400, TLS is what is wanted, and has failed.
        const isTls = first?.response !== undefined &&
          !error.message.endsWith("http: server gave HTTP response to HTTPS client");
        if (first === undefined || scheme === "http" || isTls) first = { error };
      }
    }
    if (first?.response === undefined) throw first?.error;
    this.#settle("http");
    return first.response;
  }

  /** Whether another scheme would meet nobody either. */
  #isNobodyThere({ message }: Error): boolean {
    if (/no such host|unreachable|no route/.test(message)) return true;
    return /connection refused/.test(message) && /:\d+$/.test(this.#endpoint.host);
  }

  #settle(scheme: "http" | "https"): void {
    this.#schemes = [scheme];
    this.#hasAnswered = true;
  }

  /** Sends it as who we are; asked for more, once more. */
  async #authorized(base: URL, request: Request): Promise<Response> {
    const { scope = "" } = request;
    let header = await this.#authorizer.header(base, scope);
    for (let round = 1;; round++) {
      const response = await this.#redirected(base, request, header);
      if (response.status !== 401 || request.body instanceof ReadableStream) return response;
      if (round >= AUTHORIZATIONS_MAX + 1) return response;
      const next = await this.#answerChallenge(base, response, { scope, sent: header }, request);
      if (next === undefined) return response;
      await response.body?.cancel();
      header = next;
    }
  }

  async #answerChallenge(
    base: URL,
    response: Response,
    sent: { scope: string; sent: string | undefined },
    request: Request,
  ): Promise<string | undefined> {
    try {
      return await this.#authorizer.answer(base, response, sent);
    } catch (error) {
      await response.body?.cancel();
      if (error instanceof Error && error.message === "no basic auth credentials") {
        const url = new URL(request.path, base);
        throw new RegistryError("unauthorized", `${describe(request, url)}: ${error.message}`, {
          cause: error,
          status: 401,
        });
      }
      throw error;
    }
  }

  async #redirected(base: URL, request: Request, header: string | undefined): Promise<Response> {
    let url = this.#resolve(base, request.path);
    for (let hops = 0; hops <= REDIRECTS_MAX; hops++) {
      // The registry's credentials are for the registry alone.
      const isOwn = url.origin === base.origin;
      const headers = {
        ...request.headers,
        ...isOwn && header !== undefined && { authorization: header },
      };
      const { method, body, signal } = request;
      const isStore = method === "PUT" || method === "PATCH";
      const response = await this.#exchange(
        url,
        { method, headers, ...body && { body }, ...signal && { signal } },
        isStore ? this.#limits.storeMs : this.#limits.answerMs,
      );
      const location = response.headers.get("location");
      if (!REDIRECTS.has(response.status) || location === null) return response;
      if (method !== "GET" && method !== "HEAD") return response;
      await response.body?.cancel();
      url = this.#resolve(url, location);
    }
    throw new RegistryError(
      "unavailable",
      `${describe(request, base)}: stopped after ${REDIRECTS_MAX} redirects`,
    );
  }

  /** Resolves an address the registry gave; https never leads to http, but for insecure registries. */
  #resolve(base: URL, location: string): URL {
    let url: URL | undefined;
    try {
      url = new URL(location, base);
    } catch {
      // Said below.
    }
    const isPlain = url?.protocol === "http:";
    if (url?.protocol === "https:" || isPlain && (base.protocol === "http:" || this.#mayBePlain)) {
      url!.username = url!.password = "";
      return url!;
    }
    throw new RegistryError(
      "unavailable",
      `The registry ${this.#endpoint.host} redirects to ${
        JSON.stringify(location.slice(0, 200))
      }, which is not reached over https: refusing to follow`,
    );
  }

  get #mayBePlain(): boolean {
    return this.#endpoint.isInsecure || isLoopback(this.#endpoint.host);
  }

  async #exchange(
    url: URL,
    init: Omit<HttpInit, "signal"> & { signal?: AbortSignal },
    patienceMs: number,
  ): Promise<Response> {
    // Trust in the registry is none in the servers it sends us to.
    const isInsecure = this.#mayBePlain &&
      (url.host === this.#endpoint.host || isLoopback(url.host));
    return await exchange(this.#clients, url, init, {
      limits: this.#limits,
      isInsecure,
      patienceMs,
    });
  }
}

/** Every status there is. */
const ANY: readonly number[] = Array.from({ length: 500 }, (_, i) => i + 100);
