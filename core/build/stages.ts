/**
 * Which stages a build needs, and what each stands on.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { Platform } from "../spec/image.ts";
import { parsePlatform } from "../lib/platform.ts";
import type { Dockerfile, Instruction, SourceRange, Stage } from "./dockerfile/ast.ts";
import { BuildError } from "./build_error.ts";
import type { NamedContext } from "./request.ts";

/** What a name means: in `FROM`, `--from`, `from=`. */
export type Origin =
  | { kind: "scratch" }
  | { kind: "stage"; index: number }
  | { kind: "context"; context: NamedContext & { kind: "directory" } }
  | { kind: "image"; reference: string };

/** A stage, its `FROM` understood. */
export interface PlannedStage {
  stage: Stage;
  /** As messages call it; "" for the only one, if it has no name. */
  name: string;
  base: Origin;
  /** What it is for, where that is not what the build is for. */
  platform?: Platform;
}

/** A build's stages. */
export interface StagePlan {
  stages: PlannedStage[];
  /** Index of the stage whose image the build makes. */
  target: number;
  /** Indexes of all stages it takes, ascending. */
  needed: number[];
}

/**
 * Plans a build.
 *
 * @param options `expand`: makes a word of a `FROM` plain.
 * @throws {BuildError} for a target or name that is not there, and for cycles.
 */
export function planStages(
  dockerfile: Dockerfile,
  options: {
    target?: string | undefined;
    namedContexts: ReadonlyMap<string, NamedContext>;
    expand: (word: string) => string;
  },
): StagePlan {
  const stages = dockerfile.stages.map((stage) => planStage(dockerfile, stage, options));
  const target = findTarget(dockerfile, options.target);
  const needed = new Set<number>();
  const visit = (index: number, path: readonly number[], range: SourceRange) => {
    if (path.includes(index)) {
      const { name } = dockerfile.stages[index]!;
      throw new BuildError(
        "invalid_argument",
        `circular dependency detected on stage: ${name ?? index}`,
        { range },
      );
    }
    if (needed.has(index)) return;
    for (const other of dependencies(stages, index, options.namedContexts)) {
      visit(other.index, [...path, index], other.range);
    }
    needed.add(index);
  };
  visit(target, [], dockerfile.stages[target]!.range);
  return { stages, target, needed: [...needed].sort((a, b) => a - b) };
}

function planStage(
  dockerfile: Dockerfile,
  stage: Stage,
  { namedContexts, expand }: {
    namedContexts: ReadonlyMap<string, NamedContext>;
    expand: (word: string) => string;
  },
): PlannedStage {
  try {
    const base = expand(stage.base);
    if (base === "") {
      throw new DhowError("invalid_argument", `base name (${stage.base}) should not be blank`);
    }
    const platform = stage.platform === undefined ? undefined : expand(stage.platform);
    if (platform === "") {
      throw new DhowError(
        "invalid_argument",
        `empty platform value from expression ${stage.platform}`,
      );
    }
    const earlier = dockerfile.stages.slice(0, stage.index);
    const found = earlier.findLastIndex(({ name }) => name === base.toLowerCase());
    const isOnly = dockerfile.stages.length === 1;
    return {
      stage,
      name: stage.name ?? (isOnly ? "" : `stage-${stage.index}`),
      base: found >= 0 ? { kind: "stage", index: found } : outside(base, namedContexts),
      ...platform !== undefined && { platform: parsePlatform(platform) },
    };
  } catch (cause) {
    const code = cause instanceof DhowError ? cause.code : "invalid_argument";
    throw new BuildError(code, (cause as Error).message, { range: stage.range, cause });
  }
}

/** What a name means that is no stage's. */
function outside(name: string, namedContexts: ReadonlyMap<string, NamedContext>): Origin {
  const context = namedContexts.get(name.toLowerCase()) ??
    namedContexts.get(`${name.toLowerCase()}:latest`);
  if (context?.kind === "directory") return { kind: "context", context };
  if (context?.kind === "image") return { kind: "image", reference: context.reference };
  return name === "scratch" ? { kind: "scratch" } : { kind: "image", reference: name };
}

/**
 * What `--from=NAME` means in a stage.
 *
 * @param index The stage's. Of others any may be named; by number only those before it.
 */
export function originOf(
  stages: readonly PlannedStage[],
  index: number,
  name: string,
  namedContexts: ReadonlyMap<string, NamedContext>,
): Origin {
  const named = stages.findLastIndex(({ stage }) => stage.name === name.toLowerCase());
  if (named >= 0) return { kind: "stage", index: named };
  if (/^\d+$/.test(name)) {
    const number = Number(name);
    if (number >= index) {
      throw new DhowError(
        "invalid_argument",
        `invalid stage index ${name}: stage ${index} can only copy from stages before it`,
      );
    }
    return { kind: "stage", index: number };
  }
  return outside(name, namedContexts);
}

function dependencies(
  stages: readonly PlannedStage[],
  index: number,
  namedContexts: ReadonlyMap<string, NamedContext>,
): { index: number; range: SourceRange }[] {
  const { stage, base } = stages[index]!;
  const found = base.kind === "stage" ? [{ index: base.index, range: stage.range }] : [];
  for (const instruction of stage.instructions) {
    for (const name of namesIn(instruction)) {
      try {
        const origin = originOf(stages, index, name, namedContexts);
        if (origin.kind === "stage") {
          found.push({ index: origin.index, range: instruction.range });
        }
      } catch (cause) {
        if (!(cause instanceof DhowError)) throw cause;
        throw new BuildError(cause.code, cause.message, { range: instruction.range, cause });
      }
    }
  }
  return found;
}

/** The names that an instruction takes files from. */
export function namesIn(instruction: Instruction): string[] {
  if (instruction.kind === "copy") return instruction.from === undefined ? [] : [instruction.from];
  if (instruction.kind !== "run") return [];
  return instruction.mounts.map(({ from }) => from).filter((from) => from !== undefined);
}

function findTarget({ stages }: Dockerfile, target: string | undefined): number {
  if (target === undefined || target === "") return stages.length - 1;
  const named = stages.findLastIndex(({ name }) => name === target.toLowerCase());
  if (named >= 0) return named;
  const number = Number(target);
  if (/^\d+$/.test(target) && number < stages.length) return number;
  throw new BuildError("not_found", `target stage "${target}" could not be found`);
}
