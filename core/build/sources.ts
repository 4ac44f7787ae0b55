/**
 * Where COPY and mounts take files from: a context, a stage, an image.
 *
 * @module
 */
import { chainIds } from "../layer/chain_id.ts";
import type { TreeRoot } from "./build_jobs.ts";
import type { ContextDigests } from "./file_digests.ts";
import { type BuildLayer, linkBase, storedLayers } from "./layers.ts";
import type { BuildContext } from "./request.ts";
import type { BuildSession } from "./session.ts";

/** Files to be copied or mounted. */
export type Source =
  | { kind: "context"; context: BuildContext; digests: ContextDigests }
  | { kind: "layers"; layers: readonly BuildLayer[] };

/** What stands for the files of a root in cache keys: the chainID of its layers; "" for nothing. */
export async function keyOfLayers(layers: readonly BuildLayer[]): Promise<string> {
  const stored = await storedLayers(layers);
  return chainIds(stored.map(({ diffId }) => diffId)).at(-1) ?? "";
}

/** What stands for these paths of a source in cache keys. @throws {DhowError} `not_found` for one that means nothing. */
export async function keyOfSource(
  source: Source,
  paths: readonly string[],
  options: { excludes?: readonly string[]; doubleStar?: boolean } = {},
): Promise<unknown> {
  const { excludes = [], doubleStar = false } = options;
  if (source.kind === "context") return await source.digests.digest(paths, excludes, doubleStar);
  return [await keyOfLayers(source.layers), paths, excludes];
}

/** A source as the helper and mounts reach it. @param stack Layers keep their names until this is disposed. */
export function treeRoots(
  session: BuildSession,
  source: Source,
  stack: DisposableStack,
): { root: TreeRoot; base: string; names: string[] } {
  const base = linkBase(session.place);
  if (source.kind === "context") {
    const { directory, ignore } = source.context;
    return { root: { kind: "directory", path: directory, ignore }, base, names: [] };
  }
  const names = useNames(source.layers, stack);
  return { root: { kind: "layers", base, names }, base, names };
}

/** The names of layers, topmost first, which stay so until `stack` is disposed. */
export function useNames(layers: readonly BuildLayer[], stack: DisposableStack): string[] {
  return layers.map((layer) => stack.use(layer.use()).name).reverse();
}
