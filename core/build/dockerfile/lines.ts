/**
 * A Dockerfile's lines: parser directives, comments, continuations; one instruction at a time.
 *
 * @module
 */
import type { Directives, SourceRange } from "./ast.ts";
import { trim, trimEnd, trimStart } from "./blanks.ts";

/** An instruction's text, continuations joined. */
export interface LogicalLine {
  text: string;
  range: SourceRange;
  /** Comments right above it, without `#`. */
  comments: string[];
  /** Whether an empty line stood where it should have gone on. */
  hasEmptyContinuation: boolean;
}

/** Something is wrong with a line. */
export class LineError extends Error {
  constructor(message: string, readonly range: SourceRange) {
    super(message);
  }
}

const DIRECTIVE = /^([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S.*)$/;
const DIRECTIVES = ["syntax", "escape", "check"];

/** Reads logical lines from physical ones, from the top down. */
export class LineReader {
  /** What the comments at the top say. */
  readonly directives: Directives;
  readonly #lines: readonly string[];
  /** Index of the line that comes. */
  #index = 0;

  /**
   * @param lines With their carriage returns.
   * @param escape For text that has no directives of its own, such as that of `ONBUILD`.
   * @throws {LineError} If a directive is given twice, or `escape` is no character that escapes.
   */
  constructor(lines: readonly string[], escape?: Directives["escape"]) {
    this.#lines = lines;
    this.directives = escape === undefined ? this.#readDirectives() : { escape };
  }

  /** How many lines were read. */
  get line(): number {
    return this.#index;
  }

  /** The next instruction; undefined at the end. */
  next(): LogicalLine | undefined {
    let comments: string[] = [];
    while (this.#index < this.#lines.length) {
      const start = this.#index + 1;
      const line = trimStart(withoutLineEnd(this.#lines[this.#index++]!));
      if (line.startsWith("#")) {
        const comment = trim(line.slice(1));
        if (comment === "") comments = [];
        else comments.push(comment);
        continue;
      }
      const { text, goesOn } = this.#splitContinuation(line);
      if (!goesOn && text === "") continue;
      const { parts, hasEmptyContinuation } = goesOn ? this.#continuation() : NO_MORE;
      return {
        text: text + parts.join(""),
        range: { start, end: this.#index },
        comments,
        hasEmptyContinuation,
      };
    }
    return undefined;
  }

  /** Text up to a line that says `name`, which is swallowed; undefined if there is none. */
  readHeredoc(name: string, stripsTabs: boolean): string | undefined {
    const start = this.#index;
    while (this.#index < this.#lines.length) {
      const line = this.#lines[this.#index++]!;
      const terminator = withoutLineEnd(line);
      if ((stripsTabs ? terminator.replace(/^\t+/, "") : terminator) !== name) continue;
      return this.#lines.slice(start, this.#index - 1).map((text) => `${text}\n`).join("");
    }
    return undefined;
  }

  #continuation(): { parts: string[]; hasEmptyContinuation: boolean } {
    const parts: string[] = [];
    let hasEmptyContinuation = false;
    while (this.#index < this.#lines.length) {
      // A last line feed ends the last line; no empty line follows it.
      if (this.#index === this.#lines.length - 1 && this.#lines[this.#index] === "") break;
      const line = withoutLineEnd(this.#lines[this.#index++]!);
      const bare = trimStart(line);
      if (bare.startsWith("#")) continue;
      if (bare === "") {
        hasEmptyContinuation = true;
        continue;
      }
      const { text, goesOn } = this.#splitContinuation(line);
      parts.push(text);
      if (!goesOn) break;
    }
    return { parts, hasEmptyContinuation };
  }

  /** A line goes on if it ends in the escape character, unless that is escaped. Blanks behind it do not count. */
  #splitContinuation(line: string): { text: string; goesOn: boolean } {
    const { escape } = this.directives;
    const bare = trimEnd(line, (character) => character === " " || character === "\t");
    if (!bare.endsWith(escape) || bare.at(-2) === escape) return { text: line, goesOn: false };
    return { text: bare.slice(0, -1), goesOn: true };
  }

  #readDirectives(): Directives {
    const directives: Directives = { escape: "\\" };
    const seen = new Set<string>();
    const first = this.#lines[0]?.startsWith("#!") ? 1 : 0;
    for (let index = first; index < this.#lines.length; index++) {
      const line = trimStart(withoutLineEnd(this.#lines[index]!));
      const match = line.startsWith("#") ? DIRECTIVE.exec(trim(line.slice(1))) : null;
      const name = match?.[1]?.toLowerCase();
      if (name === undefined || !DIRECTIVES.includes(name)) break;
      const range = { start: index + 1, end: index + 1 };
      if (seen.has(name)) {
        throw new LineError(`only one ${name} parser directive can be used`, range);
      }
      seen.add(name);
      const value = match![2]!;
      if (name === "syntax") directives.syntax = value.split(" ")[0]!;
      else if (name === "check") directives.check = value.split(" ")[0]!;
      else if (value === "\\" || value === "`") directives.escape = value;
      else {
        throw new LineError(`invalid escape token '${value}' does not match \` or \\`, range);
      }
      this.#index = index + 1;
    }
    return directives;
  }
}

const NO_MORE = { parts: [], hasEmptyContinuation: false };

function withoutLineEnd(line: string): string {
  return trimEnd(line, (character) => character === "\r");
}
