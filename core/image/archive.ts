/**
 * An image archive on its way into the store: members become blobs as they come, since which of them is the manifest
 * is only known at the end. Small documents are kept in memory, within bounds.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { Decompressor } from "../layer/compression.ts";
import { cleanPath, splitPath } from "../layer/root_directory.ts";
import type { TarEntry, TarHandler } from "../layer/tar_entry.ts";
import { TarReader } from "../layer/tar_reader.ts";
import { isDigest } from "../lib/digest.ts";
import type { Descriptor, Digest } from "../spec/image.ts";
import { blobPath, BlobWriter, DOCUMENT_MAX } from "../store/blob.ts";

/** An archive of more members is an attack on memory. */
const MEMBERS_MAX = 100_000;
/** All documents together. */
const DOCUMENTS_MAX = 64 << 20;

type Member =
  | { kind: "document"; text: string }
  | { kind: "blob"; digest: Digest; size: number }
  | { kind: "link"; target: string };

/** The members of an archive, by clean path. */
export class ImageArchive {
  readonly #paths: StorePaths;
  readonly #members = new Map<string, Member>();

  constructor(paths: StorePaths) {
    this.#paths = paths;
  }

  /** Whether there are no members at all. */
  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  /** @throws {DhowError} `invalid_archive` if there are too many. */
  set(path: string, member: Member): void {
    if (this.#members.size >= MEMBERS_MAX) {
      throw new DhowError(
        "invalid_archive",
        `Cannot load archive: it has more than ${MEMBERS_MAX} members`,
      );
    }
    this.#members.set(path, member);
  }

  /** Whether there is such a member. */
  has(path: string): boolean {
    return this.#find(path) !== undefined;
  }

  /** A document as text; undefined if there is no such member. */
  document(path: string): string | undefined {
    const member = this.#find(path);
    if (member === undefined) return undefined;
    if (member.kind === "document") return member.text;
    if (member.kind !== "blob" || member.size > DOCUMENT_MAX) return undefined;
    return Deno.readTextFileSync(blobPath(this.#paths, member.digest));
  }

  /** A document as JSON. @throws {DhowError} `invalid_archive` if it is missing or no JSON. */
  json<T>(path: string): T {
    const text = this.document(path);
    if (text === undefined) {
      throw new DhowError("invalid_archive", `Cannot load archive: "${path}" is missing`);
    }
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new DhowError("invalid_archive", `Cannot load archive: "${path}" is no JSON`, {
        cause,
      });
    }
  }

  /** A member that became a blob. @throws {DhowError} `invalid_archive`. */
  blob(path: string): { digest: Digest; size: number } {
    const member = this.#find(path);
    if (member?.kind === "blob") return { digest: member.digest, size: member.size };
    throw new DhowError("invalid_archive", `Cannot load archive: "${path}" is missing`);
  }

  /** The blob a descriptor speaks of, checked. @throws {DhowError} `invalid_archive`, `digest_mismatch`. */
  verifiedBlob(descriptor: Descriptor): Descriptor {
    const path = `blobs/${descriptor.digest.replace(":", "/")}`;
    const { digest, size } = this.blob(path);
    if (digest !== descriptor.digest || size !== descriptor.size) {
      throw new DhowError(
        "digest_mismatch",
        `Cannot load archive: "${path}" is ${digest} of ${size} bytes instead of ${descriptor.digest} of ${descriptor.size}`,
      );
    }
    return descriptor;
  }

  /** Follows the links that old docker versions put in place of equal layers. */
  #find(path: string): Member | undefined {
    let member = this.#members.get(path);
    for (let i = 0; i < 8 && member?.kind === "link"; i++) {
      member = this.#members.get(member.target);
    }
    return member;
  }
}

/**
 * Reads an archive, compressed or not, into blobs. The caller holds a lease.
 *
 * @throws {DhowError} `invalid_archive` if it is none, is cut short or out of bounds; `no_space`.
 */
