/**
 * Words as the Dockerfile's shell reads them: quotes, escapes, `$NAME` and `${NAME...}` with its modifiers.
 *
 * @see https://docs.docker.com/reference/dockerfile/#environment-replacement
 * @module
 */
import { removePrefix, removeSuffix, replaceMatches } from "./shell_pattern.ts";
import { splitAtBlanks } from "./blanks.ts";

/** The value of a variable; undefined if there is none. */
export type Lookup = (name: string) => string | undefined;

/** What is done with what a word is made of. */
export interface ShellWordOptions {
  /** Character that escapes. @default "\\" */
  escape?: string;
  /** Leave quotes where they are. @default false */
  keepQuotes?: boolean;
  /** Leave escape characters where they are. @default false */
  keepEscapes?: boolean;
  /** Take quotes for characters as any other. @default false */
  ignoreQuotes?: boolean;
  /** Leave variables that have no value as they were written. @default false */
  keepUnset?: boolean;
}

/** What a text has become. */
export interface ShellWords {
  /** All of it. */
  text: string;
  /** Its words: blanks outside quotes part them, those from variables too. */
  words: string[];
}

/** As deep as `${a:-${b:-...}}` may go; nothing that is meant goes further. */
const MAX_DEPTH = 100;

/** What a text may become, in characters: variables made of variables grow without end otherwise. */
const MAX_LENGTH = 1 << 24;

/** What may follow `$` besides names. */
const SPECIAL = "@*#?-$!0";

/**
 * Expands `source`.
 *
 * @throws {Error} `failed to process "...": ...` where quotes or braces do not end, a modifier is unknown, or `${NAME:?}`
 *   finds no value.
 */
export function shellWords(
  source: string,
  lookup: Lookup,
  options: ShellWordOptions = {},
): ShellWords {
  try {
    return new Lexer(source, lookup, options).run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`failed to process ${JSON.stringify(source)}: ${message}`, { cause: error });
  }
}

/** Gathers words. */
class Words {
  readonly done: string[] = [];
  #word = "";

  /** Text in which blanks part words. */
  add(text: string): void {
    for (const [index, part] of splitAtBlanks(text).entries()) {
      if (index > 0) this.end();
      this.#word += part;
    }
  }

  /** Text in which they do not. */
  addWhole(text: string): void {
    this.#word += text;
  }

  end(): void {
    if (this.#word !== "") this.done.push(this.#word);
    this.#word = "";
  }
}

class Lexer {
  readonly #source: string;
  readonly #lookup: Lookup;
  readonly #escape: string;
  readonly #options: ShellWordOptions;
  #position = 0;
  #depth = 0;

  constructor(source: string, lookup: Lookup, options: ShellWordOptions) {
    this.#source = source;
    this.#lookup = lookup;
    this.#options = options;
    this.#escape = options.escape ?? "\\";
  }

  run(): ShellWords {
    return this.#upTo("", this.#options.keepEscapes ?? false);
  }

  /** The character that comes; empty at the end. */
  #peek(): string {
    return this.#source[this.#position] ?? "";
  }

