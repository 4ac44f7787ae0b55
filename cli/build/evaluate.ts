/**
 * `build --call`: what a Dockerfile is like, without building it.
 *
 * @see https://docs.docker.com/reference/cli/docker/buildx/build/#call
 * @module
 */
import type {
  BuildWarning,
  Dockerfile,
  Instruction,
  SourceRange,
  Stage,
} from "../../core/build/dockerfile/ast.ts";
import { DockerfileError } from "../../core/build/dockerfile/error.ts";
import { formatCheck } from "../../core/build/dockerfile/format_check.ts";
import { printable } from "../../core/lib/printable.ts";
import type { LoadedDockerfile } from "./load_dockerfile.ts";
import type { Call } from "./settings.ts";

/** What to answer. */
export interface EvaluateOptions extends Call {
  /** `--target`. */
  target?: string;
  buildArgs: ReadonlyMap<string, string>;
}

/** An answer, and the exit code that goes with it. */
export interface Evaluation {
  text: string;
  exitCode: number;
}

/** Answers one `--call`. */
export function evaluateDockerfile(
  loaded: Pick<LoadedDockerfile, "dockerfile" | "text" | "warnings">,
  options: EvaluateOptions,
): Evaluation {
  const { dockerfile, warnings } = loaded;
  switch (options.method) {
    case "targets":
      return { text: options.asJson ? targetsJson(loaded) : targetsText(dockerfile), exitCode: 0 };
    case "outline": {
      const outline = outlineOf(dockerfile, options);
      const text = options.asJson ? outlineJson(outline, loaded.text) : outlineText(outline);
      return { text, exitCode: 0 };
    }
    default: {
      const exitCode = warnings.length > 0 ? 1 : 0;
      if (options.asJson) return { text: checksJson(loaded), exitCode };
      return { text: formatChecks(dockerfile, warnings), exitCode };
    }
  }
}

/** Warnings with the lines they are about, fit for a terminal. */
export function formatChecks(dockerfile: Dockerfile, warnings: readonly BuildWarning[]): string {
  return formatCheck(
    dockerfile,
    warnings.map((warning) => ({ ...warning, message: printable(warning.message) })),
  );
}

function checksJson({ dockerfile, text, warnings }: Omit<LoadedDockerfile, "ignore">): string {
  return json({
    warnings: warnings.map(({ rule, description, url, message, range }) => ({
      ruleName: rule,
      description,
      url,
      detail: message,
      ...range && { location: location(range) },
    })),
    sources: [{
      filename: dockerfile.name,
      data: new TextEncoder().encode(text).toBase64(),
      language: "Dockerfile",
    }],
  });
}

function targetsText({ stages }: Dockerfile): string {
  const rows = stages.filter(isTarget(stages)).map((stage) => [
    nameOf(stage) + (isDefault(stage, stages) ? " (default)" : ""),
    describe(stage.comments, stage.name),
  ]);
  return table([["TARGET", "DESCRIPTION"], ...rows], 1);
}

function targetsJson(
  { dockerfile: { stages }, text }: Pick<LoadedDockerfile, "dockerfile" | "text">,
) {
  return json({
    targets: stages.filter(isTarget(stages)).map((stage) => {
      const description = describe(stage.comments, stage.name);
      return {
        ...stage.name !== undefined && { name: stage.name },
        ...isDefault(stage, stages) && { default: true },
        ...description !== "" && { description },
        base: stage.base,
        location: location(stage.range),
      };
    }),
    sources: [new TextEncoder().encode(text).toBase64()],
  });
}

/** Stages with a name, and the last one. */
function isTarget(stages: readonly Stage[]): (stage: Stage) => boolean {
  return (stage) => stage.name !== undefined || isDefault(stage, stages);
}

function isDefault({ index }: Stage, stages: readonly Stage[]): boolean {
  return index === stages.length - 1;
}

function nameOf({ name }: Stage): string {
  return name ?? "";
}

/** What a target takes. */
interface Outline {
  name: string;
  description: string;
  args: { name: string; value?: string; description: string; range: SourceRange }[];
  secrets: { name: string; required: boolean; range: SourceRange }[];
  ssh: { name: string; required: boolean; range: SourceRange }[];
}

function outlineOf(
  dockerfile: Dockerfile,
  { target, buildArgs }: Pick<EvaluateOptions, "target" | "buildArgs">,
): Outline {
  const stage = findTarget(dockerfile, target);
  const outline: Outline = {
    name: stage.name ?? "",
    description: describe(stage.comments, stage.name),
    args: [],
    secrets: [],
    ssh: [],
  };
  for (const one of lineage(dockerfile, stage)) {
    for (const instruction of one.instructions) {
      addTo(outline, instruction, { buildArgs, globals: globalArgs(dockerfile) });
    }
  }
  return outline;
}

