/**
 * What a build failed for: the error with the step it belongs to.
 *
 * @module
 */
import { SyscallError } from "../../ffi/errno.ts";
import { DhowError, type ErrorCode } from "../errors.ts";
import type { SourceRange } from "./dockerfile/ast.ts";

/** Where a build failed. */
export interface BuildErrorOptions extends ErrorOptions {
  /** Lines of the Dockerfile. */
  range?: SourceRange | undefined;
  /** Name of the step: `[2/3] RUN make`. */
  step?: string | undefined;
  /** What the step wrote last. */
  output?: Uint8Array | undefined;
}

/** A step that failed. The message is BuildKit's, without `failed to solve: `. */
export class BuildError extends DhowError {
  /** Lines of the Dockerfile. */
  readonly range: SourceRange | undefined;
  /** Name of the step: `[2/3] RUN make`. */
  readonly step: string | undefined;
  /** What the step wrote last, as it wrote it: not fit to be printed unfiltered. */
  readonly output: Uint8Array;

  constructor(code: ErrorCode, message: string, options: BuildErrorOptions = {}) {
    super(code, message, options);
    this.range = options.range;
    this.step = options.step;
    this.output = options.output ?? new Uint8Array();
  }

  /** By what it has: a program may hold this class twice. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof DhowError && "step" in value && "output" in value;
  }
}

/** The user namespace has other ids than was thought before there was one. */
export class IdsChangedError extends DhowError {
  constructor() {
    super("conflict", "Cannot build: the ids of your user namespace have changed; try again");
  }

  /** Not each `DhowError` is one. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof DhowError && value.constructor === IdsChangedError;
  }
}

/** Puts an error to the step it happened in, unless it has one. */
export function atStep(error: unknown, options: BuildErrorOptions): unknown {
  if (error instanceof IdsChangedError) return error;
  if (error instanceof BuildError && error.step !== undefined) return error;
  if (error instanceof SyscallError) {
    return new BuildError("unavailable", error.message, { ...options, cause: error });
  }
  if (!(error instanceof DhowError)) return error;
  const output = error instanceof BuildError ? error.output : options.output;
  return new BuildError(error.code, error.message, { ...options, output, cause: error });
}
