/**
 * Which variables an instruction sees: `ARG` and `ENV`, what came before the first `FROM`, and what is there unasked.
 *
 * @see https://docs.docker.com/reference/dockerfile/#scope
 * @module
 */
import { formatPlatform } from "../../lib/platform.ts";
import type { Platform } from "../../spec/image.ts";
import type { ArgInstruction, Dockerfile, SourceRange } from "./ast.ts";
import { DockerfileError } from "./error.ts";
import { expandWord } from "./expand.ts";
import type { Lookup } from "./shell_word.ts";

/** Build arguments that `RUN` sees without `ARG`. Neither cache keys nor the history know them. */
const PROXIES = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"];

/** What the builder itself heeds, or every build has. */
const OWN_ARG =
  /^(?:BUILDKIT_.*|SOURCE_DATE_EPOCH|(?:TARGET|BUILD)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT)|TARGETSTAGE)$/;

/** Whether `name` is one of the arguments for proxies, in capitals or not. */
function isProxyArg(name: string): boolean {
  return PROXIES.includes(name.toLowerCase());
}

/** The proxies among the build arguments, in capitals and not, as `RUN` is to see them. */
export function proxyEnvironment(buildArgs: ReadonlyMap<string, string>): Map<string, string> {
  const environment = new Map<string, string>();
  for (const [name, value] of buildArgs) {
    if (!isProxyArg(name)) continue;
    environment.set(name.toUpperCase(), value);
    environment.set(name.toLowerCase(), value);
  }
  return environment;
}

/** Arguments that every build has, before the first `FROM`; a stage sees those it declares. */
export function predefinedArgs(
  platforms: { build: Platform; target: Platform },
  target = "default",
): Map<string, string> {
  const { build, target: wanted } = platforms;
  return new Map([
    ["BUILDPLATFORM", formatPlatform(build)],
    ["BUILDOS", build.os],
    ["BUILDOSVERSION", ""],
    ["BUILDARCH", build.architecture],
    ["BUILDVARIANT", build.variant ?? ""],
    ["TARGETPLATFORM", formatPlatform(wanted)],
    ["TARGETOS", wanted.os],
    ["TARGETOSVERSION", ""],
    ["TARGETARCH", wanted.architecture],
    ["TARGETVARIANT", wanted.variant ?? ""],
    ["TARGETSTAGE", target],
  ]);
}

/**
 * The values that `FROM` sees: those of `predefined` and of the `ARG` instructions before the first `FROM`, what
 * `buildArgs` says instead of either.
 *
 * @throws {DockerfileError} BuildKit's words.
 */
export function globalScope(
  dockerfile: Dockerfile,
  predefined: ReadonlyMap<string, string>,
  buildArgs: ReadonlyMap<string, string>,
): Map<string, string> {
  const values = new Map(predefined);
  for (const name of predefined.keys()) {
    const given = buildArgs.get(name);
    if (given !== undefined) values.set(name, given);
  }
  for (const { args, range } of dockerfile.globalArgs) {
    for (const { key, value } of args) {
      const given = buildArgs.get(key);
      if (given !== undefined) values.set(key, given);
      else if (value !== undefined) values.set(key, expand(value, range));
    }
  }
  return values;

  function expand(value: string, range: SourceRange): string {
    try {
      return expandWord(value, (name) => values.get(name), dockerfile.directives.escape);
    } catch (cause) {
      throw new DockerfileError((cause as Error).message, { source: dockerfile, range }, { cause });
    }
  }
}

/**
 * The build arguments that no `ARG` speaks of: slips of the pen, most often.
 *
 * @param declared Names that images below have declared by `ONBUILD`.
 */
export function unusedBuildArgs(
  dockerfile: Dockerfile,
  buildArgs: ReadonlyMap<string, string>,
  declared: ReadonlySet<string> = new Set(),
): string[] {
  const known = new Set(declared);
  const stages = dockerfile.stages.flatMap(({ instructions }) => instructions);
  for (const instruction of [...dockerfile.globalArgs, ...stages]) {
    if (instruction.kind !== "arg") continue;
    for (const { key } of instruction.args) known.add(key);
  }
  return [...buildArgs.keys()].filter((name) =>
    !known.has(name) && !isProxyArg(name) && !OWN_ARG.test(name)
  );
}

/** The variables of a stage, changed by its instructions in turn. */
export class StageScope {
  /** Of the image: from the base image and `ENV`. */
  readonly environment: Map<string, string>;
  /** Declared by `ARG`, in order; undefined where no value is known. */
  readonly args: Map<string, string | undefined>;
  readonly #globals: ReadonlyMap<string, string>;
  readonly #buildArgs: ReadonlyMap<string, string>;
  readonly #escape: string;
  /** What expansion and `RUN` see: `ENV` and `ARG` alike, whichever was last. */
  readonly #seen: Map<string, string>;

  /**
   * @param base The base image's environment, or the scope of the stage this one builds upon: its arguments are seen
   *   here too.
   */
  constructor(
    base: readonly string[] | StageScope,
    options: {
      globals: ReadonlyMap<string, string>;
      buildArgs: ReadonlyMap<string, string>;
      escape: string;
    },
  ) {
    this.#globals = options.globals;
    this.#buildArgs = options.buildArgs;
    this.#escape = options.escape;
    if (base instanceof StageScope) {
      this.environment = new Map(base.environment);
      this.args = new Map(base.args);
      this.#seen = new Map(base.#seen);
    } else {
      this.environment = new Map(base.map(splitEntry));
      this.args = new Map();
      this.#seen = new Map(this.environment);
    }
  }

  /** The value an instruction sees. */
  readonly lookup: Lookup = (name) => this.#seen.get(name);

  /** All names that have a value. */
  names(): Iterable<string> {
    return this.#seen.keys();
  }

  /** `ENV`, expanded. */
  setEnvironment(pairs: readonly { key: string; value: string }[]): void {
    for (const { key, value } of pairs) {
      this.environment.set(key, value);
      this.#seen.set(key, value);
    }
  }

  /**
   * `ARG`, unexpanded: a build argument counts more than the value given here, that more than one from before the first
   * `FROM`.
   *
   * @returns What was declared, as the history shows it.
   * @throws {Error} BuildKit's words, without a place.
   */
  declare(instruction: ArgInstruction): { key: string; value?: string }[] {
    return instruction.args.map(({ key, value: written }) => {
      const value = this.#buildArgs.get(key) ??
        (written === undefined
          ? this.#globals.get(key)
          : expandWord(written, this.lookup, this.#escape));
      this.args.set(key, value);
      if (value === undefined) return { key };
      this.#seen.set(key, value);
      return { key, value };
    });
  }

  /** The environment of `RUN`, without proxies. */
  runEnvironment(): Map<string, string> {
    return new Map(this.#seen);
  }

  /** Arguments and what they are now, as the history shows them before the command of `RUN`. */
  declared(): [name: string, value: string][] {
    return [...this.args.keys()].map((name) => [name, this.lookup(name) ?? ""]);
  }
}

function splitEntry(entry: string): [string, string] {
  const equals = entry.indexOf("=");
  return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
}
