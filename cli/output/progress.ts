/**
 * Transfers as docker shows them: on a terminal one line a layer, redrawn in place; elsewhere a line for each step.
 *
 * @module
 */
import { formatSize } from "../../core/lib/units.ts";
import type {
  LayerProgress,
  ProgressListener,
  TransferProgress,
} from "../../core/spec/progress.ts";
import type { Output } from "./stream.ts";

/** Docker's bar. */
const BAR_WIDTH = 50;
/** A shorter one says nothing. */
const BAR_MIN = 8;

/** The terminal's size in characters. */
export interface ScreenSize {
  columns: number;
  rows: number;
}

/** Shows a transfer on `out`. @param size Asked for before each line. @default the terminal's */
export function showProgress(out: Output, size: () => ScreenSize = screenSize): ProgressListener {
  if (!out.isTerminal()) return (progress) => showPlain(out, progress);
  const block = new LayerLines(out, size);
  return (progress) => block.show(progress);
}

function showPlain(out: Output, progress: TransferProgress): void {
  if (progress.kind === "message") out.line(messageLine(progress));
  else if (progress.currentBytes === undefined) out.line(`${progress.id}: ${progress.status}`);
}

function messageLine({ id, text }: { id?: string; text: string }): string {
  return id === undefined ? text : `${id}: ${text}`;
}

/** The lines of the layers at the bottom of what was printed. */
class LayerLines {
  readonly #out: Output;
  readonly #size: () => ScreenSize;
  #ids: string[] = [];

  constructor(out: Output, size: () => ScreenSize) {
    this.#out = out;
    this.#size = size;
  }

  show(progress: TransferProgress): void {
    if (progress.kind === "message") {
      // What comes now stands below it.
      this.#ids = [];
      this.#out.line(messageLine(progress));
      return;
    }
    const size = this.#size();
    const line = formatLayer(progress, size.columns);
    const index = this.#ids.indexOf(progress.id);
    if (index < 0) {
      this.#ids.push(progress.id);
      this.#out.write(`\x1b[2K${line}\r\n`);
      return;
    }
    const up = this.#ids.length - index;
    // It has left the screen at the top; there is no way back to it.
    if (up >= size.rows) return;
    this.#out.write(`\x1b[${up}A\x1b[2K\r${line}\r\x1b[${up}B`);
  }
}

/** A layer's line, no longer than the terminal is wide, so that it is one. */
export function formatLayer(progress: LayerProgress, columns: number): string {
  const { id, status, currentBytes, totalBytes } = progress;
  const head = `${id}: ${status}`;
  if (currentBytes === undefined) return head.slice(0, columns - 1);
  const done = formatSize(currentBytes, 4);
  if (totalBytes === undefined) return `${head} ${done}`.slice(0, columns - 1);
  const numbers = `${done.padStart(8)}/${formatSize(totalBytes, 4)}`;
  const room = Math.min(columns - 1 - head.length - numbers.length - 5, BAR_WIDTH);
  const bar = room < BAR_MIN ? "" : ` ${formatBar(currentBytes / Math.max(totalBytes, 1), room)}`;
  return `${head}${bar} ${numbers}`.slice(0, columns - 1);
}

function formatBar(part: number, width: number): string {
  const filled = Math.floor(Math.min(Math.max(part, 0), 1) * width);
  return `[${"=".repeat(filled)}>${" ".repeat(width - filled)}]`;
}

function screenSize(): ScreenSize {
  try {
    return Deno.consoleSize();
  } catch {
    return { columns: 80, rows: 24 };
  }
}
