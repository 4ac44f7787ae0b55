/**
 * Numbers for the steps of a stage, as people see them.
 *
 * @module
 */
import type { Instruction } from "./dockerfile/ast.ts";
import type { PlannedStage } from "./stages.ts";
import type { StepPlace } from "./step.ts";

/** Numbers the steps of a stage that change files, as `[builder 2/5]`. */
export class StepCounter {
  readonly #prefix: string;
  readonly #total: number;
  readonly #index: number;
  #count: number;

  constructor(planned: PlannedStage, instructions: readonly Instruction[]) {
    const { name, base, stage } = planned;
    this.#prefix = name === "" ? "" : `${name} `;
    this.#index = stage.index;
    this.#count = base.kind === "image" ? 1 : 0;
    this.#total = this.#count + instructions.filter(makesLayer).length;
  }

  /** The stage's `FROM`. */
  first(text: string): { id: string; name: string } {
    return this.#at(1, text);
  }

  /** The next step that changes files. */
  next(instruction: Instruction): Omit<StepPlace, "noCache"> {
    return { ...this.#at(++this.#count, instruction.original), range: instruction.range };
  }

  #at(count: number, text: string): { id: string; name: string } {
    const number = String(count).padStart(String(this.#total).length);
    return {
      id: `${this.#index}.${count}`,
      name: `[${this.#prefix}${number}/${this.#total}] ${text}`,
    };
  }
}

/** Whether an instruction is a step that changes files. */
export function makesLayer({ kind }: Instruction): boolean {
  return kind === "run" || kind === "copy" || kind === "add" || kind === "workdir";
}
