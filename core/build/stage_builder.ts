/**
 * Builds stages: each once, those that do not need each other at the same time.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { lazy } from "../lib/lazy.ts";
import { canonicalReference, parseReference } from "../lib/reference.ts";
import type { Platform } from "../spec/image.ts";
import type { BaseImages } from "./base_image.ts";
import { atStep } from "./build_error.ts";
import type { Directives, Instruction } from "./dockerfile/ast.ts";
import { StageScope } from "./dockerfile/scope.ts";
import { ConfigBuilder, derivedConfig, emptyConfig } from "./image_config.ts";
import type { BuildSession } from "./session.ts";
import type { Source } from "./sources.ts";
import { StageWork } from "./stage_work.ts";
import { type Origin, originOf, type PlannedStage, type StagePlan } from "./stages.ts";
import type { StageState } from "./state.ts";
import { StepCounter } from "./step_counter.ts";

/** What holds for all stages. */
export interface StageBuilderOptions {
  /** What `FROM` sees. */
  globals: ReadonlyMap<string, string>;
  platform: Platform;
  directives: Directives;
}

/** The stages of one build. */
export class StageBuilder {
  readonly #session: BuildSession;
  readonly #plan: StagePlan;
  readonly #images: BaseImages;
  readonly #options: StageBuilderOptions;
  readonly #states = new Map<number, Promise<StageState>>();
  readonly #scopes = new Map<number, StageScope>();

  /** Names that `ARG` has declared so far, in stages and by `ONBUILD`. */
  readonly declared = new Set<string>();

  constructor(
    session: BuildSession,
    plan: StagePlan,
    images: BaseImages,
    options: StageBuilderOptions,
  ) {
    this.#session = session;
    this.#plan = plan;
    this.#images = images;
    this.#options = options;
  }

  /** Builds a stage; asked again answers with the same. */
  build(index: number): Promise<StageState> {
    let state = this.#states.get(index);
    if (state === undefined) {
      state = this.#buildStage(this.#plan.stages[index]!);
      state.catch(() => {}); // told to whoever waits for it
      this.#states.set(index, state);
    }
    return state;
  }

  async #buildStage(planned: PlannedStage): Promise<StageState> {
    const { stage } = planned;
    const { state, triggers } = await this.#begin(planned);
    const scope = this.#scopeOf(planned, state);
    const instructions = [...triggers, ...stage.instructions];
    const counter = new StepCounter(planned, instructions);
    if (planned.base.kind === "image") this.#tellBase(planned.base.reference, counter, planned);
    const work = new StageWork(this.#session, {
      state,
      scope,
      directives: this.#options.directives,
      openSource: (from) => this.#openSource(stage.index, from),
      hasCache: !isFresh(this.#session, planned),
    });
    for (const instruction of instructions) {
      await work.obey(instruction, (expanded) => counter.next(expanded));
    }
    for (const name of scope.args.keys()) this.declared.add(name);
    return state;
  }

  /** A stage that builds upon another sees what that has declared. */
  #scopeOf({ base, stage }: PlannedStage, state: StageState): StageScope {
    const below = base.kind === "stage" ? this.#scopes.get(base.index) : undefined;
    const scope = new StageScope(below ?? state.config.env, {
      globals: this.#options.globals,
      buildArgs: this.#session.request.buildArgs,
      escape: this.#options.directives.escape,
    });
    this.#scopes.set(stage.index, scope);
    return scope;
  }

  /** The image is there: nothing is done for it. */
  #tellBase(reference: string, counter: StepCounter, { stage }: PlannedStage): void {
    const shown = reference.startsWith("sha256:")
      ? reference
      : canonicalReference(parseReference(reference));
    const { id, name } = counter.first(`FROM ${shown}`);
    const { emit } = this.#session;
    emit({ kind: "start", id, name, range: stage.range, timeMs: Date.now() });
    emit({ kind: "end", id, outcome: "cached", timeMs: Date.now() });
  }

  /** What a stage begins with. */
  async #begin(planned: PlannedStage): Promise<{ state: StageState; triggers: Instruction[] }> {
    const { base, stage } = planned;
    try {
      if (base.kind === "stage") {
        const below = await this.build(base.index);
        const onBuild = below.config.run.OnBuild ?? [];
        return {
          state: {
            ...below,
            layers: [...below.layers],
            history: [...below.history],
            steps: [...below.steps],
            config: new ConfigBuilder(derivedConfig(below.config.config)),
          },
          triggers: await this.#triggers(onBuild, stage.range),
        };
      }
      const platform = planned.platform ?? this.#options.platform;
      if (base.kind === "scratch") {
        const config = new ConfigBuilder(emptyConfig(platform));
        return {
          state: { layers: [], inherited: 0, config, history: [], steps: [], isFresh: false },
          triggers: [],
        };
      }
      if (base.kind === "context") {
        throw new DhowError("unsupported", "a stage cannot be FROM a context that is a directory");
      }
      return await this.#beginFrom(base.reference, platform, planned);
    } catch (error) {
      throw atStep(error, { step: `FROM ${stage.base}`, range: stage.range });
    }
  }

  async #beginFrom(
    reference: string,
    platform: Platform,
    { stage }: PlannedStage,
  ): Promise<{ state: StageState; triggers: Instruction[] }> {
    const { config, layers } = await this.#images.get(reference, platform);
    const history = (config.history ?? []).map((history) =>
      ({ kind: "inherited", history }) as const
    );
    return {
      state: {
        layers: [...layers],
        inherited: layers.length,
        steps: [],
        config: new ConfigBuilder(derivedConfig(config)),
        history,
        isFresh: false,
      },
      triggers: await this.#triggers(config.config?.OnBuild ?? [], stage.range),
    };
  }

  async #triggers(
    texts: readonly string[],
    range: Instruction["range"],
  ): Promise<Instruction[]> {
    if (texts.length === 0) return [];
    const { parseInstruction } = await lazy<typeof import("./dockerfile/parse.ts")>(
      "./dockerfile/parse.ts",
      import.meta.url,
    );
    return texts.map((text) => parseInstruction(text, this.#options.directives, { range }));
  }

  async #openSource(index: number, from: string | undefined): Promise<Source> {
    const session = this.#session;
    const { context, namedContexts } = session.request;
    if (from === undefined) {
      if (context === undefined) {
        throw new DhowError(
          "not_found",
          "failed to compute cache key: there is no build context: it was not given one",
        );
      }
      return { kind: "context", context, digests: await session.digestsOf(context) };
    }
    return await this.#open(originOf(this.#plan.stages, index, from, namedContexts));
  }

  async #open(origin: Origin): Promise<Source> {
    switch (origin.kind) {
      case "scratch":
        return { kind: "layers", layers: [] };
      case "stage":
        return { kind: "layers", layers: (await this.build(origin.index)).layers };
      case "context": {
        const { context } = origin.context;
        return { kind: "context", context, digests: await this.#session.digestsOf(context) };
      }
      case "image": {
        const image = await this.#images.get(origin.reference, this.#options.platform);
        return { kind: "layers", layers: image.layers };
      }
    }
  }
}

/** Whether `--no-cache` or `--no-cache-filter` speak of a stage. */
function isFresh({ request }: BuildSession, { stage }: PlannedStage): boolean {
  const { noCache } = request;
  if (typeof noCache === "boolean") return noCache;
  return noCache.some((name) => name.toLowerCase() === stage.name || name === String(stage.index));
}
