/**
 * Reads Dockerfiles.
 *
 * @see https://docs.docker.com/reference/dockerfile/
 * @module
 */
import { didYouMean } from "../../lib/suggest.ts";
import type {
  ArgInstruction,
  BuildWarning,
  Directives,
  Dockerfile,
  Heredoc,
  Instruction,
  SourceRange,
  Stage,
} from "./ast.ts";
import { DockerfileError, FormError } from "./error.ts";
import { findHeredocMarks, type HeredocMark, stripTabs } from "./heredoc.ts";
import { KEYWORDS, type RawInstruction, readFrom, readInstruction } from "./instructions.ts";
import { LineError, LineReader, type LogicalLine } from "./lines.ts";
import { RULES } from "./rules.ts";
import { parseJsonWords, splitInstruction } from "./words.ts";

/** What a Dockerfile says, and what is not as it should be in it. */
export interface ParsedDockerfile {
  dockerfile: Dockerfile;
  /** Empty lines in the middle of instructions. */
  warnings: BuildWarning[];
}

/**
 * Parses a whole Dockerfile.
 *
 * @param name What it is called in messages.
 * @throws {DockerfileError} For the first thing that is wrong.
 */
export function parseDockerfile(text: string, name = "Dockerfile"): ParsedDockerfile {
  const lines = splitLines(text);
  const source = { name, lines };
  if (text === "") throw new DockerfileError("the Dockerfile cannot be empty");
  try {
    return parseLines(lines, name);
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    throw new DockerfileError(error.message, { source, range: error.range }, { cause: error });
  }
}

/**
 * Parses a single instruction, heredocs included: that of `ONBUILD`, or of `--change`.
 *
 * @param options `range`: where it came from, for messages.
 * @throws {DockerfileError} If it is wrong, none, several, or `FROM`.
 */
export function parseInstruction(
  text: string,
  directives: Directives = { escape: "\\" },
  options: { range?: SourceRange } = {},
): Instruction {
  const lines = splitLines(text);
  try {
    const reader = new LineReader(lines, directives.escape);
    const raw = readRaw(reader);
    if (raw === undefined) throw new LineError("file with no instructions", { start: 1, end: 1 });
    const instruction = at(raw, () => interpret(raw));
    if (instruction === undefined || readRaw(reader) !== undefined) {
      throw new LineError("expected a single instruction, which is not FROM", raw.place.range);
    }
    return options.range === undefined ? instruction : { ...instruction, range: options.range };
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    const place = { source: { name: "instruction", lines }, range: error.range };
    throw new DockerfileError(error.message, place, { cause: error });
  }
}

function splitLines(text: string): string[] {
  return text.replace(/^\ufeff/, "").split("\n");
}

function parseLines(lines: readonly string[], name: string): ParsedDockerfile {
  const reader = new LineReader(lines);
  const warnings: BuildWarning[] = [];
  const globalArgs: ArgInstruction[] = [];
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  let hasAny = false;
  for (let raw = readRaw(reader, warnings); raw; raw = readRaw(reader, warnings)) {
    hasAny = true;
    const { range, original, comments } = raw.place;
    const instruction = at(raw, () => interpret(raw!));
    const stage = stages.at(-1);
    if (instruction === undefined) {
      const index = stages.length;
      const from = at(raw, () => readFrom(raw!));
      stages.push({ index, ...from, range, original, comments, instructions: [] });
    } else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === "arg") globalArgs.push(instruction);
    else throw new LineError("no build stage in current context", range);
  }
  if (!hasAny) {
    const line = Math.max(1, reader.line - (lines.at(-1) === "" ? 1 : 0));
    throw new LineError("file with no instructions", { start: line, end: line });
  }
  if (stages.length === 0) throw new DockerfileError("dockerfile contains no stages to build");
  const plain = lines.map((line) => line.replace(/\r$/, ""));
  return {
    dockerfile: { name, lines: plain, directives: reader.directives, globalArgs, stages },
    warnings,
  };
}

/** Undefined for `FROM`. */
function interpret(raw: RawInstruction): Instruction | undefined {
  if (raw.keyword === "from") {
    readFrom(raw);
    return undefined;
  }
  const instruction = readInstruction(raw);
  if (instruction !== undefined) return instruction;
  const keyword = splitInstruction(raw.place.original, raw.escape).keyword;
  const hint = didYouMean(keyword, KEYWORDS, { ignoreCase: true });
  throw new Error(`unknown instruction: ${keyword}${hint}`);
}

/** The next instruction with its heredocs. */
function readRaw(reader: LineReader, warnings: BuildWarning[] = []): RawInstruction | undefined {
  const line = reader.next();
  if (line === undefined) return undefined;
  const { escape } = reader.directives;
  if (line.hasEmptyContinuation) {
    const { end } = line.range;
    warnings.push(RULES.NoEmptyContinuation.warning({ start: end, end }));
  }
  const { keyword, flags, rest } = splitInstruction(line.text, escape);
  const raw = { keyword: keyword.toLowerCase(), flags, rest, escape };
  const heredocs = mayHaveHeredocs(raw) ? readHeredocs(reader, line) : [];
  const { comments } = line;
  const range = { start: line.range.start, end: reader.line };
  return { ...raw, heredocs, place: { range, original: line.text.trim(), comments } };
}

function mayHaveHeredocs(raw: Omit<RawInstruction, "heredocs" | "place">): boolean {
  if (!raw.rest.includes("<<")) return false;
  const { keyword, rest } = raw.keyword === "onbuild"
    ? splitInstruction(raw.rest, raw.escape)
    : raw;
  if (!["run", "copy", "add"].includes(keyword.toLowerCase())) return false;
  try {
    return parseJsonWords(rest) === undefined;
  } catch {
    // The instruction's own parser says so again.
    return false;
  }
}

function readHeredocs(reader: LineReader, line: LogicalLine): Heredoc[] {
  const { range } = line;
  return findMarks(line).map(({ name, expand, stripsTabs }) => {
    const content = reader.readHeredoc(name, stripsTabs);
    if (content === undefined) {
      const end = Math.max(range.end, reader.line);
      throw new LineError("unterminated heredoc", { start: range.start, end });
    }
    return { name, content: stripsTabs ? stripTabs(content) : content, expand };
  });
}

function findMarks(line: LogicalLine): HeredocMark[] {
  try {
    return findHeredocMarks(line.text);
  } catch (error) {
    throw new LineError((error as Error).message, line.range);
  }
}

/** Says where it went wrong. */
function at<T>(raw: RawInstruction, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof LineError) throw error;
    const { range } = raw.place;
    if (error instanceof FormError) throw new LineError(error.message, range);
    throw new LineError(`dockerfile parse error on line ${range.start}: ${error.message}`, range);
  }
}
