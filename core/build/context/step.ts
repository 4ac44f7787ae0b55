/**
 * A step that is none of the Dockerfile's: reading it, fetching the context, writing results.
 *
 * @module
 */
import type { BuildListener } from "../request.ts";

/** Tells a listener of more than beginning and end. */
export interface StepReport {
  /** A part of it goes on, or is done. */
  status(part: string, isDone?: boolean, currentBytes?: number): void;
  /** It wrote something. */
  log(stream: "stdout" | "stderr", bytes: Uint8Array): void;
}

/** Does `work` as a step called `name`, telling `onEvent`. */
export async function step<T>(
  onEvent: BuildListener | undefined,
  name: string,
  work: (report: StepReport) => Promise<T>,
): Promise<T> {
  const id = `step-${crypto.randomUUID()}`;
  onEvent?.({ kind: "start", id, name, timeMs: Date.now() });
  try {
    const result = await work({
      status: (part, isDone = true, currentBytes) =>
        onEvent?.({
          kind: "status",
          id,
          part,
          isDone,
          ...currentBytes !== undefined && { currentBytes },
          timeMs: Date.now(),
        }),
      log: (stream, bytes) => onEvent?.({ kind: "log", id, stream, bytes, timeMs: Date.now() }),
    });
    onEvent?.({ kind: "end", id, outcome: "done", timeMs: Date.now() });
    return result;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    onEvent?.({ kind: "end", id, outcome: "failed", error: message, timeMs: Date.now() });
    throw error;
  }
}
