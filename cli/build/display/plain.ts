/**
 * A build as lines, one block a step, as BuildKit's plain progress: for pipes and files.
 *
 * @module
 */
import { printable } from "../../../core/lib/printable.ts";
import { formatSize } from "../../../core/lib/units.ts";
import type { Output } from "../../output/stream.ts";
import type { Painter } from "./display.ts";
import type { LogLine, Step, StepLog, StepPart } from "./step_log.ts";

/** How long a step that others wait for may be silent before one of those is shown. */
const SILENT_MS = 2000;
/** So many lines wait at most. */
const WAITING_LINES_MAX = 500;

/** What of a step is on the screen. */
interface Shown {
  parts: Set<string>;
  warnings: number;
}

/** Shows one step at a time; the others wait until it has ended or is silent. */
export class PlainPainter implements Painter {
  readonly #steps: StepLog;
  readonly #out: Output;
  readonly #isTerminal: boolean;
  readonly #shown = new Map<string, Shown>();
  /** Steps that have something to show. */
  readonly #waiting = new Set<string>();
  /** Output that was not shown yet. */
  readonly #lines = new Map<string, LogLine[]>();
  /** The step whose lines are shown as they come. */
  #focus: string | undefined;
  /** The step that the last line is of. */
  #current: string | undefined;
  #lastMs = 0;

  constructor(steps: StepLog, out: Output) {
    this.#steps = steps;
    this.#out = out;
    this.#isTerminal = out.isTerminal();
    steps.onLine = ({ id }, line) => {
      const lines = this.#lines.get(id);
      if (lines === undefined) this.#lines.set(id, [line]);
      else lines.push(line);
    };
  }

  update(changed: string | undefined): void {
    if (changed === undefined) return;
    this.#waiting.add(changed);
    const step = this.#steps.steps.get(changed)!;
    // What has ended is shown at once: it needs no more room later.
    const mayShow = step.endMs !== undefined || changed === this.#focus || !this.#isFocused() ||
      Date.now() - this.#lastMs > SILENT_MS || this.#countLines(step) > WAITING_LINES_MAX;
    if (mayShow) this.#show(step);
    if (step.endMs !== undefined && !this.#isFocused()) this.#showNext();
  }

  finish(): void {
    for (const id of this.#waiting) this.#show(this.#steps.steps.get(id)!);
  }

  /** Whether a step is shown line by line. */
  #isFocused(): boolean {
    const focus = this.#focus === undefined ? undefined : this.#steps.steps.get(this.#focus);
    return focus !== undefined && focus.endMs === undefined;
  }

  /** A step has made room: the one that waits with most to tell is next. */
  #showNext(): void {
    const [next] = [...this.#waiting].map((id) => this.#steps.steps.get(id)!)
      .sort((a, b) => this.#countLines(b) - this.#countLines(a));
    if (next !== undefined) this.#show(next);
  }

  #countLines({ id }: Step): number {
    return this.#lines.get(id)?.length ?? 0;
  }

  #show(step: Step): void {
    this.#waiting.delete(step.id);
    const lines = this.#newLines(step);
    if (lines.length === 0) return;
    let text = "";
    if (this.#current !== step.id) {
      const current = this.#current && this.#steps.steps.get(this.#current);
      if (current && current.endMs === undefined) text += `#${current.number} ...\n`;
      if (this.#current !== undefined) text += "\n";
      text += `#${step.number} ${printable(step.name)}\n`;
    }
    this.#current = step.id;
    if (step.endMs === undefined) this.#focus = step.id;
    this.#lastMs = Date.now();
    this.#out.write(text + lines.map((line) => `#${step.number} ${line}\n`).join(""));
  }

  /** What there is to say beyond its name. */
  #newLines(step: Step): string[] {
    const shown = this.#shown.get(step.id) ?? { parts: new Set(), warnings: 0 };
    this.#shown.set(step.id, shown);
    const lines: string[] = [];
    for (const part of step.parts.values()) {
      if (part.endMs === undefined || shown.parts.has(part.name)) continue;
      shown.parts.add(part.name);
      lines.push(formatPart(part));
    }
    for (const { seconds, text } of this.#lines.get(step.id) ?? []) {
      lines.push(`${seconds.toFixed(3)} ${this.#isTerminal ? printable(text) : text}`);
    }
    this.#lines.delete(step.id);
    for (const { rule, message, range } of step.warnings.slice(shown.warnings)) {
      lines.push(
        `WARN: ${rule}: ${printable(message)}${
          range === undefined ? "" : ` (line ${range.start})`
        }`,
      );
    }
    shown.warnings = step.warnings.length;
    if (step.endMs !== undefined) lines.push(formatEnd(step));
    return lines;
  }
}

function formatPart({ name, startMs, endMs, currentBytes, totalBytes }: StepPart): string {
  const size = currentBytes === undefined
    ? ""
    : totalBytes === undefined
    ? ` ${formatSize(currentBytes)}`
    : ` ${formatSize(currentBytes)} / ${formatSize(totalBytes)}`;
  const seconds = ((endMs ?? startMs) - startMs) / 1000;
  return `${printable(name)}${size}${seconds < 0.05 ? "" : ` ${seconds.toFixed(1)}s`} done`;
}

function formatEnd(step: Step): string {
  switch (step.outcome) {
    case "cached":
      return "CACHED";
    case "failed":
      return `ERROR: ${printable(step.error ?? "")}`;
    case "canceled":
      return "CANCELED";
    default:
      return `DONE ${((step.endMs! - step.startMs) / 1000).toFixed(1)}s`;
  }
}
