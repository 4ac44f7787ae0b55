import { assertEquals, assertThrows } from "@std/assert";
import { CompressedDataError, GzipDecoder } from "./compression.ts";
import type { Decoder } from "./decoder.ts";
import { GzipEncoder } from "./gzip_encoder.ts";
import { hasIsal, IsalDecoder } from "./isal.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const decoders: [string, () => Decoder][] = [["zlib", () => new GzipDecoder()]];
if (hasIsal()) decoders.push(["libisal", () => new IsalDecoder()]);

/** Bytes that compress a little: words of few letters. */
function sample(length: number): Bytes {
  let state = 7;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return 97 + (state >>> 28);
  });
}

function encode(data: Bytes, pieceBytes: number): Bytes {
  const parts: Bytes[] = [];
  using encoder = new GzipEncoder(4);
  for (let at = 0; at < data.length; at += pieceBytes) {
    encoder.push(data.subarray(at, at + pieceBytes), (piece) => parts.push(piece.slice()));
  }
  encoder.end((piece) => parts.push(piece.slice()));
  return joined(parts);
}

function decode(open: () => Decoder, data: Bytes, pieceBytes: number): Bytes {
  const parts: Bytes[] = [];
  using decoder = open();
  for (let at = 0; at < data.length; at += pieceBytes) {
    decoder.push(data.subarray(at, at + pieceBytes), (piece) => parts.push(piece.slice()));
  }
  decoder.end((piece) => parts.push(piece.slice()));
  return joined(parts);
}

function joined(parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

Deno.test("GzipEncoder makes the same of the same, however it comes", async () => {
  const data = sample(3_000_000);
  const whole = encode(data, data.length);
  assertEquals(encode(data, 65536), whole);
  assertEquals(encode(data, 1013), whole);
  const stream = new Blob([whole]).stream().pipeThrough(new DecompressionStream("gzip"));
  assertEquals(new Uint8Array(await new Response(stream).arrayBuffer()), data);
  assertEquals(decode(decoders[0]![1], encode(new Uint8Array(0), 1), 3), new Uint8Array(0));
});

for (const [name, open] of decoders) {
  Deno.test(`${name} decodes gzip in pieces of any size, member after member`, () => {
    const data = sample(1_500_000);
    const packed = encode(data, 65536);
    for (const piece of [packed.length, 65536, 777]) {
      assertEquals(decode(open, packed, piece), data);
    }
    const small = encode(data.subarray(0, 300), 300);
    for (const piece of [1, 2, 7, 4096]) {
      assertEquals(decode(open, joined([small, small, new Uint8Array(9)]), piece).length, 600);
    }
  });

  Deno.test(`${name} survives any bytes with an error or none`, () => {
    const packed = encode(sample(20_000), 20_000);
    for (let round = 0; round < 400; round++) {
      const bytes = packed.slice();
      for (let i = 0; i <= round % 4; i++) {
        const at = (round * 7919 + i * 104729) % bytes.length;
        bytes[at] = (bytes[at]! ^ (1 << (round + i) % 8)) & 0xff;
      }
      try {
        decode(open, bytes, 1 + (round * 31) % 5000);
      } catch (error) {
        assertEquals((error as Error).name, "CompressedDataError");
      }
    }
    for (const cut of [packed.length - 1, packed.length - 9, 30, 5]) {
      assertThrows(() => decode(open, packed.subarray(0, cut), 1000), CompressedDataError);
    }
    const wrongSum = packed.slice();
    wrongSum[packed.length - 6]! ^= 1;
    assertThrows(() => decode(open, wrongSum, 4096), CompressedDataError);
  });
}