function findTarget(dockerfile: Dockerfile, target: string | undefined): Stage {
  const { stages } = dockerfile;
  if (target === undefined) return stages.at(-1)!;
  const wanted = target.toLowerCase();
  const found = stages.find(({ name }) => name === wanted) ??
    (/^\d+$/.test(target) ? stages[Number(target)] : undefined);
  if (found !== undefined) return found;
  throw new DockerfileError(`target stage ${JSON.stringify(target)} could not be found`, {}, {
    code: "not_found",
  });
}

/** A stage and those it stands on, these first. */
function lineage({ stages }: Dockerfile, stage: Stage): Stage[] {
  const found = [stage];
  for (;;) {
    const { base, index } = found[0]!;
    const below = stages.slice(0, index).findLast(({ name }) => name === base.toLowerCase());
    if (below === undefined) return found;
    found.unshift(below);
  }
}

/** What an `ARG` before the first `FROM` says of a name. */
interface GlobalArg {
  value: string | undefined;
  description: string;
}

function globalArgs(dockerfile: Dockerfile): Map<string, GlobalArg> {
  return new Map(
    dockerfile.globalArgs.flatMap(({ args, comments }) =>
      args.map(({ key, value }) => [key, { value, description: describe(comments, key) }])
    ),
  );
}

function addTo(
  outline: Outline,
  instruction: Instruction,
  known: { buildArgs: ReadonlyMap<string, string>; globals: ReadonlyMap<string, GlobalArg> },
): void {
  const { range } = instruction;
  if (instruction.kind === "arg") {
    for (const { key, value: own } of instruction.args) {
      const given = known.buildArgs.get(key) ?? own;
      // Docker says what a global one is for only where its value counts.
      const global = given === undefined ? known.globals.get(key) : undefined;
      const value = given ?? global?.value;
      const description = describe(instruction.comments, key) || (global?.description ?? "");
      outline.args = outline.args.filter(({ name }) => name !== key);
      outline.args.push({ name: key, ...value !== undefined && { value }, description, range });
    }
  }
  if (instruction.kind !== "run") return;
  for (const mount of instruction.mounts) {
    const { type, id, target, required = false } = mount;
    if (type === "secret") {
      const name = id ?? target?.slice(target.lastIndexOf("/") + 1) ?? "";
      outline.secrets.push({ name, required, range });
    } else if (type === "ssh") outline.ssh.push({ name: id ?? "default", required, range });
  }
}

/** Of comments right above it that begin with its name, the rest. */
function describe(comments: readonly string[] | undefined, name: string | undefined): string {
  if (name === undefined) return "";
  for (const comment of comments ?? []) {
    const [first, ...rest] = comment.trim().split(/\s+/);
    if (first?.toLowerCase() === name.toLowerCase()) return rest.join(" ");
  }
  return "";
}

function outlineText({ name, description, args, secrets, ssh }: Outline): string {
  const parts: string[] = [];
  if (name !== "") parts.push(`TARGET: ${name}\n`);
  if (description !== "") parts.push(`DESCRIPTION: ${description}\n`);
  if (args.length > 0) {
    const rows = args.map((arg) => [arg.name, arg.value ?? "", arg.description]);
    parts.push(table([["BUILD ARG", "VALUE", "DESCRIPTION"], ...rows], 3));
  }
  const mounts = (title: string, rows: Outline["secrets"]) =>
    table([[title, "REQUIRED"], ...rows.map((row) => [row.name, row.required ? "true" : ""])], 3);
  if (secrets.length > 0) parts.push(mounts("SECRET", secrets));
  if (ssh.length > 0) parts.push(mounts("SSH", ssh));
  return parts.map((part) => `${part}\n`).join("");
}

function outlineJson({ name, description, args, secrets, ssh }: Outline, text: string): string {
  const mounts = (rows: Outline["secrets"]) =>
    rows.map(({ name, required, range }) => ({
      name,
      ...required && { required },
      location: location(range),
    }));
  return json({
    name,
    ...description !== "" && { description },
    ...args.length > 0 && {
      args: args.map(({ name, value, description, range }) => ({
        name,
        ...value !== undefined && { value },
        ...description !== "" && { description },
        location: location(range),
      })),
    },
    ...secrets.length > 0 && { secrets: mounts(secrets) },
    ...ssh.length > 0 && { ssh: mounts(ssh) },
    sources: [new TextEncoder().encode(text).toBase64()],
  });
}

function location({ start, end }: SourceRange) {
  return { ranges: [{ start: { line: start }, end: { line: end } }] };
}

function json(value: unknown): string {
  return JSON.stringify(value, undefined, 2) + "\n";
}

/** Columns as wide as their widest cell and `gap` blanks; the last one as it is. */
function table(rows: readonly string[][], gap: number): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) =>
      column === row.length - 1 ? printable(cell) : printable(cell).padEnd(widths[column]! + gap)
    ).join("") + "\n"
  ).join("");
}
