/**
 * Patterns for paths: `*`, `?`, `[a-z]`, `\` and, where it is asked for, `**`.
 *
 * Patterns come from strangers. A path is gone over once with all places in the pattern at hand, so that none takes more
 * than path times pattern steps.
 *
 * @module
 */
import { DhowError } from "../errors.ts";

/** Characters from the first to the second, both included. */
type CharacterRange = readonly [first: string, last: string];

type Token =
  | { kind: "character"; character: string }
  /** `?`: any but `/`. */
  | { kind: "any" }
  | { kind: "class"; isNegated: boolean; ranges: readonly CharacterRange[] }
  /** `*`: any number of characters but `/`. */
  | { kind: "star" }
  /** `**`: nothing, or directories with the `/` behind them. */
  | { kind: "directories" }
  /** `**` at the end: anything. */
  | { kind: "rest" };

/** A pattern, ready to be held against paths. */
export class PathPattern {
  readonly #tokens: readonly Token[];
  /** By place in the pattern: whether a match may go on there. Two, since one is made of the other. */
  readonly #buffers: [Uint8Array, Uint8Array];
  /** If all of it is plain characters: these. */
  readonly #literal: string | undefined;
  /** If it is `**` and plain characters: these. */
  readonly #anywhere: string | undefined;

  /**
   * @param options `doubleStar`: whether `**` stands for directories.
   * @throws {DhowError} `invalid_argument`: `syntax error in pattern`, as Go.
   */
  constructor(pattern: string, options: { doubleStar?: boolean } = {}) {
    const tokens = parseTokens(pattern, options.doubleStar ?? false);
    if (tokens === undefined) {
      throw new DhowError(
        "invalid_argument",
        `${JSON.stringify(pattern)}: syntax error in pattern`,
      );
    }
    this.#tokens = tokens;
    this.#buffers = [new Uint8Array(tokens.length + 1), new Uint8Array(tokens.length + 1)];
    this.#literal = literalOf(tokens);
    this.#anywhere = tokens[0]?.kind === "directories" ? literalOf(tokens.slice(1)) : undefined;
  }

