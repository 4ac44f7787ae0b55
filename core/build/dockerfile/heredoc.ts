/**
 * Heredocs: text in the Dockerfile itself, between `<<NAME` and a line that says NAME.
 *
 * @see https://docs.docker.com/reference/dockerfile/#here-documents
 * @module
 */
import type { Heredoc } from "./ast.ts";
import { shellWords } from "./shell_word.ts";

/** `<<NAME` as a word of an instruction. */
export interface HeredocMark {
  name: string;
  /** Whether variables in the text are expanded: not if the name was quoted. */
  expand: boolean;
  /** `<<-`: tabs at the start of lines go. */
  stripsTabs: boolean;
}

/** No variable has a value here. */
const nothing = () => undefined;

/**
 * Reads `<<NAME`, `<<-NAME`, `<<"NAME"`, `3<<NAME`.
 *
 * @returns Undefined if `word` is something else.
 * @throws {Error} Where quotes do not end.
 */
function parseHeredocMark(word: string): HeredocMark | undefined {
  const match = /^\d*<<(-?)\s*([^<]+)$/.exec(word);
  if (match === null) return undefined;
  const [, dash, rest] = match as unknown as [string, string, string];
  const { words } = shellWords(rest, nothing, { keepUnset: true });
  if (words.length !== 1) return undefined;
  const quoted = shellWords(rest, nothing, { keepUnset: true, keepQuotes: true }).words.join("");
  const name = words[0]!;
  return { name, expand: countQuotes(name) === countQuotes(quoted), stripsTabs: dash === "-" };
}

/** Whether `word` stands for a heredoc. */
export function isHeredocMark(word: string): boolean {
  try {
    return parseHeredocMark(word) !== undefined;
  } catch {
    return false;
  }
}

/**
 * The heredocs that an instruction's line asks for, in order. None if the line is not well-formed shell.
 *
 * @throws {Error} If quotes around a name do not end.
 */
export function findHeredocMarks(line: string): HeredocMark[] {
  let words: string[];
  try {
    words = shellWords(line, nothing, { keepUnset: true, keepQuotes: true, keepEscapes: true })
      .words;
  } catch {
    return [];
  }
  return words.map(parseHeredocMark).filter((mark) => mark !== undefined);
}

/** Text without the tabs that its lines begin with. */
export function stripTabs(text: string): string {
  return text.replace(/^\t+/gm, "");
}

/**
 * What a shell is to run for `RUN` in shell form: `text`, with its heredocs in place.
 *
 * If the command is nothing but a heredoc, the heredoc's text is the command; it is a program of its own (`isScript`)
 * if it begins with `#!`. Otherwise the heredocs follow the command and are the shell's to read.
 */
export function runText(
  text: string,
  heredocs: readonly Heredoc[],
): { text: string; isScript: boolean } {
  const first = heredocs[0];
  if (first === undefined) return { text, isScript: false };
  if (isHeredocMark(text)) return { text: first.content, isScript: first.content.startsWith("#!") };
  const bodies = heredocs.map(({ name, content }) => `\n${content}${name}`);
  return { text: text + bodies.join(""), isScript: false };
}

function countQuotes(text: string): number {
  return text.split(/['"]/).length;
}
