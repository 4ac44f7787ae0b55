/**
 * Variables of a build: `ARG` and `ENV`, each in its scope.
 *
 * Arguments before the first `FROM` are known to `FROM` lines, and to a stage that declares them anew. Within a stage a
 * variable of `ENV` hides an argument of the same name.
 *
 * @see https://docs.docker.com/reference/dockerfile/#understand-how-arg-and-from-interact
 * @module
 */
import { formatPlatform, hostPlatform } from "../lib/platform.ts";
import type { Platform } from "../spec/image.ts";
import { BuildError } from "./build_error.ts";
import type { ArgInstruction, Dockerfile, SourceRange } from "./dockerfile/ast.ts";

/** Known without an `ARG`; part of no cache key and of no image's history. */
const PROXY_ARGS = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/** Says what a variable holds; undefined if it is not set. */
export type Lookup = (name: string) => string | undefined;

/** Expands a word; in the tests of this module something simple. */
export type Expand = (word: string, lookup: Lookup) => string;

/** What is known before the first stage. */
export class GlobalScope {
  readonly #values = new Map<string, string>();
  readonly #buildArgs: ReadonlyMap<string, string>;
  readonly #consumed = new Set<string>();

  /** @param target What the build is for. */
  constructor(
    dockerfile: Dockerfile,
    options: { buildArgs: ReadonlyMap<string, string>; target: Platform; expand: Expand },
  ) {
    this.#buildArgs = options.buildArgs;
    const automatic = platformArgs(options.target);
    for (const [name, value] of automatic) this.#values.set(name, value);
    for (const { args, range } of dockerfile.globalArgs) {
      for (const { key, value } of args) {
        const given = this.take(key);
        const expanded = value === undefined || given !== undefined
          ? undefined
          : this.#expand(value, range, options.expand);
        const result = given ?? expanded ?? this.#values.get(key);
        if (result !== undefined) this.#values.set(key, result);
      }
    }
  }

  #expand(value: string, range: SourceRange, expand: Expand): string {
    try {
      return expand(value, (name) => this.get(name));
    } catch (cause) {
      const message = `failed to process ${JSON.stringify(value)}: ${(cause as Error).message}`;
      throw new BuildError("invalid_argument", message, { range, cause });
    }
  }

  /** What `FROM` lines see. */
  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** What `--build-arg` says of a name, which counts as used from now on. */
  take(name: string): string | undefined {
    const value = this.#buildArgs.get(name);
    if (value !== undefined) this.#consumed.add(name);
    return value;
  }

  /** `--build-arg`s that nothing has asked for. */
  unconsumed(): string[] {
    return [...this.#buildArgs.keys()].filter((name) =>
      !this.#consumed.has(name) && !isProxy(name) && !name.startsWith("BUILDKIT_") &&
      name !== "SOURCE_DATE_EPOCH"
    );
  }

  /** Proxies that were given and that a RUN gets although no stage declares them. */
  proxies(): [string, string][] {
    return [...this.#buildArgs].filter(([name]) => isProxy(name));
  }
}

function isProxy(name: string): boolean {
  return PROXY_ARGS.includes(name.toUpperCase());
}

function platformArgs(target: Platform): [string, string][] {
  const describe = (prefix: string, platform: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ""],
  ];
  return [...describe("TARGET", target), ...describe("BUILD", hostPlatform())];
}

/** What a stage knows at one point. */
export class StageScope {
  readonly #globals: GlobalScope;
  readonly #args = new Map<string, string | undefined>();
  readonly #env: () => readonly string[];

  /** @param env The image's variables as they are now: `NAME=value`. */
  constructor(globals: GlobalScope, env: () => readonly string[]) {
    this.#globals = globals;
    this.#env = env;
  }

  /** What a word of an instruction sees. */
  readonly lookup: Lookup = (name) => {
    const prefix = `${name}=`;
    const variable = this.#env().find((entry) => entry.startsWith(prefix));
    return variable?.slice(prefix.length) ?? this.#args.get(name);
  };

  /**
   * Declares what an `ARG` says, its values already expanded.
   *
   * @returns The text for the history.
   */
  declare({ args }: ArgInstruction): string {
    const shown: string[] = [];
    for (const { key, value } of args) {
      const result = this.#globals.take(key) ?? value ?? this.#globals.get(key);
      this.#args.delete(key);
      this.#args.set(key, result);
      shown.push(result === undefined ? key : `${key}=${result}`);
    }
    return `ARG ${shown.join(" ")}`;
  }

  /** Arguments that are set, in the order they were declared; those that proxies are known by are left out. */
  declared(): [string, string][] {
    return [...this.#args].filter((entry): entry is [string, string] => entry[1] !== undefined)
      .filter(([name]) => !isProxy(name));
  }

  /** What a RUN gets besides the image's variables: `NAME=value`. */
  runVariables(): { keyed: string[]; unkeyed: string[] } {
    const has = new Set(this.#env().map((entry) => entry.split("=", 1)[0]!));
    const text = ([name, value]: [string, string]) => `${name}=${value}`;
    return {
      keyed: this.declared().filter(([name]) => !has.has(name)).map(text),
      unkeyed: this.#globals.proxies().filter(([name]) => !has.has(name)).map(text),
    };
  }
}
