/**
 * A context or a Dockerfile from the web.
 *
 * @module
 */
import { DhowError } from "../../errors.ts";
import { printable } from "../../lib/printable.ts";

/**
 * The body of `url`.
 *
 * @throws {DhowError} `unavailable` if it cannot be reached or answers with a failure.
 */
export async function openDownload(
  url: string,
  signal?: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const shown = withoutCredentials(url);
  let response: Response;
  try {
    response = await fetch(url, { ...signal && { signal } });
  } catch (cause) {
    signal?.throwIfAborted();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DhowError(
      "unavailable",
      `failed to read downloaded context: Get "${shown}": ${reason}`,
      {
        cause,
      },
    );
  }
  if (response.ok && response.body !== null) return response.body;
  await response.body?.cancel();
  throw new DhowError(
    "unavailable",
    `failed to read downloaded context: Get "${shown}": invalid response status ${response.status} ${
      printable(response.statusText, 100)
    }`,
  );
}

function withoutCredentials(text: string): string {
  const url = new URL(text);
  url.username = url.password = url.search = "";
  return url.href;
}
