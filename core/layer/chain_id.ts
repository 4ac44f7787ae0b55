/**
 * chainIDs: one name for a layer together with everything below it.
 *
 * @see https://github.com/opencontainers/image-spec/blob/main/config.md#layer-chainid
 * @module
 */
import { sha256Hex } from "../lib/sha256.ts";
import type { Digest } from "../spec/image.ts";

const encoder = new TextEncoder();

/** What was computed so far, by what it was computed from: a build asks for the same chain again with each step. */
const known = new Map<string, string>();
const KNOWN_MAX = 4096;

/** The chainIDs of an image's layers, lowest first, as hex without `sha256:`. */
export function chainIds(diffIds: readonly Digest[]): string[] {
  let chain = "";
  return diffIds.map((diffId) => {
    chain = chain === "" ? diffId.slice("sha256:".length) : chainOn(`sha256:${chain} ${diffId}`);
    return chain;
  });
}

function chainOn(text: string): string {
  let chain = known.get(text);
  if (chain === undefined) {
    chain = sha256Hex(encoder.encode(text));
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(text, chain);
  }
  return chain;
}

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/**
 * A layer's short name: 13 characters for the first 65 bits of its chainID, since the options of an overlay mount have
 * to fit into one page. Two layers of one store meet in it by chance once in 2^32 layers.
 */
export function shortLayerName(chainId: string): string {
  let bits = BigInt(`0x${chainId.slice(0, 17)}`) >> 3n;
  let name = "";
  for (let i = 0; i < 13; i++) {
    name = BASE32[Number(bits & 31n)]! + name;
    bits >>= 5n;
  }
  return name;
}
