/**
 * One stage being built: its instructions, one after the other.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { lazy } from "../lib/lazy.ts";
import { atStep } from "./build_error.ts";
import type { Directives, Instruction } from "./dockerfile/ast.ts";
import { expandInstruction } from "./dockerfile/expand.ts";
import { proxyEnvironment, type StageScope } from "./dockerfile/scope.ts";
import type { BuildSession } from "./session.ts";
import type { Source } from "./sources.ts";
import { namesIn } from "./stages.ts";
import type { StageState } from "./state.ts";
import { type StepPlace, takeStep } from "./step.ts";
import { makesLayer } from "./step_counter.ts";

/** Obeys the instructions of a stage; what comes of them is in its state. */
export class StageWork {
  readonly #session: BuildSession;
  readonly #state: StageState;
  readonly #scope: StageScope;
  readonly #directives: Directives;
  readonly #openSource: (from: string | undefined) => Promise<Source>;
  readonly #hasCache: boolean;

  constructor(
    session: BuildSession,
    options: {
      state: StageState;
      scope: StageScope;
      directives: Directives;
      openSource: (from: string | undefined) => Promise<Source>;
      hasCache: boolean;
    },
  ) {
    this.#session = session;
    this.#state = options.state;
    this.#scope = options.scope;
    this.#directives = options.directives;
    this.#openSource = options.openSource;
    this.#hasCache = options.hasCache;
  }

  /**
   * Obeys one instruction.
   *
   * @param place Numbers the step, if it is one.
   * @throws {BuildError} When it cannot be obeyed, or fails.
   */
  async obey(
    instruction: Instruction,
    place: (instruction: Instruction) => Omit<StepPlace, "noCache">,
  ): Promise<void> {
    const { config, history } = this.#state;
    let expanded: Instruction;
    try {
      if (instruction.kind === "arg") {
        const words = this.#scope.declare(instruction).map(({ key, value }) =>
          value === undefined ? key : `${key}=${value}`
        );
        history.push({ kind: "config", createdBy: `ARG ${words.join(" ")}` });
        return;
      }
      expanded = expandInstruction(instruction, this.#scope.lookup, this.#directives);
      if (!makesLayer(expanded)) {
        const createdBy = config.apply(expanded);
        if (expanded.kind === "env") this.#scope.setEnvironment(expanded.pairs);
        if (createdBy !== undefined) history.push({ kind: "config", createdBy });
        return;
      }
    } catch (cause) {
      const { range, original } = instruction;
      const error = cause instanceof DhowError
        ? cause
        : new DhowError("invalid_argument", (cause as Error).message, { cause });
      throw atStep(error, { step: original, range });
    }
    await this.#takeStep(expanded, place);
  }

  async #takeStep(
    instruction: Instruction,
    place: (instruction: Instruction) => Omit<StepPlace, "noCache">,
  ): Promise<void> {
    const { config, history } = this.#state;
    const session = this.#session;
    // What other stages make is waited for before the step is told to have begun.
    for (const from of namesIn(instruction)) await this.#openSource(from);
    const at = { ...place(instruction), noCache: !this.#hasCache };
    const environment = {
      session,
      openSource: this.#openSource,
      absolute: (path: string) => config.absolute(path),
      signal: session.signal,
    };
    if (instruction.kind === "workdir") {
      config.apply(instruction);
      const path = config.workingDirectory;
      if (path === "/") {
        history.push({ kind: "config", createdBy: "WORKDIR /" });
        return;
      }
      const { workdirStep } = await lazy<typeof import("./workdir_step.ts")>(
        "./workdir_step.ts",
        import.meta.url,
      );
      const step = workdirStep(path, config.run.User ?? "", environment);
      return await takeStep(session, this.#state, at, () => Promise.resolve(step));
    }
    if (instruction.kind === "run") {
      const { runStep } = await lazy<typeof import("./run_step.ts")>(
        "./run_step.ts",
        import.meta.url,
      );
      const variables = this.#runVariables();
      const args = this.#scope.declared();
      return await takeStep(
        session,
        this.#state,
        at,
        () => runStep(instruction, config, { ...environment, variables, args }),
      );
    }
    if (instruction.kind !== "copy" && instruction.kind !== "add") return;
    const { copyStep } = await lazy<typeof import("./copy_step.ts")>(
      "./copy_step.ts",
      import.meta.url,
    );
    await takeStep(session, this.#state, at, () => copyStep(instruction, config, environment));
  }

  /** What a RUN sees; proxies count neither in cache keys nor in the history. */
  #runVariables(): { keyed: string[]; unkeyed: string[] } {
    const seen = this.#scope.runEnvironment();
    const proxies = [...proxyEnvironment(this.#session.request.buildArgs)];
    const text = ([name, value]: [string, string]) => `${name}=${value}`;
    return {
      keyed: [...seen].map(text),
      unkeyed: proxies.filter(([name]) => !seen.has(name)).map(text),
    };
  }
}
