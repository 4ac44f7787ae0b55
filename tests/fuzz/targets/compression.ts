/**
 * Compressed layers, spoiled.
 *
 * @module
 */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Decompressor } from "../../../core/layer/compression.ts";
import { openDecoder } from "../../../ffi/compression.ts";
import { attempt, attemptStrictly, type FuzzTarget, type Input, insist } from "../target.ts";

const text = new TextEncoder().encode("a layer of many words, of many words indeed\n".repeat(20));

/** Each decoder, fed whole and in pieces. */
export const compression: FuzzTarget = {
  name: "compression",
  maxBytes: 1 << 13,
  seeds: () => [
    Uint8Array.from(gzipSync(text)),
    Uint8Array.from([...gzipSync("one"), ...gzipSync("two")]),
    Uint8Array.from(gzipSync(new Uint8Array(1 << 20))),
    Uint8Array.from(zstdCompressSync(text)),
    Uint8Array.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2, ...zstdCompressSync("x")]),
    Uint8Array.from(zstdCompressSync(new Uint8Array(1 << 20))),
  ],
  dictionary: [
    "\0",
    "\x1f\x8b\x08",
    "\x28\xb5\x2f\xfd",
    "\xfd7zXZ\0",
    "BZh9",
    "\xff\xff\xff\xff",
    "\x01",
  ],
  run(input) {
    const whole = decompress(input, input.length || 1);
    const pieces = decompress(input, 13);
    insist(whole.isWhole === pieces.isWhole, "how it comes in pieces does not count");
    if (whole.isWhole) insist(whole.size === pieces.size, "nor for its size");
    for (const kind of ["gzip", "zstd", "xz", "bzip2"] as const) {
      using decoder = openDecoder(kind);
      attempt(() => {
        decoder.push(input.slice(), () => {});
        decoder.end(() => {});
      }, (error) => error instanceof Error && error.name === "CompressedDataError");
    }
  },
};

function decompress(input: Input, pieceBytes: number): { size: number; isWhole: boolean } {
  let size = 0, biggest = 0;
  using decompressor = new Decompressor((bytes) => {
    size += bytes.length;
    biggest = Math.max(biggest, bytes.length);
  });
  const isWhole = attemptStrictly(() => {
    for (let at = 0; at < input.length; at += pieceBytes) {
      decompressor.push(input.slice(at, at + pieceBytes));
    }
    decompressor.end();
    return true;
  });
  insist(biggest <= 1 << 20, "pieces are bounded");
  return { size, isWhole: isWhole === true };
}