  #next(): string {
    return this.#source[this.#position++] ?? "";
  }

  /** Up to `stop`, which is swallowed, or to the end if it is empty. */
  #upTo(stop: string, keepEscapes: boolean): ShellWords {
    if (++this.#depth > MAX_DEPTH) throw new Error("substitutions are nested too deeply");
    const words = new Words();
    let text = "";
    while (true) {
      if (text.length > MAX_LENGTH) throw new Error("the text becomes too long");
      const character = this.#peek();
      if (character === "" && stop === "") break;
      if (character === "") {
        throw new Error(`unexpected end of statement while looking for matching ${stop}`);
      }
      if (character === stop) {
        this.#position++;
        break;
      }
      const special = this.#special(character, keepEscapes);
      if (special !== undefined) {
        text += special;
        if (character === "$") words.add(special);
        else words.addWhole(special);
        continue;
      }
      this.#position++;
      if (character !== this.#escape) {
        text += character;
        words.add(character);
        continue;
      }
      const escaped = (keepEscapes ? character : "") + this.#next();
      text += escaped;
      words.addWhole(escaped);
    }
    words.end();
    this.#depth--;
    return { text, words: words.done };
  }

  #special(character: string, keepEscapes: boolean): string | undefined {
    if (character === "$") return this.#dollar();
    if (character === "<") return this.#heredocMark();
    if (this.#options.ignoreQuotes) return undefined;
    if (character === "'") return this.#singleQuoted();
    return character === '"' ? this.#doubleQuoted(keepEscapes) : undefined;
  }

  #singleQuoted(): string {
    const end = this.#source.indexOf("'", this.#position + 1);
    if (end < 0) {
      throw new Error("unexpected end of statement while looking for matching single-quote");
    }
    const quoted = this.#source.slice(this.#position, end + 1);
    this.#position = end + 1;
    return this.#options.keepQuotes ? quoted : quoted.slice(1, -1);
  }

  #doubleQuoted(keepEscapes: boolean): string {
    const quote = this.#options.keepQuotes ? '"' : "";
    this.#position++;
    let text = quote;
    while (true) {
      const character = this.#peek();
      if (character === "") {
        throw new Error("unexpected end of statement while looking for matching double-quote");
      }
      if (text.length > MAX_LENGTH) throw new Error("the text becomes too long");
      if (character === "$") {
        text += this.#dollar();
        continue;
      }
      this.#position++;
      if (character === '"') return text + quote;
      if (character !== this.#escape) {
        text += character;
        continue;
      }
      const escaped = this.#peek();
      const isSpecial = escaped === '"' || escaped === "$" || escaped === this.#escape;
      if (escaped !== "" && (keepEscapes || !isSpecial)) text += character;
      if (isSpecial && escaped !== "") text += this.#next();
    }
  }

  /** `<<` and the blanks behind it belong to the word that follows. */
  #heredocMark(): string {
    this.#position++;
    if (this.#peek() !== "<") return "<";
    this.#position++;
    const start = this.#position;
    while (/^[\t\r ]$/.test(this.#peek())) this.#position++;
    return "<<" + this.#source.slice(start, this.#position);
  }

  #dollar(): string {
    this.#position++;
    if (this.#peek() === "{") {
      this.#position++;
      return this.#braces();
    }
    const name = this.#name();
    if (name === "") return "$";
    return this.#lookup(name) ?? (this.#options.keepUnset ? `$${name}` : "");
  }

  #braces(): string {
    const first = this.#peek();
    if (first === "") throw new Error("syntax error: missing '}'");
    if (first === "{" || first === "}" || first === ":") {
      throw new Error("syntax error: bad substitution");
    }
    const name = this.#name();
    const value = this.#lookup(name);
    const isKept = value === undefined && this.#options.keepUnset;
    const modifier = this.#next();
    if (modifier === "}") return isKept ? `\${${name}}` : value ?? "";
    if (modifier === "/") {
      const { all, pattern, replacement } = this.#replacement();
      const slashes = all ? "//" : "/";
      if (isKept) return `\${${name}${slashes}${pattern}/${replacement}}`;
      return replaceMatches(value ?? "", pattern, { all, replacement });
    }
    if (modifier === "") throw new Error("syntax error: missing '}'");
    const colon = modifier === ":";
    const operator = colon ? this.#next() : modifier;
    const whole = colon ? `:${operator}` : operator;
    const cuts = operator === "#" || operator === "%";
    if (operator === "" || !"+-?#%".includes(operator) || (colon && cuts)) {
      throw new Error(`unsupported modifier (${whole}) in substitution`);
    }
    const word = this.#argument("}", cuts);
    if (isKept) return `\${${name}${whole}${word}}`;
    return cuts ? cut(value ?? "", operator, word) : choose({ name, value, colon, operator, word });
  }

  #replacement(): { all: boolean; pattern: string; replacement: string } {
    const all = this.#peek() === "/";
    if (all) this.#position++;
    const pattern = this.#argument("/", true);
    return { all, pattern, replacement: this.#argument("}", true) };
  }

  #argument(stop: string, keepEscapes: boolean): string {
    try {
      return this.#upTo(stop, keepEscapes).text;
    } catch (error) {
      if (this.#peek() !== "" || this.#depth > MAX_DEPTH) throw error;
      throw new Error(`syntax error: missing '${stop}'${stop === "/" ? " in ${}" : ""}`);
    }
  }

  /** Letters, digits, `_`; only digits; or one of the shell's own. Empty if none of these comes. */
  #name(): string {
    const rest = this.#source.slice(this.#position, this.#position + 1);
    const pattern = /\d/.test(rest) ? /\d+/y : SPECIAL.includes(rest) ? /./sy : /[\p{L}\p{Nd}_]+/uy;
    if (rest === "") return "";
    pattern.lastIndex = this.#position;
    const name = pattern.exec(this.#source)?.[0] ?? "";
    this.#position += name.length;
    return name;
  }
}

/** `${NAME-word}`, `${NAME:+word}`, `${NAME?word}`. */
function choose(
  { name, value, colon, operator, word }: {
    name: string;
    value: string | undefined;
    colon: boolean;
    operator: string;
    word: string;
  },
): string {
  const given = value === undefined || (colon && value === "") ? undefined : value;
  if (operator === "-") return given ?? word;
  if (operator === "+") return given === undefined ? "" : word;
  if (given !== undefined) return given;
  const state = value === undefined ? "unset" : "empty";
  throw new Error(`${name}: ${word === "" ? `is not allowed to be ${state}` : word}`);
}

/** `${NAME#word}`, `${NAME##word}`, `${NAME%word}`, `${NAME%%word}`. */
function cut(value: string, operator: string, word: string): string {
  const longest = word.startsWith(operator);
  const pattern = longest ? word.slice(1) : word;
  return operator === "#"
    ? removePrefix(value, pattern, { longest })
    : removeSuffix(value, pattern, { longest });
}
