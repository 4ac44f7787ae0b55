/**
 * A thread that compresses a file: post a job, get back what was made, or `{error}`.
 *
 * @module
 */
import { GzipEncoder } from "../../ffi/gzip_encoder.ts";

/** Two per cent larger than zlib's usual 6, in half the time. */
const LEVEL = 4;

/** A file to compress. */
export interface GzipJob {
  from: string;
  /** Does not exist yet. */
  to: string;
}

/** What came of it. */
export type GzipAnswer = { hex: string; sizeBytes: number } | { error: string; code?: string };

interface Thread {
  onmessage: (event: MessageEvent<GzipJob>) => void;
  postMessage(answer: GzipAnswer): void;
  close(): void;
}

const thread = globalThis as unknown as Thread;

thread.onmessage = ({ data }) => {
  import("node:crypto").then(({ createHash }) => compress(data, createHash("sha256"))).then(
    (answer) => thread.postMessage(answer),
    (error) => thread.postMessage({ error: String(error?.message), code: error?.code }),
  ).finally(() => thread.close());
};

function compress(
  { from, to }: GzipJob,
  hash: { update(bytes: Uint8Array): unknown; digest(encoding: "hex"): string },
): GzipAnswer {
  using source = Deno.openSync(from);
  using target = Deno.openSync(to, { write: true, createNew: true, mode: 0o600 });
  using encoder = new GzipEncoder(LEVEL);
  let sizeBytes = 0;
  const sink = (piece: Uint8Array<ArrayBuffer>) => {
    hash.update(piece);
    sizeBytes += piece.length;
    for (let rest = piece; rest.length > 0;) rest = rest.subarray(target.writeSync(rest));
  };
  const buffer = new Uint8Array(1 << 17);
  for (let n = source.readSync(buffer); n !== null; n = source.readSync(buffer)) {
    encoder.push(buffer.subarray(0, n), sink);
  }
  encoder.end(sink);
  return { hex: hash.digest("hex"), sizeBytes };
}
