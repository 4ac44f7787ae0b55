/**
 * `dhow container diff`.
 *
 * @module
 */
import { printable } from "../../../core/lib/printable.ts";
import { command } from "../../command.ts";

const LETTERS = { modified: "C", added: "A", deleted: "D" } as const;

/** Inspect changes to files or directories on a container's filesystem. */
export const diff = command({
  name: "diff",
  summary: "Inspect changes to files or directories on a container's filesystem",
  args: "CONTAINER",
  flags: {},
  async run({ args, engine, out }) {
    const shown = (path: string) => out.isTerminal() ? printable(path) : path;
    const changes = await engine.containers.changes(args[0]!);
    out.write(changes.map(({ kind, path }) => `${LETTERS[kind]} ${shown(path)}\n`).join(""));
  },
});
