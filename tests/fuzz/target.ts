/**
 * What can be fuzzed: something that reads what strangers wrote.
 *
 * @module
 */
import { DhowError } from "../../core/errors.ts";

/** Bytes as a fuzzer makes them. */
export type Input = Uint8Array<ArrayBuffer>;

/** One thing to fuzz. */
export interface FuzzTarget {
  /** Also the directory of its kept cases. */
  name: string;
  /** Well-formed inputs, to be spoiled. */
  seeds(): Input[];
  /** Words of its language. */
  dictionary: readonly string[];
  /** Inputs are no longer than this. @default 4096 */
  maxBytes?: number;
  /** How many inputs a test run makes. @default 300 */
  testInputs?: number;
  /**
   * Reads an input. Whatever it throws is a find: it has to swallow the errors that it is meant to give, and to throw
   * where something it knows to be true is not.
   */
  run(input: Input): void | Promise<void>;
}

/** Text of bytes that may be anything. */
export function textOf(input: Input): string {
  return new TextDecoder().decode(input);
}

/** Bytes of texts. */
export function inputsOf(...texts: string[]): Input[] {
  return texts.map((text) => new TextEncoder().encode(text));
}

/** Something that must be true was not. */
export function insist(condition: boolean, message: string): void {
  if (!condition) throw new Error(`not true: ${message}`);
}

/**
 * What a parser says, or undefined if it refuses. An error that it is not meant to give is passed on.
 *
 * @param isMeant Of errors that are no {@linkcode DhowError}. @default plain `Error`s, not what JavaScript throws itself
 */
export function attempt<T>(parse: () => T, isMeant = isPlain): T | undefined {
  try {
    return parse();
  } catch (error) {
    assertMeant(error, isMeant);
    return undefined;
  }
}

/** As {@linkcode attempt}, of what takes a while. */
export async function attemptAsync<T>(parse: () => Promise<T>): Promise<T | undefined> {
  try {
    return await parse();
  } catch (error) {
    assertMeant(error, () => false);
    return undefined;
  }
}

/** As {@linkcode attempt}, where only {@linkcode DhowError} is meant. */
export function attemptStrictly<T>(parse: () => T): T | undefined {
  return attempt(parse, () => false);
}

function assertMeant(error: unknown, isMeant: (error: unknown) => boolean): void {
  if (!(error instanceof DhowError) && !isMeant(error)) throw error;
}

function isPlain(error: unknown): boolean {
  return error instanceof Error && Object.getPrototypeOf(error) === Error.prototype;
}

/** A message about what strangers said must not write to a terminal what they like. */
export function insistPrintable(text: string): void {
  // deno-lint-ignore no-control-regex
  const hasControls = /[\0-\x08\x0b-\x1f\x7f]/.test(text);
  insist(!hasControls, `printable: ${JSON.stringify(text)}`);
}