  /** Whether all of `path` fits. */
  matches(path: string): boolean {
    if (this.#literal !== undefined) return path === this.#literal;
    if (this.#anywhere !== undefined) return `/${path}`.endsWith(`/${this.#anywhere}`);
    return this.#run(path)?.[this.#tokens.length] === 1;
  }

  /** Whether all of `path`, or of a directory above it, fits. */
  matchesOrAbove(path: string): boolean {
    const literal = this.#literal;
    if (literal !== undefined) return path === literal || path.startsWith(`${literal}/`);
    if (this.#anywhere !== undefined) return `/${path}/`.includes(`/${this.#anywhere}/`);
    const end = this.#tokens.length;
    let isAbove = false;
    const places = this.#run(path, (places) => isAbove ||= places[end] === 1);
    return isAbove || places?.[end] === 1;
  }

  /** Whether a path that begins with `start` may fit. */
  mayMatchBelow(start: string): boolean {
    if (this.#literal !== undefined) return this.#literal.startsWith(start);
    return this.#run(start) !== undefined;
  }

  /**
   * The places in the pattern at which `text` may end; undefined if there are none.
   *
   * @param atSlash Is told those before each slash.
   */
  #run(text: string, atSlash?: (places: Uint8Array) => void): Uint8Array | undefined {
    const first = this.#tokens[0];
    if (first?.kind === "character" && text !== "" && !text.startsWith(first.character)) {
      return undefined;
    }
    let [places, next] = this.#buffers;
    places.fill(0);
    next.fill(0);
    this.#reach(places, 0);
    for (const character of text) {
      if (character === "/") atSlash?.(places);
      if (!this.#step(places, next, character)) return undefined;
      [places, next] = [next, places];
      next.fill(0);
    }
    return places;
  }

  #step(places: Uint8Array, next: Uint8Array, character: string): boolean {
    let isAlive = false;
    for (let place = 0; place < this.#tokens.length; place++) {
      if (places[place] === 0) continue;
      const token = this.#tokens[place]!;
      if (!accepts(token, character)) continue;
      isAlive = true;
      if (token.kind === "star" || token.kind === "rest") this.#reach(next, place);
      else if (token.kind !== "directories") this.#reach(next, place + 1);
      else {
        // Once begun, it ends with a slash.
        next[place] = 1;
        if (character === "/") this.#reach(next, place + 1);
      }
    }
    return isAlive;
  }

  /** Some tokens may stand for nothing. */
  #reach(places: Uint8Array, from: number): void {
    for (let place = from;; place++) {
      places[place] = 1;
      const kind = this.#tokens[place]?.kind;
      if (kind !== "star" && kind !== "directories" && kind !== "rest") return;
    }
  }
}

/** Undefined if there are others among them than plain characters. */
function literalOf(tokens: readonly Token[]): string | undefined {
  let text = "";
  for (const token of tokens) {
    if (token.kind !== "character") return undefined;
    text += token.character;
  }
  return text;
}

function accepts(token: Token, character: string): boolean {
  switch (token.kind) {
    case "character":
      return character === token.character;
    case "any":
    case "star":
      return character !== "/";
    case "class":
      return character !== "/" && token.isNegated !==
          token.ranges.some(([first, last]) => first <= character && character <= last);
    case "directories":
    case "rest":
      return true;
  }
}

/** Undefined if the pattern is malformed. */
function parseTokens(pattern: string, doubleStar: boolean): Token[] | undefined {
  const characters = [...pattern];
  const tokens: Token[] = [];
  let position = 0;
  while (position < characters.length) {
    const character = characters[position++]!;
    if (character === "[") {
      const end = parseClass(characters, position, tokens);
      if (end === undefined) return undefined;
      position = end;
    } else if (character === "?") tokens.push({ kind: "any" });
    else if (character === "\\") {
      if (position === characters.length) return undefined;
      tokens.push({ kind: "character", character: characters[position++]! });
    } else if (character !== "*") tokens.push({ kind: "character", character });
    else if (!doubleStar || characters[position] !== "*") tokens.push({ kind: "star" });
    else position = parseDoubleStar(characters, position + 1, tokens);
  }
  return tokens;
}

/** @returns Where it goes on. */
function parseDoubleStar(characters: readonly string[], from: number, tokens: Token[]): number {
  const hasSlash = characters[from] === "/";
  const end = hasSlash ? from + 1 : from;
  // `**name` is what ends in `name`, in a directory or not; once there is more to it, it is not.
  const isSuffix = from === 2 && !hasSlash &&
    !characters.slice(end).some((c) => "*?[]\\".includes(c));
  const kind = end === characters.length || isSuffix ? "rest" : "directories";
  // Several in a row are one.
  if (tokens.at(-1)?.kind !== kind) tokens.push({ kind });
  return end;
}

/** @returns Where it goes on; undefined if the class is malformed. */
function parseClass(
  characters: readonly string[],
  from: number,
  tokens: Token[],
): number | undefined {
  let position = from;
  const isNegated = characters[position] === "^";
  if (isNegated) position++;
  const ranges: CharacterRange[] = [];
  while (characters[position] !== "]" || ranges.length === 0) {
    const first = one();
    if (first === undefined) return undefined;
    if (characters[position] !== "-") ranges.push([first, first]);
    else {
      position++;
      const last = one();
      if (last === undefined) return undefined;
      ranges.push([first, last]);
    }
  }
  tokens.push({ kind: "class", isNegated, ranges });
  return position + 1;

  function one(): string | undefined {
    const character = characters[position++];
    if (character === undefined || character === "-" || character === "]") return undefined;
    const plain = character === "\\" ? characters[position++] : character;
    // A class that does not end is wrong, whatever it holds.
    return position < characters.length ? plain : undefined;
  }
}
