/**
 * `--help`, generated from the declarations in docker's layout.
 *
 * @module
 */
import type { Command } from "./command.ts";
import { flagName, type FlagSpec, type FlagTable } from "./flags.ts";
import { commonCommands, groups, verbsOf } from "./registry.ts";
import type { Entry } from "./registry/entry.ts";

/** Flags before the command, as help shows them; cli/main.ts parses by the same table. */
export const globalFlags = {
  debug: { type: "bool", short: "D", help: "Enable debug mode" },
  logLevel: {
    type: "string",
    short: "l",
    default: "info",
    help: 'Set the logging level ("debug", "info", "warn", "error", "fatal")',
  },
  root: { type: "string", help: "Directory of images, containers and volumes", hint: "dir" },
  storageDriver: {
    type: "string",
    hint: "driver",
    help: 'How new containers get their root ("overlay", "fuse-overlayfs", "copy"); ' +
      "by default the best that works",
  },
  version: { type: "bool", short: "v", help: "Print version information and quit" },
} as const satisfies FlagTable;

/** `dhow --help`. */
export function formatMainHelp(width: number): string {
  const all = verbsOf("");
  const common = commonCommands.map((name) => all.find((verb) => verb.name === name)!);
  const rest = all.filter((verb) => !commonCommands.includes(verb.name));
  return [
    "Usage:  dhow [OPTIONS] COMMAND\n",
    "Docker without the dock: containers of an ordinary user, no daemon\n",
    "Common Commands:",
    ...formatRows(common.map((verb) => [verb.name, verb.entry.summary])),
    "",
    "Management Commands:",
    ...formatRows(Object.entries(groups).map(([name, group]) => [name, group.summary])),
    "",
    "Commands:",
    ...formatRows(rest.map((verb) => [verb.name, verb.entry.summary])),
    "",
    "Global Options:",
    ...formatFlags(globalFlags, width),
    "",
    "Run 'dhow COMMAND --help' for more information on a command.",
  ].join("\n");
}

/** `dhow GROUP --help`. */
export function formatGroupHelp(group: string): string {
  return [
    `Usage:  dhow ${group} COMMAND\n`,
    groups[group]!.summary + "\n",
    "Commands:",
    ...formatRows(verbsOf(group).map((verb) => [verb.name, verb.entry.summary])),
    "",
    `Run 'dhow ${group} COMMAND --help' for more information on a command.`,
  ].join("\n");
}

/** `dhow ... COMMAND --help`. */
export function formatCommandHelp(
  command: Command,
  entry: Entry,
  options: { path: string; width: number },
): string {
  const parts = [formatUsage(command, options.path), "", command.description ?? command.summary];
  if (entry.paths.length > 1) {
    parts.push("", "Aliases:", "  " + entry.paths.map((path) => "dhow " + path).join(", "));
  }
  if (command.examples !== undefined) {
    parts.push("", "Examples:", ...command.examples.map((line) => "  " + line));
  }
  const flags = formatFlags(command.flags, options.width);
  if (flags.length > 0) parts.push("", "Options:", ...flags);
  return parts.join("\n");
}

/** `Usage:  dhow run [OPTIONS] IMAGE [COMMAND] [ARG...]`, a line for each form. */
export function formatUsage(command: Command, path: string): string {
  const options = Object.keys(command.flags).length > 0 ? " [OPTIONS]" : "";
  const forms = typeof command.args === "string" ? [command.args] : command.args;
  const lines = forms.map((form) => `dhow ${path}${options}${form === "" ? "" : " " + form}`);
  return "Usage:  " + lines.join("\n\t");
}

function formatRows(rows: [string, string][]): string[] {
  const width = Math.max(11, ...rows.map(([name]) => name.length));
  return rows.map(([name, summary]) => `  ${name.padEnd(width)} ${summary}`);
}

/** Flags sorted by name, their help wrapped to `width` columns. */
export function formatFlags(table: FlagTable, width: number): string[] {
  const rows = Object.keys(table).filter((key) => !table[key]!.hidden)
    .map((key) => ({ name: flagName(key), spec: table[key]! }))
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .map(({ name, spec }) => {
      const short = spec.short === undefined ? "      " : `  -${spec.short}, `;
      const word = spec.hint ?? valueWord(spec);
      return [`${short}--${name}${word === "" ? "" : " " + word}`, spec.help + shownDefault(spec)];
    });
  if (rows.length === 0) return [];
  const column = Math.max(...rows.map(([left]) => left!.length)) + 3;
  return rows.map(([left, help]) => left!.padEnd(column) + wrap(help!, column, width));
}

function valueWord(spec: FlagSpec): string {
  if (spec.type === "bool") return "";
  return spec.type === "custom" ? "value" : spec.type;
}

function shownDefault(spec: FlagSpec): string {
  if (!("default" in spec) || !spec.default) return "";
  return ` (default ${typeof spec.default === "string" ? `"${spec.default}"` : spec.default})`;
}

/** Breaks at blanks; later lines start at `indent`. Lines of `text` itself are kept. */
function wrap(text: string, indent: number, width: number): string {
  const room = Math.max(24, width - indent);
  const lines: string[] = [];
  for (const line of text.split("\n")) {
    let rest = line;
    while (rest.length > room) {
      const at = rest.lastIndexOf(" ", room);
      if (at <= 0) break;
      lines.push(rest.slice(0, at));
      rest = rest.slice(at + 1);
    }
    lines.push(rest);
  }
  return lines.join("\n" + " ".repeat(indent));
}
