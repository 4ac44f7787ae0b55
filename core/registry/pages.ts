/**
 * Lists that come in pages, each naming the next.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
 * @module
 */
import { readBounded } from "./body.ts";
import { RegistryError } from "./errors.ts";
import type { Request, Transport } from "./transport.ts";

const PAGES_MAX = 10_000;
const PAGE_BYTES_MAX = 16 << 20;
/** Each page may be at a longer address than the one before. */
const PATH_MAX = 8192;

/**
 * Reads the strings in `field` of each page.
 *
 * @throws {RegistryError} `unavailable` if pages are no such lists, repeat themselves or do not end.
 */
export async function* readPages(
  transport: Transport,
  request: Omit<Request, "method">,
  field: string,
): AsyncIterable<string> {
  const seen = new Set<string>();
  let path = request.path;
  while (true) {
    if (seen.has(path) || seen.size >= PAGES_MAX || path.length > PATH_MAX) {
      throw new RegistryError("unavailable", `The registry's list of ${field} does not end`);
    }
    seen.add(path);
    const response = await transport.send({ ...request, method: "GET", path });
    yield* readPage(await readBounded(response.body, PAGE_BYTES_MAX), field);
    const next = nextPage(response.headers.get("link"));
    if (next === undefined) return;
    path = resolveNext(next, new URL(path, transport.base), field);
  }
}

/**
 * Relative to the page that said so. To another server the list does not lead, nor does a path of two slashes, nor what
 * has no path at all: what follows `a:` in `a:https://x/` is an address of its own.
 */
function resolveNext(next: string, page: URL, field: string): string {
  const url = URL.parse(next, page.href);
  if (url?.pathname.startsWith("/")) return url.pathname.replace(/^\/+/, "/") + url.search;
  throw new RegistryError("unavailable", `The registry's list of ${field} makes no sense`);
}

function readPage(bytes: Uint8Array | undefined, field: string): string[] {
  let list: unknown;
  try {
    if (bytes !== undefined) list = JSON.parse(new TextDecoder().decode(bytes))?.[field] ?? [];
  } catch {
    // Said below.
  }
  if (Array.isArray(list) && list.every((item) => typeof item === "string")) return list;
  throw new RegistryError("unavailable", `The registry's list of ${field} makes no sense`);
}

/** `Link: </v2/x/tags/list?n=100&last=b>; rel="next"`. */
function nextPage(link: string | null): string | undefined {
  return /<([^<>]{1,4096})>\s*;[^,]*\brel="?next"?/.exec(link ?? "")?.[1];
}
