/**
 * A registry in memory that misbehaves on demand: each request passes a hook that may answer in its place.
 *
 * ```ts ignore
 * await using registry = startFaultyRegistry();
 * const { digest } = await registry.addImage("x", "latest", [gzippedTar]);
 * registry.hook = (call) => call.kind === "blob" && call.count === 1 ? truncated(call.bytes!, 1000) : undefined;
 * ```
 *
 * @module
 */
import { type Context, Hono } from "hono";

type Bytes = Uint8Array<ArrayBuffer>;

/** A request, before the registry answers it. */
export interface Call {
  kind: "ping" | "manifest" | "blob" | "upload" | "tags" | "catalog" | "other";
  method: string;
  path: string;
  request: Request;
  /** Repository, where the path has one. */
  name: string;
  /** Tag or digest of a manifest, digest of a blob. */
  ref: string;
  /** The how many-th request this is of its method and path, from 1. */
  count: number;
  /** The manifest or blob that the honest answer holds. */
  bytes: Bytes | undefined;
}

/** What a test remembers of a request. */
export interface Seen {
  kind: Call["kind"];
  method: string;
  path: string;
  authorization: string | null;
  range: string | null;
}

/** Answers in the registry's place; undefined leaves it to the registry. */
export type Hook = (call: Call) => Response | undefined | Promise<Response | undefined>;

/** What {@linkcode FaultyRegistry.addImage} made. */
export interface AddedImage {
  digest: string;
  config: string;
  layers: string[];
}

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar";

