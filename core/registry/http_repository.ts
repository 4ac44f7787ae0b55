/**
 * A repository spoken to over HTTP: the distribution-spec's pull and push.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 * @module
 */
import { DhowError } from "../errors.ts";
import { isDigest } from "../lib/digest.ts";
import { sha256Hex } from "../lib/sha256.ts";
import type { Descriptor, Digest } from "../spec/image.ts";
import type {
  BlobBody,
  CallOptions,
  FetchedManifest,
  ManifestHead,
  OpenBlob,
  Repository,
  RepositoryName,
  UploadOptions,
} from "./repository.ts";
import type { Transport } from "./transport.ts";

const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
  "application/json",
].join(", ");

/** One repository of one registry. */
export class HttpRepository implements Repository {
  readonly name: RepositoryName;
  readonly #transport: Transport;

  constructor(name: RepositoryName, transport: Transport) {
    this.name = name;
    this.#transport = transport;
  }

  get #path(): string {
    return `/v2/${this.name.repository}`;
  }

  async headManifest(ref: string, options: CallOptions = {}): Promise<ManifestHead | undefined> {
    const response = await this.#transport.send({
      method: "HEAD",
      path: `${this.#path}/manifests/${ref}`,
      headers: { accept: ACCEPT },
      ...options,
    });
    await response.body?.cancel();
    if (response.status === 404) return undefined;
    if (!response.ok) throw this.#failed(response);
    const digest = response.headers.get("docker-content-digest") ?? "";
    if (!isDigest(digest)) {
      const { mediaType, bytes, digest } = await this.manifest(ref, options);
      return { digest, mediaType, size: bytes.length };
    }
    return {
      digest,
      mediaType: response.headers.get("content-type") ?? "",
      size: Number(response.headers.get("content-length")),
    };
  }

  async manifest(ref: string, options: CallOptions = {}): Promise<FetchedManifest> {
    const response = await this.#transport.send({
      method: "GET",
      path: `${this.#path}/manifests/${ref}`,
      headers: { accept: ACCEPT },
      ...options,
    });
    if (!response.ok) throw this.#failed(response);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const digest = `sha256:${sha256Hex(bytes)}`;
    if (isDigest(ref) && ref !== digest) {
      throw new DhowError("digest_mismatch", `manifest verification failed for digest ${ref}`);
    }
    return { digest, mediaType: response.headers.get("content-type") ?? "", bytes };
  }

  async blob(digest: Digest, options: CallOptions & { offset?: number } = {}): Promise<BlobBody> {
    const { offset = 0, ...rest } = options;
    const response = await this.#transport.send({
      method: "GET",
      path: `${this.#path}/blobs/${digest}`,
      ...offset > 0 && { headers: { range: `bytes=${offset}-` } },
      ...rest,
    });
    if (!response.ok) throw this.#failed(response);
    return { body: response.body!, offset: response.status === 206 ? offset : 0 };
  }

  async hasBlob(digest: Digest, options: CallOptions = {}): Promise<number | undefined> {
    const response = await this.#transport.send({
      method: "HEAD",
      path: `${this.#path}/blobs/${digest}`,
      ...options,
    });
    if (response.status === 404) return undefined;
    if (!response.ok) throw this.#failed(response);
    return Number(response.headers.get("content-length"));
  }

  async mountBlob(digest: Digest, from: string, options: CallOptions = {}): Promise<boolean> {
    const response = await this.#transport.send({
      method: "POST",
      path: `${this.#path}/blobs/uploads/?mount=${digest}&from=${encodeURIComponent(from)}`,
      ...options,
    });
    await response.body?.cancel();
    return response.status === 201;
  }

  async uploadBlob(
    descriptor: Descriptor,
    open: OpenBlob,
    options: UploadOptions = {},
  ): Promise<void> {
    const signal = options.signal;
    const start = await this.#transport.send({
      method: "POST",
      path: `${this.#path}/blobs/uploads/`,
      signal,
    });
    await start.body?.cancel();
    if (start.status !== 202) throw this.#failed(start);
    const patch = await this.#transport.send({
      method: "PATCH",
      path: start.headers.get("location")!,
      headers: { "content-type": "application/octet-stream" },
      body: await open(0),
      signal,
    });
    await patch.body?.cancel();
    if (patch.status !== 202) throw this.#failed(patch);
    const location = patch.headers.get("location")!;
    const put = await this.#transport.send({
      method: "PUT",
      path: `${location}${location.includes("?") ? "&" : "?"}digest=${descriptor.digest}`,
      signal,
    });
    await put.body?.cancel();
    if (put.status !== 201) throw this.#failed(put);
  }

  async putManifest(
    ref: string,
    manifest: { mediaType: string; bytes: Uint8Array<ArrayBuffer> },
    options: CallOptions = {},
  ): Promise<Digest> {
    const response = await this.#transport.send({
      method: "PUT",
      path: `${this.#path}/manifests/${ref}`,
      headers: { "content-type": manifest.mediaType },
      body: manifest.bytes,
      ...options,
    });
    await response.body?.cancel();
    if (!response.ok) throw this.#failed(response);
    return `sha256:${sha256Hex(manifest.bytes)}`;
  }

  async *tags(options: CallOptions = {}): AsyncIterable<string> {
    const response = await this.#transport.send({
      method: "GET",
      path: `${this.#path}/tags/list`,
      ...options,
    });
    if (!response.ok) throw this.#failed(response);
    yield* (await response.json()).tags ?? [];
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }

  #failed(response: Response): DhowError {
    return new DhowError("unavailable", `unexpected status ${response.status}`);
  }
}
