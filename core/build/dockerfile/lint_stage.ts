/**
 * Checks of a stage's instructions, in their order: what they mean depends on those before.
 *
 * @module
 */
import { suggest } from "../../lib/suggest.ts";
import type { IgnoreMatcher } from "../ignore.ts";
import type {
  AddInstruction,
  ArgInstruction,
  CopyInstruction,
  Directives,
  Instruction,
  SourceRange,
} from "./ast.ts";
import { keywordOf } from "./casing.ts";
import { expandInstruction, expandWord, expandWords } from "./expand.ts";
import { parseExposed } from "./ports.ts";
import { type Report, RULES } from "./rules.ts";
import type { StageScope } from "./scope.ts";
import type { Lookup } from "./shell_word.ts";

/** Names of which the last word, the first or all of it speaks of a secret. */
const SECRET = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const NO_SECRET = /(?:_|^)(?:public|file|version)(?:_|$)/i;

/** What a stage's linter needs. */
export interface StageLinterOptions {
  directives: Directives;
  buildArgs: ReadonlyMap<string, string>;
  ignore: IgnoreMatcher;
  /** Whether the base image's variables are in scope; if not, none is held to be undefined. */
  knowsEnvironment: boolean;
  report: Report;
  /** The stage this one builds upon. */
  below?: StageLinter;
}

/** Checks a stage. */
export class StageLinter {
  readonly scope: StageScope;
  readonly knowsEnvironment: boolean;
  readonly #options: StageLinterOptions;
  readonly #report: Report;
  #hasWorkdir: boolean;
  #hasShell: boolean;
  /** Where the last of those was that only count once. */
  readonly #last = new Map<Instruction["kind"], SourceRange>();

  constructor(scope: StageScope, options: StageLinterOptions) {
    this.scope = scope;
    this.knowsEnvironment = options.knowsEnvironment;
    this.#options = options;
    this.#report = options.report;
    this.#hasWorkdir = options.below !== undefined && options.below.#hasWorkdir;
    this.#hasShell = options.below !== undefined && options.below.#hasShell;
  }

  /** Looks at the next instruction. Those that cannot be expanded are passed over. */
  check(instruction: Instruction): void {
    if (instruction.kind === "arg") return this.#checkArg(instruction);
    let plain: Instruction;
    try {
      plain = this.#expand(
        instruction,
        (lookup) => expandInstruction(instruction, lookup, this.#options.directives),
      );
    } catch {
      return;
    }
    switch (plain.kind) {
      case "env":
      case "label":
        return this.#checkPairs(plain);
      case "workdir":
        if (!this.#hasWorkdir && !plain.path.startsWith("/")) {
          this.#report(RULES.WorkdirRelativePath, plain, plain.path);
        }
        this.#hasWorkdir = true;
        return;
      case "shell":
        this.#hasShell = true;
        return;
      case "cmd":
      case "entrypoint":
        this.#checkOnce(plain);
        if (plain.command.form === "shell" && !this.#hasShell) {
          this.#report(RULES.JSONArgsRecommended, plain, keywordOf(plain.original));
        }
        return;
      case "healthcheck":
        return this.#checkOnce(plain);
      case "copy":
      case "add":
        return this.#checkSources(plain);
      case "expose":
        if (instruction.kind === "expose") this.#checkPorts(instruction);
    }
  }

  /** Expands, and reports variables that have no value. */
  #expand<T>(instruction: Instruction, expand: (lookup: Lookup) => T): T {
    const unset = new Set<string>();
    const reported = instruction.kind !== "expose" && this.knowsEnvironment;
    try {
      return expand((name) => {
        const value = this.scope.lookup(name);
        if (value === undefined && !this.scope.args.has(name)) unset.add(name);
        return value;
      });
    } finally {
      for (const name of reported ? unset : []) {
        const meant = suggest(name, this.scope.names()) ?? "";
        this.#report(RULES.UndefinedVar, instruction, name, meant);
      }
    }
  }

  #checkArg(instruction: ArgInstruction): void {
    for (const arg of instruction.args) {
      this.#checkSecret(instruction, "ARG", arg.key);
      const { value } = arg;
      try {
        if (value !== undefined && !this.#options.buildArgs.has(arg.key)) {
          const { escape } = this.#options.directives;
          this.#expand(instruction, (lookup) => expandWord(value, lookup, escape));
        }
        this.scope.declare({ ...instruction, args: [arg] });
      } catch {
        // The build says so.
      }
    }
  }

  #checkPairs(instruction: Extract<Instruction, { kind: "env" | "label" }>): void {
    const isEnvironment = instruction.kind === "env";
    for (const { key, isLegacy } of instruction.pairs) {
      const keyword = keywordOf(instruction.original);
      if (isLegacy) this.#report(RULES.LegacyKeyValueFormat, instruction, keyword);
      if (isEnvironment) this.#checkSecret(instruction, "ENV", key);
    }
    if (isEnvironment) this.scope.setEnvironment(instruction.pairs);
  }

  #checkSecret(instruction: Instruction, keyword: string, name: string): void {
    if (!SECRET.test(name) || NO_SECRET.test(name)) return;
    this.#report(RULES.SecretsUsedInArgOrEnv, instruction, keyword, name);
  }

  /** The earlier one is at fault: it is lost. */
  #checkOnce(instruction: Instruction): void {
    const { kind, range, comments = [] } = instruction;
    const last = this.#last.get(kind);
    if (last !== undefined) {
      const keyword = keywordOf(instruction.original);
      this.#report(RULES.MultipleInstructionsDisallowed, { range: last, comments }, keyword);
    }
    this.#last.set(kind, range);
  }

  /** With exceptions in `.dockerignore`, an ignored directory may hold files that count. */
  #checkSources(instruction: CopyInstruction | AddInstruction): void {
    const { ignore } = this.#options;
    if (ignore.isEmpty || ignore.hasExceptions) return;
    if (instruction.kind === "copy" && instruction.from !== undefined) return;
    const keyword = instruction.kind === "copy" ? "Copy" : "Add";
    for (const source of instruction.sources) {
      if (/^(?:https?:\/\/|git@|git:\/\/|ssh:\/\/)/.test(source)) continue;
      const path = cleanSource(source);
      // All of the context: ignored if everything at its top is.
      const isIgnored = path === "." || path === "/"
        ? ignore.isIgnored("\u{10ffff}")
        : ignore.isIgnored(path);
      if (isIgnored) this.#report(RULES.CopyIgnoredFile, instruction, keyword, path);
    }
  }

  #checkPorts(instruction: Extract<Instruction, { kind: "expose" }>): void {
    const { escape } = this.#options.directives;
    const words = instruction.ports.flatMap((port) => expandWords(port, this.scope.lookup, escape));
    for (const word of words) {
      const { protocol, namesHost } = parseExposed(word);
      if (protocol !== protocol.toLowerCase()) {
        this.#report(RULES.ExposeProtoCasing, instruction, word);
      }
      if (namesHost) this.#report(RULES.ExposeInvalidFormat, instruction, word);
    }
  }
}

/** `./a//b/../c` is `a/c`. */
function cleanSource(source: string): string {
  const parts: string[] = [];
  for (const part of source.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return (source.startsWith("/") ? "/" : "") + parts.join("/") || ".";
}
