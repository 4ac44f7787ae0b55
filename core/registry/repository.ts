/**
 * `Repository`: what images need of a registry, whatever stands behind it.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 * @module
 */
import type { Descriptor, Digest } from "../spec/image.ts";

/** Which repository: the two halves of a reference that say so. */
export interface RepositoryName {
  /** `docker.io`, `localhost:5000`. */
  domain: string;
  /** `library/busybox`. */
  repository: string;
}

/** What every request takes. */
export interface CallOptions {
  /** Ends the request, and the body of its answer, with the signal's reason. */
  signal?: AbortSignal;
}

/** What a registry says of a manifest without sending it. */
export interface ManifestHead {
  digest: Digest;
  mediaType: string;
  /** Bytes. */
  size: number;
}

/** A manifest or index as the registry has it, its digest checked. */
export interface FetchedManifest {
  digest: Digest;
  mediaType: string;
  /** At most 4 MiB. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** A blob, or the rest of one, on its way. Its digest is the reader's to check. */
export interface BlobBody {
  /** Fails if the registry goes silent or gets too slow; connecting anew is up to the reader (`downloadBlob`). */
  body: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Where `body` begins: 0 if the registry does not know ranges, else what was asked for. */
  offset: number;
  /** The whole blob's size, if the registry says it. */
  sizeBytes?: number;
}

/** How a blob is uploaded. */
export interface UploadOptions extends CallOptions {
  /** Told now and then how many bytes have left; falls back when an upload begins again. */
  onProgress?(sentBytes: number): void;
}

/** Opens the blob to upload from `offset` on; called again for each new try. */
export type OpenBlob = (
  offset: number,
) => ReadableStream<Uint8Array<ArrayBuffer>> | Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;

/**
 * One repository at one registry; logs in when first asked to, and tries again where that helps.
 *
 * All methods throw {@linkcode DhowError}s in docker's words: `not_found`, `unauthorized`, `unavailable` (after all tries),
 * `digest_mismatch`; and the signal's reason once it is aborted.
 */
export interface Repository extends Disposable {
  readonly name: RepositoryName;
  /** A manifest's digest, type and size by tag or digest; undefined if there is none. */
  headManifest(ref: string, options?: CallOptions): Promise<ManifestHead | undefined>;
  /** A manifest by tag or digest. @throws {DhowError} `digest_mismatch`; `not_found`; `unavailable` above 4 MiB. */
  manifest(ref: string, options?: CallOptions): Promise<FetchedManifest>;
  /** A blob from `offset` on, as far as the registry knows ranges. */
  blob(digest: Digest, options?: CallOptions & { offset?: number }): Promise<BlobBody>;
  /** The size of a blob that is there, undefined of one that is not. */
  hasBlob(digest: Digest, options?: CallOptions): Promise<number | undefined>;
  /** Takes a blob over from the repository `from` of the same registry; false if the registry would not. */
  mountBlob(digest: Digest, from: string, options?: CallOptions): Promise<boolean>;
  /** Uploads a blob: in one piece if it is small, else as a stream. The registry checks the digest. */
  uploadBlob(descriptor: Descriptor, open: OpenBlob, options?: UploadOptions): Promise<void>;
  /** Puts a manifest under a tag or its digest. @returns Its digest. */
  putManifest(
    ref: string,
    manifest: { mediaType: string; bytes: Uint8Array<ArrayBuffer> },
    options?: CallOptions,
  ): Promise<Digest>;
  /** All tags, page after page. @throws {DhowError} `unavailable` if they do not end. */
  tags(options?: CallOptions): AsyncIterable<string>;
}
