/**
 * A repository spoken to over HTTP: the distribution-spec's pull and push.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 * @module
 */
import { DhowError } from "../errors.ts";
import { isDigest } from "../lib/digest.ts";
import { familiarName, familiarReference } from "../lib/reference.ts";
import { sha256Hex } from "../lib/sha256.ts";
import type { Descriptor, Digest } from "../spec/image.ts";
import { type Bytes, readBounded } from "./body.ts";
import { explainRefusal, RegistryError } from "./errors.ts";
import { backoffMs, type Limits, pause } from "./limits.ts";
import { MANIFEST_TYPES } from "./media_types.ts";
import { readPages } from "./pages.ts";
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
import { mergeScopes, repositoryScope } from "./scope.ts";
import type { Request, Transport } from "./transport.ts";
import { uploadBlob } from "./upload.ts";

/** Docker's limit too. */
const MANIFEST_MAX = 4 << 20;

/** What an {@linkcode HttpRepository} is made of. */
export interface HttpRepositoryOptions {
  transport: Transport;
  limits: Limits;
  /** The repository's name there: a mirror may have it elsewhere. @default the name's */
  remoteName?: string;
  /** What tokens are asked for from the start. @default "pull" */
  actions?: "pull" | "pull,push";
}

/** One repository of one registry. */
export class HttpRepository implements Repository {
  readonly name: RepositoryName;
  readonly #transport: Transport;
  readonly #limits: Limits;
  readonly #remoteName: string;
  readonly #scope: string;

  constructor(name: RepositoryName, options: HttpRepositoryOptions) {
    this.name = name;
    this.#transport = options.transport;
    this.#limits = options.limits;
    this.#remoteName = options.remoteName ?? name.repository;
    this.#scope = repositoryScope(this.#remoteName, options.actions ?? "pull");
  }

