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

/** So many names of layers fit into the page that mount(2) reads, with long paths beside them. */
const SHORT_ENOUGH = 150;

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
  if (source.kind === "context") {
    const { directory, ignore } = source.context;
    return { root: { kind: "directory", path: directory, ignore }, base: directory, names: [] };
  }
  const { base, names } = useLowers(session, source.layers, stack);
  return { root: { kind: "layers", overlay: session.overlay, base, names }, base, names };
}

/** Lower directories as an overlay mount takes them. */
export interface Lowers {
  /** What the names are relative to. */
  base: string;
  /** Topmost first. */
  names: string[];
}

/** The layers of a mount; they keep these names until `stack` is disposed. */
export function useLowers(
  session: BuildSession,
  layers: readonly BuildLayer[],
  stack: DisposableStack,
): Lowers {
  const base = linkBase(session.place);
  const names = layers.map((layer) => stack.use(layer.use()).name).reverse();
  return names.length <= SHORT_ENOUGH ? { base, names } : shortened(session, { base, names });
}

/** Still shorter names: links in a directory of the build's own, numbered. */
function shortened(session: BuildSession, { base, names }: Lowers): Lowers {
  const directory = session.newDirectory();
  Deno.mkdirSync(directory, { mode: 0o700 });
  const short = names.map((name, index) => {
    const link = index.toString(36);
    Deno.symlinkSync(`${base}/${name}`, `${directory}/${link}`);
    return link;
  });
  return { base: directory, names: short };
}
