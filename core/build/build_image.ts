/**
 * Builds an image: the whole of a Dockerfile, from its stages to its names.
 *
 * @module
 */
import { logImageEvent } from "../container/image_event.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { lazy } from "../lib/lazy.ts";
import { hostPlatform, parsePlatform } from "../lib/platform.ts";
import { familiarReference, parseReference } from "../lib/reference.ts";
import { leaseStore } from "../store/layout.ts";
import { readStorageChoice } from "../store/storage_driver.ts";
import { BaseImages } from "./base_image.ts";
import { IdsChangedError } from "./build_error.ts";
import type { BuildWarning } from "./dockerfile/ast.ts";
import { expandWord } from "./dockerfile/expand.ts";
import { type FinishedImage, finishImage } from "./finish_image.ts";
import type { BuildListener, BuildRequest, BuildResult } from "./request.ts";
import { BuildSession } from "./session.ts";
import { StageBuilder } from "./stage_builder.ts";
import { planStages } from "./stages.ts";
import type { StageState } from "./state.ts";
import { globalScope, predefinedArgs, unusedBuildArgs } from "./dockerfile/scope.ts";

/** How to build. */
export interface BuildImageOptions {
  onEvent?: BuildListener | undefined;
  /** Ends the build: what is done stays in the cache. */
  signal?: AbortSignal | undefined;
}

/**
 * Builds what `request` asks for.
 *
 * @returns The image, which has its names.
 * @throws {BuildError} For the step that failed; {DhowError} else. There is no image then; finished steps stay in the
 *   cache. The signal's reason.
 */
export async function buildImage(
  paths: StorePaths,
  request: BuildRequest,
  options: BuildImageOptions = {},
): Promise<BuildResult> {
  const emit = options.onEvent ?? (() => {});
  if (readStorageChoice(paths) === undefined) {
    const { prepareStore } = await lazy<typeof import("../container/store_place.ts")>(
      "../container/store_place.ts",
      import.meta.url,
    );
    await prepareStore(paths);
  }
  using _lease = leaseStore(paths);
  try {
    return await buildOnce(paths, request, { emit, outer: options.signal });
  } catch (error) {
    // Only now there is a namespace; and it has fewer ids than it should have.
    if (!(error instanceof IdsChangedError)) throw error;
    return await buildOnce(paths, request, { emit, outer: options.signal });
  }
}

async function buildOnce(
  paths: StorePaths,
  request: BuildRequest,
  { emit, outer }: { emit: BuildListener; outer: AbortSignal | undefined },
): Promise<BuildResult> {
  const failed = new AbortController();
  outer?.throwIfAborted();
  const signal = outer === undefined ? failed.signal : AbortSignal.any([failed.signal, outer]);
  await using session = new BuildSession(paths, request, { emit, signal });
  try {
    await openCaches(session);
    const { state, stages, warnings } = await buildStages(session, failed);
    const image = await exportImage(session, await squashed(session, state));
    await writeCaches(session, [...stages, state]);
    return {
      imageId: image.id,
      manifest: image.manifest.digest,
      steps: session.counts,
      warnings,
    };
  } catch (error) {
    outer?.throwIfAborted();
    throw error;
  }
}

async function buildStages(
  session: BuildSession,
  failed: AbortController,
): Promise<{ state: StageState; stages: StageState[]; warnings: BuildWarning[] }> {
  const { request } = session;
  const { dockerfile } = request;
  const platform = request.platform === undefined || request.platform === ""
    ? hostPlatform()
    : parsePlatform(request.platform);
  const { escape } = dockerfile.directives;
  const platforms = { build: hostPlatform(), target: platform };
  const target = request.target || dockerfile.stages.at(-1)!.name;
  const globals = globalScope(dockerfile, predefinedArgs(platforms, target), request.buildArgs);
  const plan = planStages(dockerfile, {
    target: request.target,
    namedContexts: request.namedContexts,
    expand: (word) => expandWord(word, (name) => globals.get(name), escape),
  });
  const builder = new StageBuilder(session, plan, new BaseImages(session), {
    globals,
    platform,
    directives: dockerfile.directives,
  });
  const stages = plan.needed.map((index) => builder.build(index));
  let first: { error: unknown } | undefined;
  await Promise.all(stages.map((stage) =>
    stage.catch((error) => {
      first ??= { error };
      failed.abort(new DhowError("aborted", "another step has failed"));
    })
  ));
  if (first !== undefined) throw first.error;
  const warnings = unconsumed(unusedBuildArgs(dockerfile, request.buildArgs, builder.declared));
  for (const warning of warnings) session.emit({ kind: "warning", warning });
  return {
    state: await builder.build(plan.target),
    stages: await Promise.all(stages),
    warnings,
  };
}

/** `--cache-from`. */
async function openCaches(session: BuildSession): Promise<void> {
  if (session.request.cacheFrom.length === 0) return;
  const { CacheImports } = await lazy<typeof import("./cache_import.ts")>(
    "./cache_import.ts",
    import.meta.url,
  );
  session.imports = new CacheImports(session);
  await session.imports.open();
}

/** `--cache-to`. */
async function writeCaches(session: BuildSession, stages: StageState[]): Promise<void> {
  if (session.request.cacheTo.length === 0) return;
  const { exportCaches } = await lazy<typeof import("./cache_export.ts")>(
    "./cache_export.ts",
    import.meta.url,
  );
  await exportCaches(session, stages);
}

async function squashed(session: BuildSession, state: StageState): Promise<StageState> {
  if (!session.request.squash) return state;
  const { squash } = await lazy<typeof import("./squash.ts")>("./squash.ts", import.meta.url);
  return await squash(session, state);
}

/** What `--build-arg` gave and no stage has asked for: a slip of the pen, most often. */
function unconsumed(names: readonly string[]): BuildWarning[] {
  if (names.length === 0) return [];
  return [{
    rule: "UnconsumedBuildArgs",
    description: "Build arguments should be declared by an ARG",
    url: "https://docs.docker.com/reference/dockerfile/#arg",
    message: `One or more build-args [${names.join(" ")}] were not consumed`,
  }];
}

async function exportImage(session: BuildSession, state: StageState): Promise<FinishedImage> {
  const { emit, request, paths } = session;
  const id = "export";
  const part = (part: string, isDone: boolean) =>
    emit({ kind: "status", id, part, isDone, timeMs: Date.now() });
  emit({ kind: "start", id, name: "exporting to image", timeMs: Date.now() });
  try {
    part("exporting layers", false);
    for (const layer of state.layers) await layer.stored;
    await session.settle();
    part("exporting layers", true);
    session.signal.throwIfAborted();
    const image = await finishImage(session, state);
    part(`writing image ${image.id}`, true);
    for (const tag of request.tags) {
      part(`naming to ${tag}`, true);
      logImageEvent(paths, "tag", image.id, familiarReference(parseReference(tag)));
    }
    logImageEvent(paths, "build", image.id, image.id);
    emit({ kind: "end", id, outcome: "done", timeMs: Date.now() });
    return image;
  } catch (error) {
    const outcome = session.signal.aborted ? "canceled" : "failed";
    const message = (error as Error).message;
    emit({ kind: "end", id, outcome, error: message, timeMs: Date.now() });
    throw error;
  }
}
