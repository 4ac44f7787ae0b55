/**
 * One line of the list of commands.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** A verb that can be loaded. */
export interface Entry {
  summary: string;
  load(): Promise<Command>;
  /** Every way to call it, the first is the canonical one; docker's "Aliases". */
  paths: readonly string[];
}

/** An entry, its calls last. */
export function entry(
  summary: string,
  load: () => Promise<Command>,
  ...paths: readonly string[]
): Entry {
  return { summary, load, paths };
}
