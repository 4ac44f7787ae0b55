/**
 * BuildKit's checks: what works in a Dockerfile but is not as it should be.
 *
 * @see https://docs.docker.com/reference/build-checks/
 * @module
 */
import { hostPlatform, parsePlatform } from "../../lib/platform.ts";
import { parseReference } from "../../lib/reference.ts";
import { suggest } from "../../lib/suggest.ts";
import type { Platform } from "../../spec/image.ts";
import { compileIgnore, type IgnoreMatcher } from "../ignore.ts";
import type { BuildWarning, Dockerfile, Instruction, SourceRange, Stage } from "./ast.ts";
import { type CheckOptions, isChecked, parseCheckOptions, withComments } from "./check_options.ts";
import { DockerfileError } from "./error.ts";
import { expandWord } from "./expand.ts";
import { StageLinter } from "./lint_stage.ts";
import { type Report, RULES } from "./rules.ts";
import { globalScope, predefinedArgs, StageScope } from "./scope.ts";
import { isLowerCase, isUpperCase, keywordOf } from "./casing.ts";

/** What is known of a build besides its Dockerfile. */
export interface LintOptions {
  /** What the parser has found. */
  warnings?: readonly BuildWarning[];
  buildArgs?: ReadonlyMap<string, string>;
  /** The last stage that is built. @default the last */
  target?: string;
  /** Look at stages too that `target` does not need. @default false */
  allStages?: boolean;
  /** Lines of `.dockerignore`. */
  ignore?: readonly string[];
  /** Default: this machine's. */
  platform?: Platform;
  /**
   * The environment of a base image. Where it is not known, no variable is held to be undefined.
   *
   * @param base Expanded.
   */
  environmentOf?: (base: string) => readonly string[] | undefined;
}

/** What a scratch image has. */
const SCRATCH_ENVIRONMENT = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];

/**
 * Looks for what is not as it should be.
 *
 * @returns In the order in which docker finds it.
 * @throws {DockerfileError} If the Dockerfile's `check=` is malformed.
 */
export function lintDockerfile(dockerfile: Dockerfile, options: LintOptions = {}): BuildWarning[] {
  const checks = readChecks(dockerfile);
  const found: BuildWarning[] = [];
  for (const warning of options.warnings ?? []) {
    if (isChecked({ name: warning.rule, isExperimental: false }, checks)) found.push(warning);
  }
  const report: Report = (rule, { range, comments = [] }, ...parameters) => {
    if (!isChecked(rule, withComments(checks, comments))) return;
    found.push(rule.warning(range, ...parameters));
  };
  checkInstructions(dockerfile, report);
  checkStageNames(dockerfile, report);
  checkCasing(dockerfile, report);
  new ScopeLinter(dockerfile, options, report).run();
  return found;
}

/**
 * The error that `warnings` are, if the Dockerfile says so with `check=error=true`.
 *
 * @throws {DockerfileError} If the Dockerfile's `check=` is malformed.
 */
export function lintFailure(
  dockerfile: Dockerfile,
  warnings: readonly BuildWarning[],
): DockerfileError | undefined {
  if (warnings.length === 0 || !readChecks(dockerfile).isError) return undefined;
  const rules = new Set(warnings.map(({ rule }) => rule));
  return new DockerfileError(`lint violation found for rules: ${[...rules].join(", ")}`);
}

function readChecks(dockerfile: Dockerfile): CheckOptions {
  try {
    return parseCheckOptions(dockerfile.directives.check ?? "");
  } catch (error) {
    const message = `failed to parse check options: ${(error as Error).message}`;
    throw new DockerfileError(message, {}, { cause: error });
  }
}

/** What is seen without regard to others. */
function checkInstructions(dockerfile: Dockerfile, report: Report): void {
  for (const instruction of dockerfile.globalArgs) checkArgDescription(instruction, report);
  for (const stage of dockerfile.stages) {
    checkFrom(stage, report);
    for (const instruction of stage.instructions) {
      if (instruction.kind === "maintainer") report(RULES.MaintainerDeprecated, instruction);
      else if (instruction.kind === "arg") checkArgDescription(instruction, report);
    }
  }
}

