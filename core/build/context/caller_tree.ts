/**
 * A tar archive unpacked as files of the caller's own: contexts that come as archives, and `--output type=local`.
 *
 * Runs outside of any user namespace, so owners, devices and attributes in the archive count for nothing. Names are
 * resolved below the directory by the kernel, as with layers.
 *
 * @module
 */
import { Decompressor } from "../../layer/compression.ts";
import type { TarEntry, TarHandler } from "../../layer/tar_entry.ts";
import { TarReader } from "../../layer/tar_reader.ts";
import { LayerUnpacker } from "../../layer/unpack.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** How to unpack. */
export interface CallerTreeOptions {
  /** Directories that nobody may write to become so. Otherwise the caller can always write and remove. @default false */
  exactModes?: boolean;
  /** Ends it; the promise rejects with its reason. */
  signal?: AbortSignal;
}

/**
 * Unpacks `tar`, compressed or not, into `directory`.
 *
 * Not atomic: what was unpacked before a failure stays.
 *
 * @returns How many bytes the files hold.
 * @throws {DhowError} `invalid_layer` if it is no archive or a member leaves the directory, `no_space`.
 */
export async function unpackForCaller(
  tar: ReadableStream<Uint8Array>,
  directory: string,
  options: CallerTreeOptions = {},
): Promise<number> {
  using unpacker = new LayerUnpacker(directory, { whiteouts: false });
  const handler = new OwnFiles(unpacker, options.exactModes ?? false);
  const reader = new TarReader(handler);
  using decompressor = new Decompressor((bytes) => reader.push(bytes));
  for await (const bytes of tar) {
    options.signal?.throwIfAborted();
    decompressor.push(bytes as Bytes);
  }
  decompressor.end();
  reader.end();
  const { sizeBytes } = unpacker.finish();
  for (const { path, mode } of handler.directories.reverse()) {
    await Deno.chmod(`${directory}/${path}`, mode).catch(() => {/* replaced by a later member */});
  }
  return sizeBytes;
}

/** Makes each member one that the caller can own. */
class OwnFiles implements TarHandler {
  readonly #unpacker: LayerUnpacker;
  readonly #exactModes: boolean;
  readonly #ids = { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
  #isSkipped = false;
  /** Directories that have to wait for their mode, parents first. */
  readonly directories: { path: string; mode: number }[] = [];

  constructor(unpacker: LayerUnpacker, exactModes: boolean) {
    this.#unpacker = unpacker;
    this.#exactModes = exactModes;
  }

  entry(entry: TarEntry): void {
    this.#isSkipped = entry.kind === "char" || entry.kind === "block";
    if (this.#isSkipped) return;
    const { xattrs: _, ...own } = { ...entry, ...this.#ids };
    const needed = entry.kind === "directory" ? 0o700 : 0o400;
    if ((own.mode & needed) !== needed && entry.kind !== "symlink") {
      if (this.#exactModes && entry.kind === "directory") {
        this.directories.push({ path: entry.path, mode: own.mode });
      }
      if (!this.#exactModes || entry.kind === "directory") own.mode |= needed;
    }
    this.#unpacker.entry(own);
  }

  data(bytes: Bytes, offset: number): void {
    if (!this.#isSkipped) this.#unpacker.data(bytes, offset);
  }

  endEntry(): void {
    if (!this.#isSkipped) this.#unpacker.endEntry();
  }
}