/** A registry whose content, answers and requests are the test's. */
export class FaultyRegistry implements AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly blobs = new Map<string, Bytes>();
  /** By `NAME:TAG` and `NAME@DIGEST`. */
  readonly manifests = new Map<string, { mediaType: string; bytes: Bytes }>();
  /** Every request so far. */
  readonly seen: Seen[] = [];
  /** Asked first, of every request. */
  hook: Hook | undefined;
  /** The next upload fails after so many bytes, which are kept. */
  breakUploadAfter: number | undefined;
  readonly #uploads = new Map<string, Bytes[]>();
  readonly #counts = new Map<string, number>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #abort = new AbortController();

  constructor() {
    const app = new Hono();
    app.all("*", (c) => this.#answer(c));
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      onListen() {},
      // A body that the test breaks off is no news.
      onError: () => new Response(null, { status: 500 }),
      signal: this.#abort.signal,
    }, app.fetch);
    this.host = `127.0.0.1:${this.#server.addr.port}`;
    this.url = `http://${this.host}`;
  }

  /** Adds a blob. @returns Its digest. */
  async addBlob(bytes: Bytes): Promise<string> {
    const digest = await sha256(bytes);
    this.blobs.set(digest, bytes);
    return digest;
  }

  /** Adds a manifest under a tag and its digest. @returns The digest. */
  async addManifest(
    name: string,
    tag: string,
    manifest: unknown,
    mediaType = MANIFEST_TYPE,
  ): Promise<string> {
    const bytes = manifest instanceof Uint8Array
      ? manifest as Bytes
      : new TextEncoder().encode(JSON.stringify(manifest));
    const digest = await sha256(bytes);
    this.manifests.set(`${name}:${tag}`, { mediaType, bytes });
    this.manifests.set(`${name}@${digest}`, { mediaType, bytes });
    return digest;
  }

  /**
   * Adds an image.
   *
   * @param layers Plain or compressed tars.
   * @param options `diffIds`: of the plain tars, where `layers` are compressed; `layerType`: their media type.
   */
  async addImage(
    name: string,
    tag: string,
    layers: readonly Bytes[],
    options: { diffIds?: readonly string[]; layerType?: string; config?: unknown } = {},
  ): Promise<AddedImage> {
    const digests = await Promise.all(layers.map((layer) => this.addBlob(layer)));
    const config = await this.addBlob(
      new TextEncoder().encode(JSON.stringify({
        architecture: Deno.build.arch === "aarch64" ? "arm64" : "amd64",
        os: "linux",
        config: options.config ?? { Cmd: ["sh"] },
        rootfs: { type: "layers", diff_ids: options.diffIds ?? digests },
      })),
    );
    const digest = await this.addManifest(name, tag, {
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: CONFIG_TYPE, digest: config, size: this.blobs.get(config)!.length },
      layers: digests.map((digest, i) => ({
        mediaType: options.layerType ?? LAYER_TYPE,
        digest,
        size: layers[i]!.length,
      })),
    });
    return { digest, config, layers: digests };
  }

  /** How many requests of this method and kind there were. */
  count(method: string, kind: Call["kind"]): number {
    return this.seen.filter((seen) => seen.method === method && seen.kind === kind).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#server.finished;
  }

  async #answer(c: Context): Promise<Response> {
    const { method, path } = c.req;
    const call = this.#describe(c);
    this.seen.push({
      kind: call.kind,
      method,
      path: path + new URL(c.req.url).search,
      authorization: c.req.header("authorization") ?? null,
      range: c.req.header("range") ?? null,
    });
    const answer = await this.hook?.(call);
    if (answer !== undefined) return answer;
    switch (call.kind) {
      case "ping":
        return c.json({});
      case "manifest":
        return method === "PUT" ? await this.#putManifest(c, call) : this.#manifest(call);
      case "blob":
        return this.#blob(call);
      case "upload":
        return await this.#upload(c, call);
      case "tags":
        return c.json({ name: call.name, tags: this.#tags(call.name) });
      case "catalog":
        return c.json({ repositories: this.#repositories() });
      case "other":
        return refuse(404, "NOT_FOUND", "not found");
    }
  }

  #describe(c: Context): Call {
    const { method, path } = c.req;
    const key = `${method} ${path}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    const base = { method, path, request: c.req.raw, count, name: "", ref: "", bytes: undefined };
    if (/^\/v2\/?$/.test(path)) return { ...base, kind: "ping" };
    if (path === "/v2/_catalog") return { ...base, kind: "catalog" };
    const match = /^\/v2\/(.+?)\/(?:(manifests|blobs)\/([^/]+)|(tags)\/list|(blobs\/uploads)\/.*)$/
      .exec(path);
    if (match === null) return { ...base, kind: "other" };
    const [, name, what, ref, tags, upload] = match as unknown as string[];
    if (upload) return { ...base, kind: "upload", name: name! };
    if (tags) return { ...base, kind: "tags", name: name! };
    const bytes = what === "blobs" ? this.blobs.get(ref!) : this.#find(name!, ref!)?.bytes;
    return {
      ...base,
      kind: what === "blobs" ? "blob" : "manifest",
      name: name!,
      ref: ref!,
      bytes,
    };
  }

  #find(name: string, ref: string): { mediaType: string; bytes: Bytes } | undefined {
    return this.manifests.get(ref.includes(":") ? `${name}@${ref}` : `${name}:${ref}`);
  }

  async #manifest({ method, name, ref }: Call): Promise<Response> {
    const found = this.#find(name, ref);
    if (found === undefined) return refuse(404, "MANIFEST_UNKNOWN", "manifest unknown");
    const headers = {
      "content-type": found.mediaType,
      "content-length": String(found.bytes.length),
      "docker-content-digest": await sha256(found.bytes),
    };
    return new Response(method === "HEAD" ? null : found.bytes, { headers });
  }

  async #putManifest(c: Context, { name, ref }: Call): Promise<Response> {
    const bytes = new Uint8Array(await c.req.arrayBuffer());
    const digest = await sha256(bytes);
    const manifest = { mediaType: c.req.header("content-type") ?? "", bytes };
    this.manifests.set(`${name}@${digest}`, manifest);
    if (ref !== digest) this.manifests.set(`${name}:${ref}`, manifest);
    return new Response(null, { status: 201, headers: { "docker-content-digest": digest } });
  }

  #blob({ method, ref, request, bytes }: Call): Response {
    if (bytes === undefined) return refuse(404, "BLOB_UNKNOWN", "blob unknown to registry");
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? -1);
    if (start >= bytes.length) return new Response(null, { status: 416 });
    const part = bytes.subarray(Math.max(0, start));
    const headers: Record<string, string> = {
      "content-type": "application/octet-stream",
      "content-length": String(part.length),
      "docker-content-digest": ref,
    };
    if (start >= 0) headers["content-range"] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    return new Response(method === "HEAD" ? null : part, {
      status: start >= 0 ? 206 : 200,
      headers,
    });
  }

  async #upload(c: Context, { method, name, path }: Call): Promise<Response> {
    const mount = c.req.query("mount");
    if (method === "POST" && mount !== undefined && this.blobs.has(mount)) {
      return new Response(null, {
        status: 201,
        headers: { location: `/v2/${name}/blobs/${mount}` },
      });
    }
    const id = method === "POST" ? crypto.randomUUID() : path.slice(path.lastIndexOf("/") + 1);
    if (method === "POST") this.#uploads.set(id, []);
    const chunks = this.#uploads.get(id);
    if (chunks === undefined) return refuse(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown");
    if (method === "DELETE") this.#uploads.delete(id);
    const isRead = await this.#receive(c.req.raw, chunks);
    const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (!isRead) return new Response(null, { status: 500 });
    if (method === "PUT") return await this.#finish(c, id, chunks);
    return new Response(null, {
      status: method === "GET" || method === "DELETE" ? 204 : 202,
      headers: {
        location: `/v2/${name}/blobs/uploads/${id}`,
        range: `0-${Math.max(0, size - 1)}`,
      },
    });
  }

  /** Keeps what comes, also of a body that breaks off. */
  async #receive(request: Request, chunks: Bytes[]): Promise<boolean> {
    const max = this.breakUploadAfter ?? Infinity;
    let size = 0;
    try {
      for await (const chunk of request.body ?? []) {
        chunks.push(chunk.subarray(0, max - size));
        size += chunk.length;
        if (size >= max) return false;
      }
      return true;
    } catch {
      return false;
    } finally {
      if (size >= max) this.breakUploadAfter = undefined;
    }
  }

  async #finish(c: Context, id: string, chunks: Bytes[]): Promise<Response> {
    const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
    const digest = await sha256(bytes);
    if (digest !== c.req.query("digest")) {
      return refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    }
    this.#uploads.delete(id);
    this.blobs.set(digest, bytes);
    return new Response(null, { status: 201, headers: { "docker-content-digest": digest } });
  }

  #tags(name: string): string[] {
    return [...this.manifests.keys()].filter((key) => key.startsWith(`${name}:`))
      .map((key) => key.slice(name.length + 1)).sort();
  }

  #repositories(): string[] {
    return [...new Set([...this.manifests.keys()].map((key) => key.split(/[:@]/)[0]!))].sort();
  }
}

/** Starts one on a free port of 127.0.0.1. */
export function startFaultyRegistry(hook?: Hook): FaultyRegistry {
  const registry = new FaultyRegistry();
  registry.hook = hook;
  return registry;
}

/** A registry's refusal. */
export function refuse(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ errors: [{ code, message }] }, { status, headers });
}

/** An answer that announces all of `bytes` and breaks the connection after the first `n`. */
export function truncated(bytes: Bytes, n: number, init: ResponseInit = {}): Response {
  let isSent = false;
  const body = new ReadableStream<Bytes>({
    async pull(controller) {
      if (isSent) {
        // What has been sent is to arrive before the end does.
        await new Promise((resolve) => setTimeout(resolve, 20));
        return controller.error(new Error("broken off"));
      }
      isSent = true;
      controller.enqueue(bytes.subarray(0, n));
    },
  });
  return new Response(body, init);
}

/** An answer that never ends: `chunk` again and again. */
export function endless(chunk: Bytes, init: ResponseInit = {}): Response {
  return new Response(
    new ReadableStream<Bytes>({ pull: (controller) => controller.enqueue(chunk.slice()) }),
    init,
  );
}

/** An answer of one byte every `everyMs`. */
export function dripping(bytes: Bytes, everyMs: number, init: ResponseInit = {}): Response {
  let at = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const body = new ReadableStream<Bytes>({
    async pull(controller) {
      await new Promise<void>((resolve) => timer = setTimeout(resolve, everyMs));
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, ++at));
    },
    cancel: () => clearTimeout(timer),
  });
  return new Response(body, init);
}

async function sha256(bytes: Bytes): Promise<string> {
  return `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
}
