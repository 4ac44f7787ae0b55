/**
 * What stands at the end of a build that failed, and of one with warnings.
 *
 * @module
 */
import type { BuildWarning } from "../../../core/build/dockerfile/ast.ts";
import { printable } from "../../../core/lib/printable.ts";
import type { Step } from "./step_log.ts";

/** The steps that failed, each with its last output, between lines of dashes; not those that could not even begin. */
export function formatFailedSteps(steps: readonly Step[], isTerminal: boolean): string {
  const shown = steps.filter(({ name, lines }) =>
    !name.startsWith("[internal]") || lines.length > 0
  );
  return shown.map((step) => {
    const lines = step.lines.map(({ seconds, text }) =>
      `${seconds.toFixed(3)} ${isTerminal ? printable(text) : text}\n`
    );
    return `------\n > ${printable(step.name)}:\n${lines.join("")}------\n`;
  }).join("");
}

/** The list of warnings that ends a build. */
export function formatWarnings(warnings: readonly BuildWarning[], hasColours: boolean): string {
  if (warnings.length === 0) return "";
  const count = `${warnings.length} warning${warnings.length === 1 ? "" : "s"} found`;
  const head = `${count} (use dhow --debug to expand):\n`;
  const lines = warnings.map(({ rule, message, range }) =>
    ` - ${rule}: ${printable(message)}${range === undefined ? "" : ` (line ${range.start})`}\n`
  );
  return `\n ${hasColours ? `\x1b[33m${head}\x1b[0m` : head}${lines.join("")}`;
}
