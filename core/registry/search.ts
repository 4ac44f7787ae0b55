/**
 * Searching: Docker Hub, and registries that can be searched; of others the catalog, looked through for the term.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { printable } from "../lib/printable.ts";
import { readBounded } from "./body.ts";
import { openTransport, type RegistryOptions } from "./client.ts";
import { RegistryError } from "./errors.ts";
import { readPages } from "./pages.ts";
import type { Transport } from "./transport.ts";

/** A repository that was found, its texts fit to be printed. */
export interface SearchResult {
  name: string;
  description: string;
  stars: number;
  isOfficial: boolean;
}

/** What to search for. */
export interface SearchOptions extends RegistryOptions {
  /** From 1 to 100. @default 25 */
  limit?: number;
  signal?: AbortSignal;
}

const LIMIT_MAX = 100;
const ANSWER_MAX = 8 << 20;

/**
 * Searches for `term`, `[REGISTRY/]TERM`, as docker takes it.
 *
 * @returns At most `limit` results, in the registry's order.
 * @throws {DhowError} `invalid_argument` for a limit or a term that is none; what the registry refuses.
 */
export async function search(term: string, options: SearchOptions = {}): Promise<SearchResult[]> {
  const { limit = 25, signal, ...rest } = options;
  if (limit < 1 || limit > LIMIT_MAX) {
    throw new DhowError("invalid_argument", `limit ${limit} is outside the range of [1, 100]`);
  }
  const { domain, query } = splitTerm(term);
  using transport = await openTransport(domain === "docker.io" ? "index.docker.io" : domain, rest);
  const path = `/v1/search?${new URLSearchParams({ q: query, n: String(limit) })}`;
  const isHub = domain === "docker.io";
  const response = await transport.send({
    method: "GET",
    path,
    accept: isHub ? [200] : [200, 400, 401, 403, 404, 405],
    signal,
  });
  if (response.status === 200) {
    const bytes = await readBounded(response.body, ANSWER_MAX);
    return readResults(bytes).slice(0, limit);
  }
  await response.body?.cancel();
  return await searchCatalog(transport, query, { limit, signal });
}

/** Docker's rule: what stands before the first slash is a registry if it looks like a host. */
function splitTerm(term: string): { domain: string; query: string } {
  if (/^https?:\/\//.test(term)) {
    throw new DhowError(
      "invalid_argument",
      `invalid repository name: repository name (${term}) should not have a scheme`,
    );
  }
  const slash = term.indexOf("/");
  const first = term.slice(0, Math.max(0, slash));
  const isHost = slash >= 0 && (/[.:]/.test(first) || first === "localhost");
  const query = isHost ? term.slice(slash + 1) : term;
  const isHub = !isHost || ["docker.io", "index.docker.io"].includes(first);
  return isHub
    ? { domain: "docker.io", query: query.replace(/^library\//, "") }
    : { domain: first, query };
}

/** Reads `{"results": [...]}`; results that make no sense are left out. */
function readResults(bytes: Uint8Array | undefined): SearchResult[] {
  let results: unknown;
  try {
    if (bytes !== undefined) results = JSON.parse(new TextDecoder().decode(bytes))?.results;
  } catch {
    // Said below.
  }
  if (!Array.isArray(results)) {
    throw new RegistryError("unavailable", "The registry's answer to the search makes no sense");
  }
  return results.flatMap((result) => {
    const { name, description, star_count: stars, is_official: isOfficial } = result ?? {};
    if (typeof name !== "string" || name === "") return [];
    return [{
      name: printable(name, 255),
      description: typeof description === "string" ? printable(description, 1000).trim() : "",
      stars: Number.isSafeInteger(stars) ? stars as number : 0,
      isOfficial: isOfficial === true,
    }];
  });
}

async function searchCatalog(
  transport: Transport,
  query: string,
  options: { limit: number; signal: AbortSignal | undefined },
): Promise<SearchResult[]> {
  const { limit, signal } = options;
  const found: SearchResult[] = [];
  const request = { path: "/v2/_catalog?n=1000", scope: "registry:catalog:*", signal };
  for await (const repository of readPages(transport, request, "repositories")) {
    if (!repository.includes(query)) continue;
    const name = printable(repository, 255);
    found.push({ name, description: "", stars: 0, isOfficial: false });
    if (found.length >= limit) break;
  }
  return found;
}
