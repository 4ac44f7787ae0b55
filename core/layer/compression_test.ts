import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { hasProgram, join, seededRandom } from "../../tests/helpers/tar.ts";
import { Decompressor, detectCompression } from "./compression.ts";

type Bytes = Uint8Array<ArrayBuffer>;

function decompress(data: Bytes, pieceBytes: number): Bytes {
  const parts: Bytes[] = [];
  using decompressor = new Decompressor((bytes) => parts.push(bytes.slice()));
  for (let at = 0; at < data.length; at += pieceBytes) {
    decompressor.push(data.subarray(at, at + pieceBytes));
  }
  decompressor.end();
  return join(parts);
}

/** Three megabytes that compress a little, so that every buffer is filled more than once. */
function sample(): Bytes {
  const random = seededRandom(3);
  return Uint8Array.from({ length: 3 << 20 }, () => Math.floor(random() * 40));
}

async function compress(program: string, data: Bytes): Promise<Bytes> {
  const child = new Deno.Command(program, { args: ["-c"], stdin: "piped", stdout: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  const written = writer.write(data).then(() => writer.close());
  const { stdout } = await child.output();
  await written;
  return stdout as Bytes;
}

for (const program of ["gzip", "zstd", "xz", "bzip2"] as const) {
  Deno.test(`Decompressor reads what ${program} writes`, async () => {
    if (!await hasProgram(program)) {
      // deno-lint-ignore no-console
      return console.warn(`skipped: ${program} is not installed`);
    }
    const data = sample();
    const compressed = await compress(program, data);
    assertEquals(detectCompression(compressed), program);
    for (const piece of [compressed.length, 65536, 1000]) {
      assertEquals(decompress(compressed, piece), data);
    }
    // Several members or frames in a row, as pigz, eStargz and zstd:chunked write.
    const small = await compress(program, data.slice(0, 1000));
    for (const piece of [100_000, 13, 1]) {
      assertEquals(decompress(join([small, small]), piece).length, 2000);
    }
    for (const cut of [compressed.length - 1, 1000, 20]) {
      const error = assertThrows(() => decompress(compressed.slice(0, cut), 4096), DhowError);
      assertEquals((error as DhowError).code, "invalid_layer");
    }
    const damaged = small.slice();
    damaged[small.length >> 1]! ^= 0xff;
    assertThrows(() => decompress(damaged, 4096), DhowError);
  });
}

Deno.test("Decompressor takes zeros after gzip, and nothing else", async () => {
  const stream = new Blob([sample().slice(0, 5000)]).stream();
  const gzip = await new Response(stream.pipeThrough(new CompressionStream("gzip"))).bytes();
  assertEquals(decompress(join([gzip as Bytes, new Uint8Array(700)]), 100).length, 5000);
  const rubbish = join([gzip as Bytes, new TextEncoder().encode("rubbish")]);
  assertThrows(() => decompress(rubbish, 100), DhowError);
});

Deno.test("Decompressor passes on what is not compressed", () => {
  for (const length of [0, 1, 5, 6, 7, 100]) {
    const data = new Uint8Array(length).fill(65);
    assertEquals(decompress(data, 3), data);
  }
});