function checkFrom(stage: Stage, report: Report): void {
  const words = stage.original.trim().split(/\s+/).filter((word) => !word.startsWith("--"));
  const [from, , as, name] = words as [string, string, string?, string?];
  if (as === undefined || name === undefined) return;
  if (!isLowerCase(name)) report(RULES.StageNameCasing, stage, name);
  const matches = isLowerCase(from) ? isLowerCase(as) : !isUpperCase(from) || isUpperCase(as);
  if (!matches) report(RULES.FromAsCasing, stage, from, as);
  checkDescription(stage, { keyword: "FROM", names: [stage.name ?? ""] }, report);
}

function checkArgDescription(instruction: Instruction, report: Report): void {
  if (instruction.kind !== "arg") return;
  const names = instruction.args.map(({ key }) => key);
  checkDescription(instruction, { keyword: "ARG", names }, report);
}

function checkDescription(
  place: { range: SourceRange; comments?: readonly string[] },
  { keyword, names }: { keyword: string; names: readonly string[] },
  report: Report,
): void {
  const described = place.comments?.at(-1)?.split(" ")[0];
  if (described === undefined || names.includes(described)) return;
  const name = names.length > 1 ? "<arg_key>" : names[0]!;
  report(RULES.InvalidDefinitionDescription, place, keyword, name);
}

function checkStageNames(dockerfile: Dockerfile, report: Report): void {
  const seen = new Set<string>();
  for (const { name, range } of dockerfile.stages) {
    if (name === undefined) continue;
    if (name === "context" || name === "scratch") report(RULES.ReservedStageName, { range }, name);
    if (seen.has(name)) report(RULES.DuplicateStageName, { range }, name);
    seen.add(name);
  }
}

/** All keywords should be written as most are. */
function checkCasing(dockerfile: Dockerfile, report: Report): void {
  const places = dockerfile.stages.flatMap((stage) => [stage, ...stage.instructions]);
  const written = places.map(({ original, range }) => ({ keyword: keywordOf(original), range }));
  const lower = written.filter(({ keyword }) => isLowerCase(keyword)).length;
  const upper = written.filter(({ keyword }) => isUpperCase(keyword)).length;
  const [fits, casing] = lower > upper
    ? [isLowerCase, "lowercase"] as const
    : [isUpperCase, "uppercase"] as const;
  for (const { keyword, range } of written) {
    if (!fits(keyword)) report(RULES.ConsistentInstructionCasing, { range }, keyword, casing);
  }
}

/** What depends on the values of variables. */
class ScopeLinter {
  readonly #dockerfile: Dockerfile;
  readonly #options: LintOptions;
  readonly #report: Report;
  readonly #escape: string;
  readonly #ignore: IgnoreMatcher;
  readonly #buildArgs: ReadonlyMap<string, string>;
  #globals: ReadonlyMap<string, string> = new Map();
  /** Bases, expanded. */
  readonly #bases: string[] = [];

  constructor(dockerfile: Dockerfile, options: LintOptions, report: Report) {
    this.#dockerfile = dockerfile;
    this.#options = options;
    this.#report = report;
    this.#escape = dockerfile.directives.escape;
    this.#ignore = compileIgnore(options.ignore ?? []);
    this.#buildArgs = options.buildArgs ?? new Map();
  }

  run(): void {
    const platform = this.#options.platform ?? hostPlatform();
    const platforms = { build: hostPlatform(), target: platform };
    const { target } = this.#options;
    const name = target || this.#dockerfile.stages.at(-1)?.name;
    const predefined = predefinedArgs(platforms, name);
    try {
      this.#checkDefaults(globalScope(this.#dockerfile, predefined, new Map()));
      this.#globals = globalScope(this.#dockerfile, predefined, this.#buildArgs);
      for (const stage of this.#dockerfile.stages) this.#checkFrom(stage);
    } catch {
      // What cannot be expanded is told by the build, or by who parses.
      return;
    }
    this.#checkStages();
  }

  /** Bases must be valid without any `--build-arg`, too. */
  #checkDefaults(values: ReadonlyMap<string, string>): void {
    for (const { base, range } of this.#dockerfile.stages) {
      const name = expandWord(base, (name) => values.get(name), this.#escape);
      try {
        parseReference(name);
      } catch {
        this.#report(RULES.InvalidDefaultArgInFrom, { range }, base);
      }
    }
  }

  #checkFrom(stage: Stage): void {
    this.#bases.push(this.#expandGlobal(stage, stage.base).text);
    if (stage.platform === undefined) return;
    const { text, matched, unmatched } = this.#expandGlobal(stage, stage.platform);
    if (unmatched.size > 0) return;
    if (matched.size > 0) {
      const isTarget = matched.size === 1 && matched.has("TARGETPLATFORM") &&
        text === this.#globals.get("TARGETPLATFORM");
      if (isTarget) this.#report(RULES.RedundantTargetPlatform, stage, stage.platform);
      return;
    }
    const platform = readPlatform(text);
    if (platform === undefined) return;
    const name = stage.name ?? "";
    if (name.includes(platform.os) || name.includes(platform.architecture)) return;
    this.#report(RULES.FromPlatformFlagConstDisallowed, stage, text);
  }

