/**
 * What can be fuzzed: something that reads what strangers wrote.
 *
 * @module
 */

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
