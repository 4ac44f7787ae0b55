/**
 * What has happened in a build so far, step by step: the displays' memory.
 *
 * @module
 */
import type { BuildWarning } from "../../../core/build/dockerfile/ast.ts";
import type { BuildEvent } from "../../../core/build/request.ts";

/** Lines of output that are kept of each step: what a failure shows. */
const LINES_MAX = 200;
/** A line of output is cut after so many characters: progress bars that never end a line. */
const LINE_MAX = 1 << 16;

/** A line of output. */
export interface LogLine {
  /** Since the step began. */
  seconds: number;
  /** Without line feed; escape sequences and all. */
  text: string;
}

/** A part of a step. */
export interface StepPart {
  name: string;
  startMs: number;
  endMs?: number;
  currentBytes?: number;
  totalBytes?: number;
}

/** One step. */
export interface Step {
  id: string;
  /** In the order of their beginning, from 1. */
  number: number;
  name: string;
  startMs: number;
  endMs?: number;
  outcome?: "done" | "cached" | "failed" | "canceled";
  error?: string;
  parts: Map<string, StepPart>;
  /** The last ones, each whole. */
  lines: LogLine[];
  /** The line that has not ended yet. */
  partial: string;
  warnings: BuildWarning[];
}

/** Every step so far. */
export class StepLog {
  /** By id, in the order of their beginning. */
  readonly steps: Map<string, Step> = new Map();
  /** All warnings, each once. */
  readonly warnings: BuildWarning[] = [];
  /** Told of each line when it is whole, for whoever must not miss one. */
  onLine: ((step: Step, line: LogLine) => void) | undefined;
  readonly #decoders = new Map<string, TextDecoder>();

  /** @returns The id of the step that it concerns; undefined if none. */
  add(event: BuildEvent): string | undefined {
    if (event.kind === "warning") {
      return this.#warn(event.warning);
    }
    if (event.kind === "start") {
      if (!this.steps.has(event.id)) this.#start(event);
      return event.id;
    }
    const step = this.steps.get(event.id);
    if (step === undefined) return undefined;
    if (event.kind === "log") this.#log(step, event);
    else if (event.kind === "status") addPart(step, event);
    else {
      if (step.partial !== "") this.#addLine(step, step.partial, event.timeMs);
      step.partial = "";
      step.endMs = event.timeMs;
      step.outcome = event.outcome;
      if (event.error !== undefined) step.error = event.error;
      for (const part of step.parts.values()) part.endMs ??= event.timeMs;
    }
    return event.id;
  }

  /** Steps that failed. */
  get failed(): Step[] {
    return [...this.steps.values()].filter(({ outcome }) => outcome === "failed");
  }

  #start({ id, name, timeMs }: BuildEvent & { kind: "start" }): void {
    this.steps.set(id, {
      id,
      number: this.steps.size + 1,
      name: name.replaceAll("\n", "\\n"),
      startMs: timeMs,
      parts: new Map(),
      lines: [],
      partial: "",
      warnings: [],
    });
  }

  #warn(warning: BuildWarning): string | undefined {
    const key = JSON.stringify(warning);
    if (this.warnings.some((other) => JSON.stringify(other) === key)) return undefined;
    this.warnings.push(warning);
    const step = [...this.steps.values()].findLast(({ endMs }) => endMs === undefined);
    step?.warnings.push(warning);
    return step?.id;
  }

  #log(step: Step, { stream, bytes, timeMs }: BuildEvent & { kind: "log" }): void {
    const key = `${stream} ${step.id}`;
    let decoder = this.#decoders.get(key);
    if (decoder === undefined) this.#decoders.set(key, decoder = new TextDecoder());
    const lines = (step.partial + decoder.decode(bytes, { stream: true })).split("\n");
    step.partial = lines.pop()!.slice(-LINE_MAX);
    for (const text of lines) this.#addLine(step, text, timeMs);
  }

  #addLine(step: Step, text: string, timeMs: number): void {
    const line = {
      seconds: Math.max(0, timeMs - step.startMs) / 1000,
      text: text.replace(/\r+$/, "").slice(0, LINE_MAX),
    };
    step.lines.push(line);
    if (step.lines.length > LINES_MAX) step.lines.shift();
    this.onLine?.(step, line);
  }
}

function addPart(step: Step, event: BuildEvent & { kind: "status" }): void {
  const part = step.parts.get(event.part) ?? { name: event.part, startMs: event.timeMs };
  step.parts.set(event.part, part);
  if (event.currentBytes !== undefined) part.currentBytes = event.currentBytes;
  if (event.totalBytes !== undefined) part.totalBytes = event.totalBytes;
  if (event.isDone) part.endMs = event.timeMs;
}
