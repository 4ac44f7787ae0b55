/**
 * The two ways a command line ends early: with a status, or with a complaint about how it was used.
 *
 * @module
 */

/** Ends the command with `exitCode`, after printing `message` (if any) on stderr. */
export class ExitError extends Error {
  /** Status of the process. */
  readonly exitCode: number;

  /**
   * @param exitCode Status of the process.
   * @param message What stderr gets, without the last line feed; empty prints nothing.
   */
  constructor(exitCode: number, message = "", options?: ErrorOptions) {
    super(message, options);
    this.name = "ExitError";
    this.exitCode = exitCode;
  }

  /** By name: a program may hold this class twice, once from the bundle and once from the sources. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "ExitError";
  }
}

/** A flag that does not exist, lacks its value or has one it cannot take; `message` is docker's wording. */
export class FlagError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FlagError";
  }

  /** By name: a program may hold this class twice, once from the bundle and once from the sources. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "FlagError";
  }
}
