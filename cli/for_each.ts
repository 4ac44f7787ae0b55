/**
 * Does the same to every name of a command line, as docker's commands do.
 *
 * @module
 */
import type { Output } from "./output/stream.ts";

/** How many are done at a time. */
const PARALLEL = 50;

/**
 * Runs `action` for all names, some at a time; prints what each resolves to (by default the name) in the order given, then
 * the errors.
 *
 * @returns 1 if any failed, else 0.
 */
export async function forEach(
  names: readonly string[],
  streams: { out: Output; err: Output },
  action: (name: string) => Promise<string | number | void>,
): Promise<number> {
  const errors: unknown[] = [];
  for (let at = 0; at < names.length; at += PARALLEL) {
    const group = names.slice(at, at + PARALLEL);
    const results = await Promise.allSettled(group.map(action));
    for (const [index, result] of results.entries()) {
      if (result.status === "rejected") errors.push(result.reason);
      else streams.out.line(String(result.value ?? group[index]));
    }
  }
  for (const error of errors) streams.err.line(errorText(error));
  return errors.length > 0 ? 1 : 0;
}

/** The text of anything thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
