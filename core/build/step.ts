/**
 * A step that changes files: looked for in the cache, else done.
 *
 * @module
 */
import { unpackLayers } from "../image/unpack_layers.ts";
import { findUnpacked } from "../image/ensure_unpacked.ts";
import { lazy } from "../lib/lazy.ts";
import { DhowError } from "../errors.ts";
import { atStep } from "./build_error.ts";
import { type CacheEntry, cacheKey } from "./cache.ts";
import type { SourceRange } from "./dockerfile/ast.ts";
import { baseOf, BuildLayer, type PackedStep, storedLayers } from "./layers.ts";
import type { BuildSession } from "./session.ts";
import { keyOfLayers } from "./sources.ts";
import type { StageState, TakenStep } from "./state.ts";
import { chainIds } from "../layer/chain_id.ts";

/** A step as its instruction makes it. */
export interface FileStep {
  /** All that decides what it makes, but for the files below. @throws {DhowError} For what is not there. */
  key(): Promise<unknown>;
  type: CacheEntry["type"];
  /** For the history. */
  createdBy: string;
  /** Writes its layer into the directory `upper`, which it makes; leaves it alone if nothing is to change. */
  perform(state: StageState, work: { upper: string; id: string }): Promise<void>;
}

/** Where a step stands in the Dockerfile and on the screen. */
export interface StepPlace {
  id: string;
  name: string;
  range: SourceRange;
  /** Do it whatever the cache says. */
  noCache: boolean;
}

/**
 * Takes a step: what it has made is the top layer of `state` then.
 *
 * @param make Understands the instruction; what it throws is told as the step's failure.
 * @throws {BuildError} When the step fails; nothing of it is left.
 */
export async function takeStep(
  session: BuildSession,
  state: StageState,
  place: StepPlace,
  make: () => Promise<FileStep>,
): Promise<void> {
  const { emit, signal } = session;
  const { id, name, range } = place;
  emit({ kind: "start", id, name, range, timeMs: Date.now() });
  try {
    signal.throwIfAborted();
    const step = await make();
    const mayBeCached = !place.noCache && !state.isFresh;
    const key = mayBeCached ? await step.key() : undefined;
    const isCached = mayBeCached && await findStep(session, state, step, { name, key });
    if (!isCached) await doStep(session, state, step, { ...place, key });
    session.counts[isCached ? "cached" : "done"]++;
    emit({ kind: "end", id, outcome: isCached ? "cached" : "done", timeMs: Date.now() });
  } catch (error) {
    const isCanceled = signal.aborted;
    emit({
      kind: "end",
      id,
      outcome: isCanceled ? "canceled" : "failed",
      ...!isCanceled && { error: (error as Error).message },
      timeMs: Date.now(),
    });
    throw isCanceled ? error : atStep(error, { step: name, range });
  }
}

async function keyOf(session: BuildSession, own: unknown, below: BuildLayer[]): Promise<string> {
  return cacheKey(await keyOfLayers(below), own, session.request.sourceDateEpoch ?? null);
}

/** Takes the step from the cache. */
async function findStep(
  session: BuildSession,
  state: StageState,
  step: FileStep,
  { name, key: own }: { name: string; key: unknown },
): Promise<boolean> {
  const below = await storedLayers(state.layers);
  const diffIds = below.map(({ diffId }) => diffId);
  const key = await keyOf(session, own, state.layers);
  let entry = session.cache.find(key, diffIds);
  if (entry === undefined) {
    entry = await session.imports?.take(key, below);
    if (entry === undefined) return false;
    session.cache.write(key, entry);
  }
  const { layer, createdAt } = entry;
  const made = layer === undefined ? undefined : BuildLayer.placed(
    session.place,
    { ...layer, createdAt },
    chainIds([...diffIds, layer.diffId]).at(-1)!,
  );
  addStep(state, step, { key, name, type: step.type, createdAt, layer: made });
  return true;
}

/** Does the step, and has its layer packed while others go on. */
async function doStep(
  session: BuildSession,
  state: StageState,
  step: FileStep,
  { id, name, key: known }: StepPlace & { key: unknown },
): Promise<void> {
  using _slot = await session.slots.take();
  session.signal.throwIfAborted();
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
  const layer = BuildLayer.made(session.place, directory, {
    below,
    createdAt,
    pack: async (lowers) => {
      const pack = { upper, lowers, root, ...epoch !== undefined && { epoch } };
      return (await helper.do({ kind: "pack", pack }) ?? undefined) as PackedStep | undefined;
    },
  });
  const key = layer.stored.then(() => keyOf(session, own, below));
  session.keep(
    Promise.all([layer.stored, key]).then(async ([stored, key]) => {
      if (stored === undefined) session.discard(upper);
      const chain = stored && await keyOfLayers([...below, layer]);
      session.cache.write(key, {
        ...stored && { layer: stored, chainId: chain! },
        createdAt,
        name,
        type: step.type,
      });
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

function addStep(
  state: StageState,
  { createdBy }: FileStep,
  taken: TakenStep,
): void {
  const { layer, createdAt } = taken;
  state.steps.push(taken);
  if (layer !== undefined) state.layers.push(layer);
  state.history.push({ kind: "step", createdBy, layer, createdAt });
}

/** The time a step is told to be of. */
export function timeOf({ request }: BuildSession): string {
  const { sourceDateEpoch: epoch } = request;
  if (epoch === undefined) return new Date().toISOString();
  return new Date(epoch * 1000).toISOString().replace(".000Z", "Z");
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
  const { openNamespaceWorker } = await lazy<typeof import("../image/namespace_worker.ts")>(
    "../image/namespace_worker.ts",
    import.meta.url,
  );
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
