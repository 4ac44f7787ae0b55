/**
 * The one error class that leaves core: what went wrong, as a closed set of codes.
 *
 * Callers test `code`, never the text. The code maps once to an exit code (cli/main.ts) and once to an HTTP status.
 *
 * @module
 */

/** The closed set of reasons a request can fail for. */
export type ErrorCode =
  | "not_found"
  | "conflict"
  | "invalid_argument"
  | "invalid_archive"
  | "invalid_layer"
  | "digest_mismatch"
  | "unauthorized"
  | "unavailable"
  | "unsupported"
  | "no_space"
  | "read_only"
  | "command_not_found"
  | "command_not_executable"
  | "start_failed"
  | "aborted"
  | "internal";

/** An error with a code that callers may act on and a message a person can act on. */
export class DhowError extends Error {
  /** Why, as one of {@linkcode ErrorCode}. */
  readonly code: ErrorCode;

  /**
   * Makes one; throwing it is up to the caller.
   *
   * @param code The reason, for programs.
   * @param message What was being done, to what, what was found, and what to do about it.
   * @param options `cause`: the error this one explains.
   */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DhowError";
    this.code = code;
  }

  /** By name: a program may hold this class twice, once from the bundle and once from the sources. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "DhowError";
  }
}

/** Docker's answer for a container name or id nobody has. Docker clients match on this wording. */
export function noSuchContainer(name: string): DhowError {
  return new DhowError("not_found", `No such container: ${name}`);
}

/** Docker's answer for an image that is not in the store. Docker clients match on this wording. */
export function noSuchImage(reference: string): DhowError {
  return new DhowError("not_found", `No such image: ${reference}`);
}