  /** Expands a word of `FROM`, and reports the variables that nobody has declared. */
  #expandGlobal(stage: Stage, word: string) {
    const matched = new Set<string>();
    const unmatched = new Set<string>();
    const text = expandWord(word, (name) => {
      const value = this.#globals.get(name);
      (value === undefined ? unmatched : matched).add(name);
      return value;
    }, this.#escape);
    const declared = new Set([
      ...this.#dockerfile.globalArgs.flatMap(({ args }) => args.map(({ key }) => key)),
      ...this.#globals.keys(),
    ]);
    for (const name of unmatched) {
      if (declared.has(name)) continue;
      this.#report(RULES.UndefinedArgInFrom, stage, name, suggest(name, declared) ?? "");
    }
    return { text, matched, unmatched };
  }

  #checkStages(): void {
    const linters: StageLinter[] = [];
    const needed = this.#options.allStages ? undefined : this.#neededStages();
    for (const stage of this.#dockerfile.stages) {
      const base = this.#bases[stage.index]!;
      const below = linters[this.#stageNamed(base, stage.index) ?? -1];
      const environment = base.toLowerCase() === "scratch"
        ? SCRATCH_ENVIRONMENT
        : this.#options.environmentOf?.(base);
      const scope = new StageScope(below?.scope ?? environment ?? [], {
        globals: this.#globals,
        buildArgs: this.#buildArgs,
        escape: this.#escape,
      });
      const linter = new StageLinter(scope, {
        directives: this.#dockerfile.directives,
        buildArgs: this.#buildArgs,
        ignore: this.#ignore,
        knowsEnvironment: below?.knowsEnvironment ?? environment !== undefined,
        report: needed === undefined || needed.has(stage.index) ? this.#report : () => {},
        ...(below !== undefined && { below }),
      });
      linters.push(linter);
      for (const instruction of stage.instructions) linter.check(instruction);
    }
  }

  /** The last stage of that name before `before`. */
  #stageNamed(name: string, before: number): number | undefined {
    const { stages } = this.#dockerfile;
    const index = stages.slice(0, before).findLastIndex((stage) =>
      stage.name !== undefined && stage.name === name.toLowerCase()
    );
    return index < 0 ? undefined : index;
  }

  /** By name or number. */
  #stageOf(word: string, before: number): number | undefined {
    const named = this.#stageNamed(word, before);
    return named ?? (/^\d+$/.test(word) && Number(word) < before ? Number(word) : undefined);
  }

  /** What the target is made of. */
  #neededStages(): Set<number> {
    const { stages } = this.#dockerfile;
    const wanted = this.#options.target;
    const open = [wanted ? this.#stageOf(wanted, stages.length) : stages.length - 1];
    const needed = new Set<number>();
    for (let index = open.pop(); index !== undefined || open.length > 0; index = open.pop()) {
      if (index === undefined || needed.has(index)) continue;
      needed.add(index);
      open.push(this.#stageNamed(this.#bases[index]!, index));
      for (const name of stages[index]!.instructions.flatMap(sourcesOf)) {
        open.push(this.#stageOf(name, index));
      }
    }
    return needed;
  }
}

/** Names of stages and images that an instruction takes files from. */
function sourcesOf(instruction: Instruction): string[] {
  if (instruction.kind === "copy") return instruction.from === undefined ? [] : [instruction.from];
  if (instruction.kind !== "run") return [];
  return instruction.mounts.map(({ from }) => from).filter((from) => from !== undefined);
}

function readPlatform(text: string): Platform | undefined {
  try {
    return parsePlatform(text);
  } catch {
    return undefined;
  }
}
