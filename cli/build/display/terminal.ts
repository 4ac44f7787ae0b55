/**
 * A build on a terminal, redrawn in place as BuildKit does: steps with their times, and the last lines of output of those
 * that run.
 *
 * @module
 */
import { printable } from "../../../core/lib/printable.ts";
import { formatSize } from "../../../core/lib/units.ts";
import { cutToWidth, displayWidth } from "../../output/char_width.ts";
import type { ScreenSize } from "../../output/progress.ts";
import type { Output } from "../../output/stream.ts";
import type { Painter } from "./display.ts";
import type { Step, StepLog, StepPart } from "./step_log.ts";

/** Lines of output that a running step shows. */
const OUTPUT_LINES = 6;
/** How often it is drawn at most. */
const INTERVAL_MS = 100;

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

/** A line, without its end, and its colour. */
interface Line {
  left: string;
  /** At the right margin. */
  right?: string;
  colour?: "blue" | "red" | "yellow";
  /** Of a step that has ended: the first to go where there is no room. */
  isOld?: boolean;
}

const COLOURS = { blue: "\x1b[34m", red: "\x1b[31m", yellow: "\x1b[33m" } as const;

/** How to paint; for tests. */
export interface TerminalPainterOptions {
  /** Asked for before each drawing. @default the terminal's */
  size?: () => ScreenSize;
  /** @default not if `NO_COLOR` is set */
  hasColours?: boolean;
}

/** Draws everything anew ten times a second while something changes. */
export class TerminalPainter implements Painter {
  readonly #steps: StepLog;
  readonly #out: Output;
  readonly #size: () => ScreenSize;
  readonly #hasColours: boolean;
  readonly #startMs = Date.now();
  readonly #timer: ReturnType<typeof setInterval>;
  /** Whoever ends the process gets a cursor. */
  readonly #restore = () => this.#out.write(SHOW_CURSOR);
  /** How wide each line of the last drawing is. */
  #drawn: number[] = [];

  constructor(steps: StepLog, out: Output, options: TerminalPainterOptions = {}) {
    this.#steps = steps;
    this.#out = out;
    this.#size = options.size ?? screenSize;
    this.#hasColours = options.hasColours ?? !Deno.env.get("NO_COLOR");
    this.#timer = setInterval(() => this.#draw(false), INTERVAL_MS);
    addEventListener("unload", this.#restore);
  }

  update(): void {
    // The timer draws.
  }

  finish(): void {
    clearInterval(this.#timer);
    removeEventListener("unload", this.#restore);
    this.#draw(true);
  }

  #draw(isLast: boolean): void {
    const size = this.#size();
    const lines = screenLines([...this.#steps.steps.values()], {
      nowMs: Date.now(),
      startMs: this.#startMs,
      isLast,
    });
    const room = Math.max(3, size.rows - 1);
    const width = Math.max(20, size.columns - 1);
    const fitted = isLast ? lines : fit(lines, room);
    const texts = fitted.map((line) => layOut(line, width));
    // A terminal that became narrower has wrapped what was drawn.
    const up = this.#drawn.reduce(
      (sum, drawn) => sum + Math.max(1, Math.ceil(drawn / size.columns)),
      0,
    );
    let text = HIDE_CURSOR + (up > 0 ? `\x1b[${Math.min(up, size.rows - 1)}A` : "") + "\r\x1b[J";
    for (const [index, content] of texts.entries()) {
      const colour = fitted[index]!.colour;
      text += colour !== undefined && this.#hasColours
        ? `${COLOURS[colour]}${content}\x1b[0m\r\n`
        : `${content}\r\n`;
    }
    this.#drawn = texts.map(displayWidth);
    this.#out.write(text + (isLast ? SHOW_CURSOR : ""));
  }
}

/** Everything there is to show, the headline first; more than a screen may hold. */
export function screenLines(
  steps: readonly Step[],
  at: { nowMs: number; startMs: number; isLast: boolean },
): Line[] {
  const ended = steps.filter(({ endMs }) => endMs !== undefined).length;
  const lines: Line[] = [{
    left: `[+] Building ${seconds(at.nowMs - at.startMs)} (${ended}/${steps.length})` +
      (at.isLast ? " FINISHED" : ""),
    right: "dhow",
  }];
  for (const step of steps) {
    const elapsed = seconds((step.endMs ?? at.nowMs) - step.startMs);
    const colour = colourOf(step);
    const look = { isOld: step.endMs !== undefined, ...colour && { colour } };
    lines.push({
      left: ` => ${prefixOf(step)}${printable(step.name)}`,
      right: elapsed,
      ...look,
    });
    for (const part of step.parts.values()) lines.push({ ...partLine(part, at.nowMs), ...look });
    if (step.endMs === undefined) lines.push(...outputLines(step));
  }
  return lines;
}

/** As many as there is room for: the headline, and of the rest what goes on and what is new. */
function fit([head, ...rest]: readonly Line[], room: number): Line[] {
  let surplus = rest.length + 1 - room;
  const kept = rest.filter(({ isOld }) => !isOld || surplus-- <= 0);
  return [head!, ...kept.slice(-(room - 1))];
}

function colourOf({ outcome }: Step): Line["colour"] {
  if (outcome === undefined) return undefined;
  if (outcome === "failed") return "red";
  return outcome === "canceled" ? "yellow" : "blue";
}

function prefixOf({ outcome }: Step): string {
  if (outcome === "cached") return "CACHED ";
  if (outcome === "failed") return "ERROR ";
  return outcome === "canceled" ? "CANCELED " : "";
}

function partLine(
  { name, startMs, endMs, currentBytes, totalBytes }: StepPart,
  nowMs: number,
): Line {
  const size = currentBytes === undefined
    ? ""
    : totalBytes === undefined
    ? ` ${formatSize(currentBytes)}`
    : ` ${formatSize(currentBytes)} / ${formatSize(totalBytes)}`;
  return { left: ` => => ${printable(name)}${size}`, right: seconds((endMs ?? nowMs) - startMs) };
}

/** The last lines of output; of a progress bar what a terminal would show. */
function outputLines(step: Step): Line[] {
  const texts = step.lines.slice(-OUTPUT_LINES).map(({ text }) => text);
  if (step.partial.trim() !== "") texts.push(step.partial);
  return texts.slice(-OUTPUT_LINES).map((text) => ({
    left: ` => => # ${printable(lastPart(text), 500)}`,
  }));
}

/** After the last carriage return that is not at the end. */
function lastPart(text: string): string {
  const trimmed = text.replace(/\r+$/, "");
  return trimmed.slice(trimmed.lastIndexOf("\r") + 1);
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)}s`;
}

/** One line of exactly `width` columns, cut where it is longer. */
function layOut({ left, right = "" }: Line, width: number): string {
  const room = width - right.length - (right === "" ? 0 : 1);
  const cut = cutToWidth(left, room);
  return right === "" ? cut : cut + " ".repeat(width - displayWidth(cut) - right.length) + right;
}

function screenSize(): ScreenSize {
  try {
    return Deno.consoleSize();
  } catch {
    return { columns: 80, rows: 24 };
  }
}
