/**
 * How an instruction's text falls into keyword, flags and arguments.
 *
 * @module
 */
import { FormError } from "./error.ts";
import { isBlank, splitBlanks, trim, trimStart } from "./blanks.ts";

/** An instruction in three. */
export interface SplitInstruction {
  /** As it was written: `RUN`, `run`. */
  keyword: string;
  /** `--name=value`, quotes taken away. */
  flags: string[];
  /** The rest. */
  rest: string;
}

/** Takes the keyword and the flags off an instruction. */
export function splitInstruction(text: string, escape: string): SplitInstruction {
  const bare = trim(text);
  const [keyword] = splitBlanks(bare) as [string];
  const behind = bare.slice(keyword.length);
  const { flags, end } = takeFlags(behind, escape);
  return { keyword, flags, rest: trim(behind.slice(end)) };
}

/** Words that begin with `--`, up to the first that does not, or `--`. */
function takeFlags(text: string, escape: string): { flags: string[]; end: number } {
  const flags: string[] = [];
  let position = 0;
  while (true) {
    while (position < text.length && isBlank(text[position]!)) position++;
    if (!text.startsWith("--", position)) return { flags, end: position };
    const { word, end } = takeWord(text, position, escape);
    position = end;
    if (word === "--") return { flags, end };
    flags.push(word);
  }
}

/** One word, its quotes and escapes taken away. */
function takeWord(text: string, from: number, escape: string): { word: string; end: number } {
  let word = "";
  let quote = "";
  let position = from;
  for (; position < text.length; position++) {
    const character = text[position]!;
    if (quote === "" && isBlank(character)) break;
    if (character === quote) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (character === escape) word += text[++position] ?? "";
    else word += character;
  }
  return { word, end: Math.min(position, text.length) };
}

/** Words between blanks; those in quotes do not count. Quotes and escapes stay. */
export function splitQuoted(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let position = 0; position < text.length; position++) {
    const character = text[position]!;
    if (quote === "" && isBlank(character)) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    if (character === escape && quote !== "'") {
      // One at the end escapes nothing and goes.
      if (position + 1 < text.length) word += character + text[++position]!;
      continue;
    }
    if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (character === quote) quote = "";
    word += character;
  }
  if (word !== "") words.push(word);
  return words;
}

/**
 * The strings of a JSON array.
 *
 * @returns Undefined if it is none: then the text is in shell form.
 * @throws {FormError} If it is one of other things.
 */
export function parseJsonWords(text: string): string[] | undefined {
  const bare = trimStart(text);
  if (!bare.startsWith("[")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(bare);
  } catch {
    return undefined;
  }
  if (!(value as unknown[]).every((entry) => typeof entry === "string")) {
    throw new FormError("when using JSON array syntax, arrays must be comprised of strings only");
  }
  return value as string[];
}

/** Paths: a JSON array, or words between blanks. */
export function parseWordList(text: string): string[] {
  return parseJsonWords(text) ?? (text === "" ? [] : splitBlanks(text));
}
