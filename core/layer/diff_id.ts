/**
 * The diffID of a layer that is being unpacked: of a large plain tar in a thread of its own, else along the way.
 *
 * SHA-256 of 164 MB takes as long as a third of writing its files.
 *
 * @module
 */
import type { Digest } from "../spec/image.ts";
import { detectCompression } from "./compression.ts";

/** A thread costs 10 ms to start. */
const THREAD_WORTH_BYTES = 8 << 20;

/** Computes a diffID. */
export interface DiffIdHasher extends Disposable {
  /** Takes uncompressed bytes in order. */
  update(bytes: Uint8Array): void;
  /** The diffID, when all bytes came. */
  finish(): Promise<Digest>;
}

/** Starts hashing for a blob. @param blob Its path, or something that only one can read. */
export async function openDiffIdHasher(blob: unknown): Promise<DiffIdHasher> {
  if (typeof blob === "string" && navigator.hardwareConcurrency > 1 && await isLargeTar(blob)) {
    return new ThreadHasher(blob);
  }
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  return {
    update: (bytes) => void hash.update(bytes),
    finish: () => Promise.resolve(`sha256:${hash.digest("hex")}`),
    [Symbol.dispose]: () => {},
  };
}

async function isLargeTar(path: string): Promise<boolean> {
  using file = await Deno.open(path);
  if ((await file.stat()).size < THREAD_WORTH_BYTES) return false;
  const head = new Uint8Array(8);
  await file.read(head);
  return detectCompression(head) === undefined;
}

class ThreadHasher implements DiffIdHasher {
  readonly #worker: Worker;
  readonly #answer: Promise<Digest>;

  constructor(path: string) {
    this.#worker = new Worker(new URL("./hash_worker.ts", import.meta.url), { type: "module" });
    this.#answer = new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<{ hex: string } | { error: string }>) => {
        if ("hex" in data) resolve(`sha256:${data.hex}`);
        else reject(new Error(`Cannot hash "${path}": ${data.error}`));
      };
      this.#worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`Cannot hash "${path}": ${event.message}`));
      };
    });
    // Whoever gives up on the layer does not ask for its hash.
    this.#answer.catch(() => {});
    this.#worker.postMessage(path);
  }

  update(): void {}

  finish(): Promise<Digest> {
    return this.#answer;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
