/**
 * Instructions as lines of a Dockerfile: what the image builder writes, the parser reads back the same.
 *
 * @module
 */
import { DhowError } from "../errors.ts";

/** A shell's command line, or one argument an entry. */
export type CommandWords = string | readonly string[];

/**
 * A value of `ENV`, `LABEL` or `ARG` as a word. `$NAME` in it stands for a variable, `\$` for a dollar sign; anything
 * else stands for itself.
 *
 * @throws {DhowError} `invalid_argument` if it has line feeds, which a Dockerfile cannot hold there.
 */
export function toWord(value: string): string {
  const plain = oneLine(value);
  if (/^[\w./:@%^+=,~$-]+$/.test(plain)) return plain;
  return `"${plain.replace(/\\(?!\$)|["`]/g, (mark) => mark === "`" ? mark : `\\${mark}`)}"`;
}

/** `NAME=value` pairs in the order they were given. */
export function toPairs(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs).map(([key, value]) => {
    if (key === "" || key.includes("=")) throw invalid(`invalid name ${JSON.stringify(key)}`);
    return `${toWord(key)}=${toWord(value)}`;
  }).join(" ");
}

/** Arguments as JSON, or a shell's line as it is. */
export function toCommand(words: CommandWords): string {
  if (typeof words !== "string") return JSON.stringify(words);
  const text = oneLine(words).trim();
  // What looks like JSON would be taken for that.
  return text.startsWith("[") ? ` ${JSON.stringify(["/bin/sh", "-c", text])}`.trimStart() : text;
}

/** `RUN`'s command: one line where that is possible, else text of its own. */
export function toRun(words: CommandWords): string {
  if (typeof words !== "string") return JSON.stringify(words);
  const text = dedent(words);
  if (text === "") throw invalid("RUN needs a command");
  const isPlain = !/\n|<<|\\$|\r/.test(text) && !/^(\[|--|#)/.test(text);
  return isPlain ? text : heredoc(text);
}

/** `<<EOF`, the text and `EOF`, or another word that is no line of the text. */
export function heredoc(text: string, rest = ""): string {
  const lines = text.replace(/\n$/, "").split("\n");
  let word = "EOF";
  for (let i = 1; lines.includes(word); i++) word = `EOF${i}`;
  const mark = rest === "" ? word : `'${word}'`;
  return [`<<${mark}${rest === "" ? "" : ` ${rest}`}`, ...lines, word].join("\n");
}

/** Paths as words, or as JSON where one of them has blanks. */
export function toPaths(paths: readonly string[]): string {
  for (const path of paths) if (oneLine(path) === "") throw invalid("invalid path: it is empty");
  const isPlain = paths.every((path) => !/[\s"'\\[\]]|^<</.test(path)) &&
    !paths[0]!.startsWith("--");
  return isPlain ? paths.join(" ") : JSON.stringify(paths);
}

/** ` --name=value` for each option that is given; a list more than once, `true` without a value. */
export function toFlags(
  flags: Readonly<Record<string, string | boolean | readonly string[] | undefined>>,
): string {
  let text = "";
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined || value === false) continue;
    for (const one of typeof value === "object" ? value : [value]) {
      if (one === true) text += ` --${name}`;
      else if (/\s/.test(String(one))) throw invalid(`--${name} cannot hold blanks: ${one}`);
      else text += ` --${name}=${one}`;
    }
  }
  return text;
}

/** @throws {DhowError} `invalid_argument` if `text` has line feeds. */
export function oneLine(text: string): string {
  if (!/[\n\r]/.test(text)) return text;
  throw invalid(`a Dockerfile cannot hold a line feed in ${JSON.stringify(text)}`);
}

/** An error in what a script asks for. */
export function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", `Cannot describe the image: ${message}`);
}

/** Without the blanks that all lines begin with, and without blank lines at both ends. */
function dedent(text: string): string {
  const lines = text.replace(/^\s*\n/, "").trimEnd().split("\n");
  const filled = lines.filter((line) => line.trim() !== "");
  const indent = Math.min(...filled.map((line) => line.length - line.trimStart().length));
  return lines.map((line) => line.slice(Math.min(indent, line.length))).join("\n");
}
