/**
 * Doing a step that is not in the cache.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { findUnpacked } from "../image/ensure_unpacked.ts";
import { unpackLayers } from "../image/unpack_layers.ts";
import { openNamespaceWorker } from "../image/namespace_worker.ts";
import type { CacheEntry } from "./cache.ts";
import { baseOf, BuildLayer, type PackedStep, storedLayers } from "./layers.ts";
import type { BuildSession } from "./session.ts";
import { keyOfLayers } from "./sources.ts";
import type { StageState } from "./state.ts";
import { addStep, type FileStep, keyOf, type StepPlace, timeOf } from "./step.ts";

/** Does the step, and has its layer packed while others go on. */
export async function doStep(
  session: BuildSession,
  state: StageState,
  step: FileStep,
  { id, name, key: known, contentKey }: StepPlace & { key: unknown; contentKey: unknown },
): Promise<void> {
  using _slot = await session.slots.take();
  session.signal.throwIfAborted();
  const isOwnFormat = session.overlay !== "overlay";
  const { helper } = await session.open();
  await ensureThere(session, state.layers);
  const directory = `.tmp-b${crypto.randomUUID().slice(0, 8)}`;
  const upper = `${baseOf(session.place)}/${directory}`;
  let own: unknown;
  try {
    // Where it was not asked for before, it is found out meanwhile.
    const work = step.perform(state, { upper, id });
    [own] = await bothOf(known === undefined ? step.key() : Promise.resolve(known), work);
  } catch (error) {
    session.discard(upper);
    throw error;
  }
  const createdAt = timeOf(session);
  const below = [...state.layers];
  const { sourceDateEpoch: epoch } = session.request;
  const root = session.paths.root;
  if (isOwnFormat) session.discard(upper);
  const layer = BuildLayer.made(session.place, directory, {
    ...isOwnFormat && { becomes: `${directory}.unpacked` },
    below,
    createdAt,
    pack: async (lowers) => {
      const pack = {
        upper,
        lowers,
        root,
        ...epoch !== undefined && { epoch },
        ...isOwnFormat && { into: `${upper}.unpacked` },
      };
      return (await helper.do({ kind: "pack", pack }) ?? undefined) as PackedStep | undefined;
    },
  });
  const key = layer.stored.then(() => keyOf(session, own, below));
  session.keep(
    Promise.all([layer.stored, key]).then(async ([stored, key]) => {
      if (stored === undefined) session.discard(upper);
      const chain = stored && await keyOfLayers([...below, layer]);
      const entry: CacheEntry = {
        ...stored && { layer: stored, chainId: chain! },
        createdAt,
        name,
        type: step.type,
      };
      session.cache.write(key, entry);
      if (contentKey !== undefined) {
        session.cache.write(await keyOf(session, contentKey, below), entry);
      }
    }, () => session.discard(upper)),
  );
  addStep(state, step, { key, name, type: step.type, createdAt, layer });
  state.isFresh = true;
}

/** Waits for both, even if one fails: what is still being written cannot be removed. */
async function bothOf<T>(key: Promise<T>, work: Promise<void>): Promise<[T]> {
  const [first, second] = await Promise.allSettled([key, work]);
  if (first.status === "rejected") throw first.reason;
  if (second.status === "rejected") throw second.reason;
  return [first.value];
}

/** Unpacks layers of the store that are not, or not fit for use after a power cut. */
export async function ensureThere(
  session: BuildSession,
  layers: readonly BuildLayer[],
): Promise<void> {
  const known = layers.filter((layer) => layer.isPlaced);
  if (known.length === 0) return;
  const stored = await storedLayers(known);
  const diffIds = stored.map(({ diffId }) => diffId);
  const { paths, mapping, signal } = session;
  if (findUnpacked(paths, diffIds, mapping) !== undefined) return;
  using worker = await openNamespaceWorker(paths, signal);
  const descriptors = stored.map(({ descriptor }) => descriptor);
  try {
    await unpackLayers(paths, { id: "of the build", diffIds, layers: descriptors }, worker);
  } catch (error) {
    if (!(error instanceof DhowError)) throw error;
    throw new DhowError(error.code, `Cannot unpack what the build stands on: ${error.message}`, {
      cause: error,
    });
  }
}
