/**
 * What a build shows while it runs, in one of several ways.
 *
 * @module
 */
import type { BuildListener } from "../../../core/build/request.ts";
import { lazy } from "../../../core/lib/lazy.ts";
import type { Output } from "../../output/stream.ts";
import { invalid, misused } from "../fields.ts";
import { StepLog } from "./step_log.ts";

/** Shows events. */
export interface Painter {
  /** Something has happened; `steps` knows already. */
  update(changed: string | undefined): void;
  /** Nothing will happen any more. */
  finish(): void;
}

/** Painter and memory of one build. */
export class Display {
  /** What has happened so far. */
  readonly steps: StepLog;
  readonly #painter: Painter | undefined;
  readonly #raw: BuildListener | undefined;
  #isFinished = false;

  constructor(steps: StepLog, how: { painter?: Painter; raw?: BuildListener }) {
    this.steps = steps;
    this.#painter = how.painter;
    this.#raw = how.raw;
  }

  /** For whoever builds. */
  readonly listen: BuildListener = (event) => {
    if (this.#isFinished) return;
    const changed = this.steps.add(event);
    this.#raw?.(event);
    this.#painter?.update(changed);
  };

  /** Puts the terminal in order; more calls do nothing. */
  finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#painter?.finish();
  }
}

/** How to show, as `--progress` says it. */
export type ProgressMode = "plain" | "tty" | "rawjson" | "quiet" | "none";

/**
 * What `--progress`, `--quiet` and the environment come to.
 *
 * @throws {DhowError} `invalid_argument` in docker's words.
 */
export function progressMode(
  flags: { progress: string; quiet: boolean },
  isTerminal: boolean,
): ProgressMode {
  if (flags.quiet) return "quiet";
  const fromEnvironment = Deno.env.get("DHOW_PROGRESS") || Deno.env.get("BUILDKIT_PROGRESS");
  const wanted = flags.progress === "auto" ? fromEnvironment || "auto" : flags.progress;
  switch (wanted) {
    case "auto":
      return isTerminal ? "tty" : "plain";
    case "plain":
    case "rawjson":
    case "quiet":
    case "none":
      return wanted;
    case "tty":
      if (isTerminal) return "tty";
      throw invalid("failed to get console: provided file is not a console");
    default:
      throw misused(`invalid progress mode ${wanted}`);
  }
}

/** Begins to show on `err`. */
export async function openDisplay(mode: ProgressMode, err: Output): Promise<Display> {
  const steps = new StepLog();
  switch (mode) {
    case "plain": {
      const { PlainPainter } = await lazy<typeof import("./plain.ts")>(
        "./plain.ts",
        import.meta.url,
      );
      return new Display(steps, { painter: new PlainPainter(steps, err) });
    }
    case "tty": {
      const { TerminalPainter } = await lazy<typeof import("./terminal.ts")>(
        "./terminal.ts",
        import.meta.url,
      );
      return new Display(steps, { painter: new TerminalPainter(steps, err) });
    }
    case "rawjson": {
      const { rawJson } = await lazy<typeof import("./raw_json.ts")>(
        "./raw_json.ts",
        import.meta.url,
      );
      return new Display(steps, { raw: rawJson(err) });
    }
    default:
      return new Display(steps, {});
  }
}
