/**
 * A repository with mirrors before it: what is read comes from the first that has it, what is written goes to the
 * registry itself.
 *
 * @module
 */
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

/** Several repositories as one; they are opened when first needed. */
export class MirroredRepository implements Repository {
  readonly name: RepositoryName;
  readonly #open: () => Promise<readonly Repository[]>;
  #opened: Promise<readonly Repository[]> | undefined;

  /** @param open Opens the mirrors, and last the repository itself. */
  constructor(name: RepositoryName, open: () => Promise<readonly Repository[]>) {
    this.name = name;
    this.#open = open;
  }

  async headManifest(ref: string, options?: CallOptions): Promise<ManifestHead | undefined> {
    return await this.#read(options, (repository) => repository.headManifest(ref, options));
  }

  async manifest(ref: string, options?: CallOptions): Promise<FetchedManifest> {
    return (await this.#read(options, (repository) => repository.manifest(ref, options)))!;
  }

  async blob(digest: Digest, options?: CallOptions & { offset?: number }): Promise<BlobBody> {
    return (await this.#read(options, (repository) => repository.blob(digest, options)))!;
  }

  async hasBlob(digest: Digest, options?: CallOptions): Promise<number | undefined> {
    return await (await this.#origin()).hasBlob(digest, options);
  }

  async mountBlob(digest: Digest, from: string, options?: CallOptions): Promise<boolean> {
    return await (await this.#origin()).mountBlob(digest, from, options);
  }

  async uploadBlob(descriptor: Descriptor, open: OpenBlob, options?: UploadOptions): Promise<void> {
    await (await this.#origin()).uploadBlob(descriptor, open, options);
  }

  async putManifest(
    ref: string,
    manifest: { mediaType: string; bytes: Uint8Array<ArrayBuffer> },
    options?: CallOptions,
  ): Promise<Digest> {
    return await (await this.#origin()).putManifest(ref, manifest, options);
  }

  /** Those of the registry itself: a mirror may know some only. */
  async *tags(options?: CallOptions): AsyncIterable<string> {
    yield* (await this.#origin()).tags(options);
  }

  [Symbol.dispose](): void {
    this.#opened?.then((all) => all.forEach((one) => one[Symbol.dispose]()), () => {});
  }

  async #all(): Promise<readonly Repository[]> {
    return await (this.#opened ??= this.#open());
  }

  async #origin(): Promise<Repository> {
    return (await this.#all()).at(-1)!;
  }

  /** The first answer; what is wrong with a mirror is not the user's concern as long as there is another place to ask. */
  async #read<T>(
    options: CallOptions | undefined,
    ask: (repository: Repository) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const all = await this.#all();
    for (const mirror of all.slice(0, -1)) {
      try {
        const answer = await ask(mirror);
        if (answer !== undefined) return answer;
      } catch {
        options?.signal?.throwIfAborted();
      }
    }
    return await ask(all.at(-1)!);
  }
}
