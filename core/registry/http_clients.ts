/**
 * Connections: one pool a host, with the certificates, and the proxy or none, that are right for it.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import type { Bytes } from "./body.ts";
import { readCertificates } from "./certificates.ts";
import { isLoopback } from "./hosts.ts";

/** A request as it goes out. */
export interface HttpInit {
  method: string;
  headers: Record<string, string>;
  body?: Bytes | ReadableStream<Bytes> | string;
  signal: AbortSignal;
}

const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/** Sends requests, and keeps connections until disposed. */
export class HttpClients implements Disposable {
  readonly #clients = new Map<string, Promise<Deno.HttpClient | undefined>>();
  readonly #unverified = new Set<string>();
  #isDisposed = false;

  /**
   * Sends one request; redirects are not followed.
   *
   * @param options `isInsecure`: a certificate nobody vouches for will do, as long as there is one.
   * @throws What fetch throws.
   */
  async fetch(url: URL, init: HttpInit, options: { isInsecure: boolean }): Promise<Response> {
    if (this.#unverified.has(url.host)) return await fetchUnverified(url, init);
    const client = await this.#clientFor(url);
    try {
      return await fetch(url, { ...init, redirect: "manual", ...client && { client } });
    } catch (error) {
      const isUntrusted = options.isInsecure && url.protocol === "https:" &&
        /invalid peer certificate/.test(String((error as Error).cause ?? error));
      if (!isUntrusted || init.body instanceof ReadableStream) throw error;
      this.#unverified.add(url.host);
      return await fetchUnverified(url, init);
    }
  }

  /** Closes all connections, also those in use. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const client of this.#clients.values()) {
      client.then((client) => client?.close(), () => {});
    }
    this.#clients.clear();
  }

  async #clientFor(url: URL): Promise<Deno.HttpClient | undefined> {
    const key = url.origin;
    let client = this.#clients.get(key);
    if (client === undefined) this.#clients.set(key, client = openClient(url));
    const opened = await client;
    if (this.#isDisposed) opened?.close();
    return opened;
  }
}

async function openClient(url: URL): Promise<Deno.HttpClient> {
  if (url.protocol !== "https:") return create({}, url);
  const { caCerts, client } = await readCertificates(url.host);
  return create({ caCerts, ...client }, url);
}

/** Whether a proxy is named that Deno would use, and docker would not: for this machine, or despite `NO_PROXY=*`. */
function isDirect(url: URL): boolean {
  const value = (name: string) => Deno.env.get(name) || Deno.env.get(name.toLowerCase());
  if (!PROXY_VARIABLES.some(value)) return false;
  return isLoopback(url.host) || value("NO_PROXY")?.trim() === "*";
}

/** Makes a pool for `url`. Deno reads the environment just here, and so is told here to go past proxies. */
function create(
  options: Deno.CreateHttpClientOptions & Partial<{ cert: string; key: string }>,
  url: URL,
): Deno.HttpClient {
  const make = () => Deno.createHttpClient(options as Deno.CreateHttpClientOptions);
  if (!isDirect(url)) return make();
  const names = ["NO_PROXY", "no_proxy"];
  const before = names.map((name) => Deno.env.get(name));
  try {
    for (const name of names) Deno.env.set(name, url.hostname.replace(/[[\]]/g, ""));
    return make();
  } finally {
    names.forEach((name, i) => {
      if (before[i] === undefined) Deno.env.delete(name);
      else Deno.env.set(name, before[i]);
    });
  }
}

async function fetchUnverified(url: URL, init: HttpInit): Promise<Response> {
  const module = await lazy<typeof import("./unverified_fetch.ts")>(
    "./unverified_fetch.ts",
    import.meta.url,
  );
  return await module.unverifiedFetch(url, init);
}
