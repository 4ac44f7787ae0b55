/**
 * Errors as they travel between threads and processes of dhow.
 *
 * @module
 */
import { DhowError, type ErrorCode } from "../errors.ts";

/** A `DhowError` as JSON. */
export interface WireError {
  code: string;
  message: string;
}

/** Takes an error apart; what dhow does not know is `internal`. */
export function toWire(error: unknown): WireError {
  const code = error instanceof DhowError ? error.code : "internal";
  return { code, message: error instanceof Error ? error.message : String(error) };
}

/** Puts it together again. */
export function fromWire(error: WireError): DhowError {
  return new DhowError(error.code as ErrorCode, error.message);
}