  async headManifest(ref: string, options: CallOptions = {}): Promise<ManifestHead | undefined> {
    const response = await this.#send({
      method: "HEAD",
      path: `manifests/${ref}`,
      headers: { accept: MANIFEST_TYPES.join(", ") },
      accept: [200, 404],
      ...options,
    }, ref);
    await response.body?.cancel();
    if (response.status === 404) return undefined;
    const digest = response.headers.get("docker-content-digest") ?? "";
    const size = sizeOf(response);
    if (!isDigest(digest) || size === undefined) {
      const { mediaType, bytes, digest } = await this.manifest(ref, options);
      return { digest, mediaType, size: bytes.length };
    }
    if (isDigest(ref) && digest !== ref) throw mismatch(ref);
    return { digest, mediaType: mediaTypeOf(response), size };
  }

  async manifest(ref: string, options: CallOptions = {}): Promise<FetchedManifest> {
    for (let attempt = 1;; attempt++) {
      const response = await this.#send({
        method: "GET",
        path: `manifests/${ref}`,
        headers: { accept: MANIFEST_TYPES.join(", ") },
        ...options,
      }, ref);
      try {
        const bytes = await readBounded(response.body, MANIFEST_MAX);
        if (bytes === undefined) throw this.#tooLarge(ref);
        const mediaType = mediaTypeOf(response);
        return { digest: await checkDigest(response, ref, bytes), mediaType, bytes };
      } catch (error) {
        options.signal?.throwIfAborted();
        // The connection broke in the middle.
        const isBroken = error instanceof RegistryError && error.isTemporary;
        if (!isBroken || attempt >= this.#limits.attempts) throw error;
        await pause(backoffMs(this.#limits, attempt), options.signal);
      }
    }
  }

  async blob(digest: Digest, options: CallOptions & { offset?: number } = {}): Promise<BlobBody> {
    const { offset = 0, ...rest } = options;
    const response = await this.#send({
      method: "GET",
      path: `blobs/${digest}`,
      ...offset > 0 && { headers: { range: `bytes=${offset}-` } },
      accept: [200, 206],
      ...rest,
    });
    const body = response.body ?? new Blob([]).stream();
    if (response.status === 200) {
      const sizeBytes = sizeOf(response);
      return { body, offset: 0, ...sizeBytes !== undefined && { sizeBytes } };
    }
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
    const sizeBytes = Number(range?.[2]);
    return {
      body,
      offset: range === null ? offset : Number(range[1]),
      ...Number.isSafeInteger(sizeBytes) && { sizeBytes },
    };
  }

  async hasBlob(digest: Digest, options: CallOptions = {}): Promise<number | undefined> {
    const response = await this.#send({
      method: "HEAD",
      path: `blobs/${digest}`,
      accept: [200, 404],
      ...options,
    });
    await response.body?.cancel();
    return response.status === 404 ? undefined : sizeOf(response) ?? 0;
  }

  async mountBlob(digest: Digest, from: string, options: CallOptions = {}): Promise<boolean> {
    const query = new URLSearchParams({ mount: digest, from });
    let response: Response;
    try {
      response = await this.#send({
        method: "POST",
        path: `blobs/uploads/?${query}`,
        scope: mergeScopes(this.#scope, repositoryScope(from, "pull")),
        accept: [201, 202],
        ...options,
      });
    } catch (error) {
      options.signal?.throwIfAborted();
      // One may not read there, or the registry does not mount: no reason not to upload.
      const { status = 0 } = error instanceof RegistryError ? error : {};
      if (status >= 400 && status < 500 && status !== 429) return false;
      throw error;
    }
    await response.body?.cancel();
    if (response.status === 201) return true;
    await this.#cancelUpload(response, options);
    return false;
  }

  async uploadBlob(
    descriptor: Descriptor,
    open: OpenBlob,
    options: UploadOptions = {},
  ): Promise<void> {
    const context = {
      transport: this.#transport,
      limits: this.#limits,
      path: `/v2/${this.#remoteName}/blobs/uploads/`,
      scope: this.#scope,
    };
    await uploadBlob(context, descriptor, open, options);
  }

  async putManifest(
    ref: string,
    manifest: { mediaType: string; bytes: Bytes },
    options: CallOptions = {},
  ): Promise<Digest> {
    const { mediaType, bytes } = manifest;
    const response = await this.#send({
      method: "PUT",
      path: `manifests/${ref}`,
      headers: { "content-type": mediaType },
      body: bytes,
      accept: [200, 201, 202],
      ...options,
    });
    await response.body?.cancel();
    return isDigest(ref) ? ref : `sha256:${sha256Hex(bytes)}`;
  }

  async *tags(options: CallOptions = {}): AsyncIterable<string> {
    const path = `/v2/${this.#remoteName}/tags/list`;
    try {
      yield* readPages(this.#transport, { path, scope: this.#scope, ...options }, "tags");
    } catch (error) {
      throw this.#explain(error);
    }
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }

  /** @param ref The tag or digest the request is about, for errors. */
  async #send(request: Request, ref?: string): Promise<Response> {
    const path = `/v2/${this.#remoteName}/${request.path}`;
    try {
      return await this.#transport.send({ scope: this.#scope, ...request, path });
    } catch (error) {
      throw request.method === "GET" || request.method === "HEAD"
        ? this.#explain(error, ref)
        : error;
    }
  }

  #explain(error: unknown, ref?: string): unknown {
    const repository = familiarName(this.name);
    return explainRefusal(error, {
      repository,
      ...ref !== undefined && { reference: this.#reference(ref) },
    });
  }

  #tooLarge(ref: string): RegistryError {
    const name = isDigest(ref) ? ref : this.#reference(ref);
    return new RegistryError(
      "unavailable",
      `Cannot take manifest ${name}: it is larger than 4 MiB`,
    );
  }

  #reference(ref: string): string {
    return familiarReference({ ...this.name, ...isDigest(ref) ? { digest: ref } : { tag: ref } });
  }

  /** Tidies up an upload that nobody will finish; a registry that will not have it keeps it. */
  async #cancelUpload(started: Response, options: CallOptions): Promise<void> {
    const location = started.headers.get("location");
    if (location === null) return;
    try {
      const request = {
        method: "DELETE",
        path: location,
        scope: this.#scope,
        attempts: 1,
      } as const;
      const response = await this.#transport.send({ ...request, accept: [204, 404], ...options });
      await response.body?.cancel();
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
    }
  }
}

function mediaTypeOf(response: Response): string {
  return (response.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}

function sizeOf(response: Response): number | undefined {
  const length = response.headers.get("content-length") ?? "";
  return /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

/** The digest of a manifest's bytes, which must be the one asked for or announced. */
async function checkDigest(response: Response, ref: string, bytes: Bytes): Promise<Digest> {
  const announced = response.headers.get("docker-content-digest") ?? "";
  const wanted = isDigest(ref) ? ref : isDigest(announced) ? announced : undefined;
  if (wanted?.startsWith("sha512:")) {
    if (await digestOf("SHA-512", bytes) !== wanted) throw mismatch(wanted);
    return wanted;
  }
  const digest = await digestOf("SHA-256", bytes);
  if (wanted !== undefined && digest !== wanted) throw mismatch(wanted);
  return digest;
}

async function digestOf(algorithm: "SHA-256" | "SHA-512", bytes: Bytes): Promise<Digest> {
  const hash = new Uint8Array(await crypto.subtle.digest(algorithm, bytes));
  return `${algorithm.toLowerCase().replace("-", "")}:${hash.toHex()}`;
}

function mismatch(digest: Digest): DhowError {
  return new DhowError("digest_mismatch", `manifest verification failed for digest ${digest}`);
}
