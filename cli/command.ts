/**
 * `command()`: how one verb of the command line is declared.
 *
 * @module
 */
import type { Engine } from "../core/engine/engine.ts";
import type { FlagTable, FlagValues } from "./flags.ts";
import type { Output } from "./output/stream.ts";

/** Flags that stand before the command. */
export interface Globals {
  /** `--root`: where the store is; undefined leaves it to the environment. */
  root: string | undefined;
  debug: boolean;
  logLevel: string;
}

/** What a command gets. */
export interface CommandContext<F extends FlagTable = FlagTable> {
  /** Positional arguments, their number already checked. */
  args: string[];
  flags: FlagValues<F>;
  /** Whether the command line set the flag, be it to its default. */
  given(flag: keyof F & string): boolean;
  engine: Engine;
  /** Results. */
  out: Output;
  /** Progress, warnings, errors. */
  err: Output;
  /** As the user called it: `ps`, `container ls`. */
  path: string;
  globals: Globals;
}

/** The declaration of a verb. */
export interface CommandDeclaration<F extends FlagTable> {
  /** The verb in its group: `ls`. */
  name: string;
  /** One line; cli/registry/ repeats it for the lists of commands, and a test compares. */
  summary: string;
  /** Longer text of `--help`, where the summary is not enough. */
  description?: string;
  /** Usage of the arguments; several where a command has several forms. */
  args: string | readonly string[];
  /** How many arguments there may be. Read off `args` where absent. */
  count?: readonly [min: number, max: number];
  flags: F;
  /** Set to false where what follows the first argument is not ours (`run IMAGE COMMAND -x`). */
  interspersed?: boolean;
  examples?: readonly string[];
  /** Does it. Returns the exit code; nothing means 0. */
  run(context: CommandContext<F>): Promise<number | void> | number | void;
}

/** A declared verb, its flags' types forgotten. */
export type Command = Omit<CommandDeclaration<FlagTable>, "run"> & {
  run(context: CommandContext): Promise<number | void> | number | void;
};

/** Declares a verb; infers the flags' types for `run()`. */
export function command<const F extends FlagTable>(declaration: CommandDeclaration<F>): Command {
  return declaration as unknown as Command;
}

/** How many arguments a usage such as `CONTAINER [CONTAINER...]` allows. */
export function argumentCount(command: Command): readonly [min: number, max: number] {
  if (command.count !== undefined) return command.count;
  const usage = typeof command.args === "string" ? command.args : command.args[0]!;
  let [min, max] = [0, 0];
  for (const word of usage.split(" ")) {
    if (word === "") continue;
    if (!word.startsWith("[")) min++;
    max += word.includes("...") ? Infinity : 1;
  }
  return [min, max];
}