export async function readArchive(
  paths: StorePaths,
  tar: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): Promise<ImageArchive> {
  const archive = new ImageArchive(paths);
  using receiver = new ArchiveReceiver(archive, await BlobWriter.factory(paths));
  const reader = new TarReader(receiver);
  try {
    using decompressor = new Decompressor((bytes) => reader.push(bytes));
    for await (const chunk of tar) {
      signal?.throwIfAborted();
      decompressor.push(chunk as Uint8Array<ArrayBuffer>);
    }
    decompressor.end();
    reader.end();
  } catch (error) {
    if (!(error instanceof DhowError) || error.code !== "invalid_layer") throw error;
    throw new DhowError("invalid_archive", error.message, { cause: error });
  }
  return archive;
}

class ArchiveReceiver implements TarHandler, Disposable {
  readonly #archive: ImageArchive;
  readonly #newWriter: () => BlobWriter;
  #path = "";
  #document: Uint8Array[] | undefined;
  #documentsBytes = 0;
  #writer: BlobWriter | undefined;

  constructor(archive: ImageArchive, newWriter: () => BlobWriter) {
    this.#archive = archive;
    this.#newWriter = newWriter;
  }

  entry(entry: TarEntry): void {
    this.#path = cleanPath(entry.path);
    const { parent, base } = splitPath(this.#path);
    switch (entry.kind) {
      case "symlink": {
        const target = cleanPath(`${parent}/${entry.linkPath}`);
        this.#archive.set(this.#path, { kind: "link", target });
        break;
      }
      case "hardlink":
        this.#archive.set(this.#path, { kind: "link", target: cleanPath(entry.linkPath) });
        break;
      case "file":
        if (entry.sparse !== undefined) {
          throw new DhowError("invalid_archive", `Cannot load archive: "${entry.path}" is sparse`);
        }
        if (isDocument(base) && entry.sizeBytes <= DOCUMENT_MAX) {
          this.#documentsBytes += entry.sizeBytes;
          if (this.#documentsBytes > DOCUMENTS_MAX) {
            throw new DhowError(
              "invalid_archive",
              "Cannot load archive: its documents are too long",
            );
          }
          this.#document = [];
        } else this.#writer = this.#newWriter();
        break;
      default:
    }
  }

  data(bytes: Uint8Array): void {
    if (this.#document) this.#document.push(bytes.slice());
    else this.#writer?.write(bytes);
  }

  endEntry(): void {
    if (this.#document) {
      this.#archive.set(this.#path, { kind: "document", text: decode(this.#document) });
      this.#document = undefined;
    } else if (this.#writer) {
      using writer = this.#writer;
      this.#archive.set(this.#path, { kind: "blob", ...writer.commit() });
      this.#writer = undefined;
    }
  }

  [Symbol.dispose](): void {
    this.#writer?.[Symbol.dispose]();
  }
}

/**
 * The list of descriptors that `value`, from the document at `path`, should be.
 *
 * @throws {DhowError} `invalid_archive` if it is none.
 */
export function checkedDescriptors(value: unknown, path: string): Descriptor[] {
  if (Array.isArray(value) && value.every(isDescriptor)) return value;
  throw new DhowError("invalid_archive", `Cannot load archive: "${path}" is malformed`);
}

/** What is kept of it, or looked at, is of the right kind. */
function isDescriptor(value: unknown): value is Descriptor {
  if (typeof value !== "object" || value === null) return false;
  const { digest, size, mediaType = "", annotations = {} } = value as Partial<Descriptor>;
  return typeof digest === "string" && isDigest(digest) && Number.isSafeInteger(size) &&
    typeof mediaType === "string" && typeof annotations === "object" && annotations !== null &&
    Object.values(annotations).every((text) => typeof text === "string");
}

function isDocument(base: string): boolean {
  return base.endsWith(".json") || base === "oci-layout" || base === "repositories" ||
    base === "VERSION" || base === "json";
}

function decode(parts: Uint8Array[]): string {
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
}
