/**
 * The key sequence that leaves a container running and gives the terminal back.
 *
 * @module
 */

/** Docker's default. */
export const DEFAULT_DETACH_KEYS = "ctrl-p,ctrl-q";

/**
 * Parses `ctrl-p,ctrl-q` or `a,b` into bytes.
 *
 * @throws {Error} If a part is neither one character nor `ctrl-` and one of `a-z @ [ \ ] ^ _`.
 */
export function parseDetachKeys(text: string): Uint8Array {
  const bytes = text.split(",").map((key) => {
    const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key);
    if (control !== null) return control[1]!.toUpperCase().charCodeAt(0) - 64;
    // deno-lint-ignore no-control-regex
    if (/^[\x00-\x7f]$/.test(key)) return key.charCodeAt(0);
    throw new Error(`invalid detach keys (${text}): Unknown character: '${key}'`);
  });
  return Uint8Array.from(bytes);
}

/** Looks for the sequence in what is typed; a beginning of it is held back until it is decided. */
export class DetachKeyFilter {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** Takes typed bytes; returns those to pass on, and whether the sequence is complete. */
  push(typed: Uint8Array): { passed: Uint8Array; detached: boolean } {
    if (this.#keys.length === 0) return { passed: typed, detached: false };
    const passed: number[] = [];
    for (const byte of typed) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++;
        if (this.#matched === this.#keys.length) {
          return { passed: Uint8Array.from(passed), detached: true };
        }
        continue;
      }
      passed.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) passed.push(byte);
    }
    return { passed: Uint8Array.from(passed), detached: false };
  }
}
