/**
 * The shell's patterns in `${NAME#pattern}` and its like: `*`, `?`, and `\` before either.
 *
 * Patterns come from strangers. They are matched by going over the value once with all places in the pattern at hand, so
 * that none takes more than value times pattern steps; and neither is let grow without end.
 *
 * @module
 */

/** Longest pattern, in characters. */
const MAX_PATTERN = 1024;

/** What a value may become by replacing, in characters. */
const MAX_RESULT = 1 << 24;

/** Longest value; no environment can hold a longer one. */
const MAX_VALUE = 1 << 17;

/** One character, any character, any number of them. None crosses a line feed unless it is one. */
type Token = { kind: "character"; character: string } | { kind: "any" } | { kind: "star" };

/** `${NAME#pattern}`; with `longest`, `${NAME##pattern}`. */
export function removePrefix(
  value: string,
  pattern: string,
  options: { longest: boolean },
): string {
  const characters = split(value);
  const end = matchedFrom(characters, parsePattern(pattern), options.longest);
  return end === undefined ? value : characters.slice(end).join("");
}

/** `${NAME%pattern}`; with `longest`, `${NAME%%pattern}`. */
export function removeSuffix(
  value: string,
  pattern: string,
  options: { longest: boolean },
): string {
  const characters = split(value).reverse();
  const end = matchedFrom(characters, parsePattern(pattern).reverse(), options.longest);
  return end === undefined ? value : characters.slice(end).reverse().join("");
}

/** `${NAME/pattern/replacement}`; with `all`, `${NAME//pattern/replacement}`. */
export function replaceMatches(
  value: string,
  pattern: string,
  options: { all: boolean; replacement: string },
): string {
  const tokens = parsePattern(pattern);
  const replacement = options.replacement.replace(/\\([/}])/g, "$1");
  const characters = split(value);
  let result = "";
  let position = 0;
  let last = -1;
  while (position <= characters.length) {
    if (result.length > MAX_RESULT) throw new Error("the text becomes too long");
    const match = search(characters, tokens, position);
    if (match === undefined) break;
    const [start, end] = match;
    result += characters.slice(position, start).join("");
    // As Go: nothing right behind a match is not a match.
    if (end > start || start !== last) result += replacement;
    last = end;
    position = end;
    if (end === start) result += characters[position++] ?? "";
    if (!options.all) break;
  }
  return result + characters.slice(position).join("");
}

/** @throws {Error} If it is too long. */
function split(value: string): string[] {
  if (value.length > MAX_VALUE) throw new Error("the value is too long for a pattern");
  return [...value];
}

/** @throws {Error} For a pattern that is too long, and `\` before anything but `*`, `?`, `\`, `}` and `/`. */
function parsePattern(pattern: string): Token[] {
  if (pattern.length > MAX_PATTERN) throw new Error("the pattern in substitution is too long");
  const characters = [...pattern];
  const tokens: Token[] = [];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i]!;
    if (character === "*") tokens.push({ kind: "star" });
    else if (character === "?") tokens.push({ kind: "any" });
    else if (character !== "\\") tokens.push({ kind: "character", character });
    else {
      const escaped = characters[++i] ?? "";
      if (escaped === "" || !"*?\\}/".includes(escaped)) {
        const fault = `invalid escape '\\${escaped}'`;
        throw new Error(`invalid pattern (${pattern}) in substitution: ${fault}`);
      }
      tokens.push({ kind: "character", character: escaped });
    }
  }
  return tokens;
}

/** Where a match that begins with the first character ends; the shortest or the longest. */
function matchedFrom(
  characters: readonly string[],
  tokens: readonly Token[],
  longest: boolean,
): number | undefined {
  const run = new Run(tokens);
  run.begin(0);
  let end = run.matched === undefined ? undefined : 0;
  for (let i = 0; i < characters.length; i++) {
    if (end !== undefined && !longest) return end;
    if (!run.step(characters[i]!)) break;
    if (run.matched !== undefined) end = i + 1;
  }
  return end;
}

/** The first match from `from` on, as long as it gets. */
function search(
  characters: readonly string[],
  tokens: readonly Token[],
  from: number,
): [start: number, end: number] | undefined {
  const run = new Run(tokens);
  let found: [number, number] | undefined;
  for (let i = from; i <= characters.length; i++) {
    if (found === undefined) run.begin(i);
    const start = run.matched;
    if (start !== undefined && (found === undefined || start <= found[0])) found = [start, i];
    if (i === characters.length || (!run.step(characters[i]!) && found !== undefined)) break;
    if (found !== undefined) run.dropAfter(found[0]);
  }
  return found;
}

/** All places in the pattern at which the text read so far may be, each with where its match began. */
class Run {
  readonly #tokens: readonly Token[];
  /** By place: the earliest beginning, or -1. The last is the pattern's end. */
  #places: Int32Array;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
    this.#places = new Int32Array(tokens.length + 1).fill(-1);
  }

  /** Where the match that ends here began, if one does. */
  get matched(): number | undefined {
    const start = this.#places[this.#tokens.length]!;
    return start < 0 ? undefined : start;
  }

  /** A match may begin here. */
  begin(position: number): void {
    this.#reach(this.#places, 0, position);
  }

  /** Goes on over a character. @returns Whether any place is left. */
  step(character: string): boolean {
    const next = new Int32Array(this.#places.length).fill(-1);
    let isAlive = false;
    for (let place = 0; place < this.#tokens.length; place++) {
      const start = this.#places[place]!;
      if (start < 0) continue;
      const token = this.#tokens[place]!;
      if (token.kind === "character" ? token.character !== character : character === "\n") continue;
      this.#reach(next, token.kind === "star" ? place : place + 1, start);
      isAlive = true;
    }
    this.#places = next;
    return isAlive;
  }

  /** Forgets what began later than `position`. */
  dropAfter(position: number): void {
    for (let place = 0; place < this.#places.length; place++) {
      if (this.#places[place]! > position) this.#places[place] = -1;
    }
  }

  /** A star may stand for nothing. */
  #reach(places: Int32Array, place: number, start: number): void {
    while (places[place]! < 0 || places[place]! > start) {
      places[place] = start;
      if (this.#tokens[place]?.kind !== "star") return;
      place++;
    }
  }
}
