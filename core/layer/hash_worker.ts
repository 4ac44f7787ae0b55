/**
 * A thread that hashes a file while another unpacks it: post a path, get back `{hex}` or `{error}`.
 *
 * @module
 */

interface Thread {
  onmessage: (event: MessageEvent<string>) => void;
  postMessage(answer: { hex: string } | { error: string }): void;
  close(): void;
}

const thread = globalThis as unknown as Thread;

thread.onmessage = (event) => {
  hashFile(event.data).then(
    (hex) => thread.postMessage({ hex }),
    (error) => thread.postMessage({ error: String(error) }),
  ).finally(() => thread.close());
};

async function hashFile(path: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  return pump(path, createHash("sha256"));
}

function pump(
  path: string,
  hash: { update(bytes: Uint8Array): unknown; digest(encoding: "hex"): string },
): string {
  using file = Deno.openSync(path);
  const buffer = new Uint8Array(1 << 17);
  for (let n = file.readSync(buffer); n !== null; n = file.readSync(buffer)) {
    hash.update(buffer.subarray(0, n));
  }
  return hash.digest("hex");
}
