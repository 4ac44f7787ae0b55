/**
 * A stream that is either an archive or a text: its first block tells.
 *
 * @module
 */
import { detectCompression } from "../../layer/compression.ts";
import { BLOCK, decodeHeader } from "../../layer/tar_header.ts";
import { concat } from "../../lib/concat.ts";
import { TEXT_MAX_BYTES, tooLarge } from "./read_in_root.ts";

/** A stream of which the beginning is known. */
export interface PeekedStream {
  /** Whether it is a tar archive, or compressed. */
  isArchive: boolean;
  /** All of it, the beginning too. */
  rest: ReadableStream<Uint8Array>;
  /** All of it as text. @throws {DhowError} `invalid_argument` if that is too long. */
  text(): Promise<string>;
}

/** Reads the first block of `stream`. */
export async function peekStream(
  stream: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): Promise<PeekedStream> {
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length < BLOCK) {
    const { done, value } = await reader.read();
    signal?.throwIfAborted();
    if (done) break;
    parts.push(value);
    length += value.length;
  }
  const head = concat(parts);
  const rest = new ReadableStream<Uint8Array>({
    start: (controller) => head.length > 0 ? controller.enqueue(head) : undefined,
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { isArchive: isArchive(head), rest, text: () => readText(rest) };
}

function isArchive(head: Uint8Array): boolean {
  if (detectCompression(head) !== undefined) return true;
  if (head.length < BLOCK) return false;
  try {
    decodeHeader(head.subarray(0, BLOCK));
    return true;
  } catch {
    return false;
  }
}

async function readText(stream: ReadableStream<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const bytes of stream) {
    size += bytes.length;
    if (size > TEXT_MAX_BYTES) throw tooLarge("Dockerfile");
    parts.push(bytes);
  }
  return new TextDecoder().decode(concat(parts));
}
