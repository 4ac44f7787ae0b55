/**
 * Layers for registries of tests: small tars, compressed as images have them.
 *
 * @module
 */
import { archive, member } from "./tar.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A layer of one file; `sizeBytes` of it cannot be compressed. */
export function fileLayer(path: string, sizeBytes: number): Bytes {
  const content = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 65536) {
    crypto.getRandomValues(content.subarray(at, Math.min(at + 65536, sizeBytes)));
  }
  return archive(member("file", path, { content, uid: 0, gid: 0 }));
}

/** gzip by the platform. */
export async function gzip(bytes: Bytes): Promise<Bytes> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** zstd by the program. */
export async function zstd(bytes: Bytes): Promise<Bytes> {
  const child = new Deno.Command("zstd", { args: ["-c"], stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  const written = writer.write(bytes).then(() => writer.close());
  const { stdout } = await child.output();
  await written;
  return stdout;
}

/** `sha256:...` of bytes. */
export async function digestOf(bytes: Bytes): Promise<string> {
  return `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
}

/** An answer that sends the first `n` bytes at once and the rest when `released` resolves. */
export function stalling(bytes: Bytes, n: number, released: Promise<unknown>): Response {
  let step = 0;
  const body = new ReadableStream<Bytes>({
    async pull(controller) {
      if (step++ === 0) return controller.enqueue(bytes.slice(0, n));
      await released;
      try {
        controller.enqueue(bytes.slice(n));
        controller.close();
      } catch { /* nobody reads any more */ }
    },
  });
  return new Response(body, { headers: { "content-length": String(bytes.length) } });
}
