/**
 * A step that changes files: looked for in the cache, else done.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import { atStep } from "./build_error.ts";
import { type CacheEntry, cacheKey } from "./cache.ts";
import type { SourceRange } from "./dockerfile/ast.ts";
import { BuildLayer, storedLayers } from "./layers.ts";
import type { BuildSession } from "./session.ts";
import { keyOfLayers } from "./sources.ts";
import type { StageState, TakenStep } from "./state.ts";
import { chainIds } from "../layer/chain_id.ts";

/** A step as its instruction makes it. */
export interface FileStep {
  /** All that decides what it makes, but for the files below. @throws {DhowError} For what is not there. */
  key(): Promise<unknown>;
  /**
   * The same made of what is in other stages, where `key` is made of which layers they have: a stage that was built
   * again may have made the same. Takes longer; asked for if `key` leads nowhere.
   */
  contentKey?(): Promise<unknown>;
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
    let isCached = mayBeCached && await findStep(session, state, step, { name, key });
    const contentKey = mayBeCached && !isCached ? await step.contentKey?.() : undefined;
    if (contentKey !== undefined) {
      isCached = await findStep(session, state, step, { name, key: contentKey, also: key });
    }
    if (!isCached) {
      const { doStep } = await lazy<typeof import("./step_perform.ts")>(
        "./step_perform.ts",
        import.meta.url,
      );
      await doStep(session, state, step, { ...place, key, contentKey });
    }
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

/** The key of a step. @param own What it depends on besides the files below. */
export async function keyOf(
  session: BuildSession,
  own: unknown,
  below: BuildLayer[],
): Promise<string> {
  return cacheKey(await keyOfLayers(below), own, session.request.sourceDateEpoch ?? null);
}

/** Takes the step from the cache. */
async function findStep(
  session: BuildSession,
  state: StageState,
  step: FileStep,
  { name, key: own, also }: { name: string; key: unknown; also?: unknown },
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
  if (also !== undefined) session.cache.write(await keyOf(session, also, state.layers), entry);
  const { layer, createdAt } = entry;
  const made = layer === undefined ? undefined : BuildLayer.placed(
    session.place,
    { ...layer, createdAt },
    chainIds([...diffIds, layer.diffId]).at(-1)!,
  );
  addStep(state, step, { key, name, type: step.type, createdAt, layer: made });
  return true;
}

/** Puts what a step has made on top. */
export function addStep(
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
