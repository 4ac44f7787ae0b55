/**
 * `dhow build`, from the command line understood to the exit code.
 *
 * @module
 */
import { openContext, type OpenedContext } from "../../core/build/context/open_context.ts";
import type { Dockerfile, SourceRange } from "../../core/build/dockerfile/ast.ts";
import { formatExcerpt } from "../../core/build/dockerfile/error.ts";
import type { NamedContext } from "../../core/build/request.ts";
import type { Engine } from "../../core/engine/engine.ts";
import { DhowError } from "../../core/errors.ts";
import { storePaths } from "../../core/host/paths.ts";
import { lazy } from "../../core/lib/lazy.ts";
import { printable } from "../../core/lib/printable.ts";
import { ExitError } from "../errors.ts";
import { withInterrupt } from "../interrupt.ts";
import type { Output } from "../output/stream.ts";
import { type Display, openDisplay, type ProgressMode, progressMode } from "./display/display.ts";
import { invalid } from "./fields.ts";
import type { BuildFlags } from "./flags.ts";
import { loadDockerfile, type LoadedDockerfile } from "./load_dockerfile.ts";
import { type BuildSettings, toSettings } from "./settings.ts";

/** What a build on the command line works with. */
export interface BuildCommand {
  /** `PATH | URL | -`. */
  source: string;
  flags: BuildFlags;
  engine: Engine;
  out: Output;
  err: Output;
  /** `--root`. */
  root: string | undefined;
  /** `dhow --debug`. */
  debug: boolean;
}

/** Builds. @returns The exit code. @throws {ExitError} With what docker prints. */
export async function runBuild(command: BuildCommand): Promise<number> {
  const { flags, err } = command;
  let display: Display | undefined;
  const known: { dockerfile?: Dockerfile } = {};
  try {
    const settings = toSettings(flags);
    if (command.source === "-" && flags.file === "-") {
      throw invalid("invalid argument: can't use stdin for both build context and dockerfile");
    }
    const mode = progressMode(flags, err.isTerminal());
    const shown = display = await openDisplay(mode, err);
    return await withInterrupt((signal) =>
      build(command, { settings, display: shown, mode, signal, known })
    );
  } catch (error) {
    display?.finish();
    throw await explain(error, { display, dockerfile: known.dockerfile, err });
  }
}

interface Running {
  settings: BuildSettings;
  display: Display;
  mode: ProgressMode;
  signal: AbortSignal;
  /** Filled in when it is known, for what is said of a failure. */
  known: { dockerfile?: Dockerfile };
}

async function build(command: BuildCommand, running: Running): Promise<number> {
  const { flags, engine, out } = command;
  const { settings, display, signal, known } = running;
  const paths = storePaths(command.root);
  const usesStdin = command.source === "-" || flags.file === "-";
  const options = {
    signal,
    onEvent: display.listen,
    ...usesStdin && { stdin: Deno.stdin.readable },
  };
  await using contexts = new AsyncDisposableStack();
  const opened = contexts.use(await openContext(paths, command.source, options));
  const { buildArgs, target } = settings.request;
  const loaded = await loadDockerfile(paths, opened, {
    ...options,
    file: flags.file,
    check: {
      buildArgs,
      ...target !== undefined && { target },
      allStages: settings.call.method !== "build",
    },
  });
  known.dockerfile = loaded.dockerfile;
  if (settings.call.method !== "build") return await evaluate(command, running, loaded);
  const open = (source: string) => openContext(paths, source, options);
  const namedContexts = await openNamed(settings.contexts, contexts, open);
  const context = opened.toContext(loaded.ignore);
  const request = {
    ...settings.request,
    dockerfile: loaded.dockerfile,
    namedContexts,
    ...context && { context },
  };
  const { buildAndDeliver } = await lazy<typeof import("./deliver.ts")>(
    "./deliver.ts",
    import.meta.url,
  );
  const isQuiet = running.mode === "quiet";
  await buildAndDeliver(request, { settings, flags, engine, out, display, signal, isQuiet });
  display.finish();
  await showWarnings(command, display, loaded);
  return 0;
}

async function evaluate(
  { out, flags }: BuildCommand,
  { settings, display }: Running,
  loaded: LoadedDockerfile,
): Promise<number> {
  display.finish();
  const { evaluateDockerfile } = await lazy<typeof import("./evaluate.ts")>(
    "./evaluate.ts",
    import.meta.url,
  );
  const { text, exitCode } = evaluateDockerfile(loaded, {
    ...settings.call,
    ...flags.target !== "" && { target: flags.target },
    buildArgs: settings.request.buildArgs,
  });
  out.write(text);
  return exitCode;
}

async function openNamed(
  contexts: BuildSettings["contexts"],
  stack: AsyncDisposableStack,
  open: (source: string) => Promise<OpenedContext>,
): Promise<Map<string, NamedContext>> {
  const found = new Map<string, NamedContext>();
  for (const [name, source] of contexts) {
    if (source.startsWith("docker-image://")) {
      found.set(name, { kind: "image", reference: source.slice("docker-image://".length) });
      continue;
    }
    if (source.startsWith("oci-layout://") || source.startsWith("target:")) {
      throw new DhowError(
        "unsupported",
        `Cannot use ${source} as build context ${name}: use a directory, docker-image://, ` +
          "an archive's or a repository's address",
      );
    }
    if (source === "-") throw invalid(`build context ${name} cannot be stdin`);
    const opened = stack.use(
      await open(source).catch((error) => {
        throw notOpened(name, source, error);
      }),
    );
    const context = opened.toContext(await readIgnore(opened));
    if (context === undefined) throw invalid(`build context ${name} is a file, not a directory`);
    found.set(name, { kind: "directory", context });
  }
  return found;
}

function notOpened(name: string, source: string, error: unknown): unknown {
  if (!(error instanceof DhowError)) return error;
  const why = error.code === "not_found" && error.message.startsWith("unable to prepare")
    ? `stat ${source}: no such file or directory`
    : error.message;
  return new DhowError(error.code, `failed to get build context ${name}: ${why}`, {
    cause: error,
  });
}

async function readIgnore(opened: OpenedContext): Promise<string[]> {
  const { findDockerfile } = await lazy<
    typeof import("../../core/build/context/find_dockerfile.ts")
  >("../../core/build/context/find_dockerfile.ts", import.meta.url);
  return (await findDockerfile(opened, "-")).ignore;
}

async function showWarnings(
  { err, flags, debug }: BuildCommand,
  { steps: { warnings } }: Display,
  { dockerfile }: LoadedDockerfile,
): Promise<void> {
  if (warnings.length === 0 || flags.quiet) return;
  if (flags.debug || debug) {
    const { formatChecks } = await lazy<typeof import("./evaluate.ts")>(
      "./evaluate.ts",
      import.meta.url,
    );
    err.write(`\n${formatChecks(dockerfile, warnings)}`);
    return;
  }
  const { formatWarnings } = await loadFailure();
  err.write(formatWarnings(warnings, err.isTerminal() && !Deno.env.get("NO_COLOR")));
}

/** Puts what the user needs to see of a failure above its message. */
async function explain(
  error: unknown,
  { display, dockerfile, err }: {
    display: Display | undefined;
    dockerfile: Dockerfile | undefined;
    err: Output;
  },
): Promise<unknown> {
  if (error instanceof ExitError) {
    // Ctrl-C; docker's last words.
    if (error.message !== "") return error;
    return new ExitError(error.exitCode, "ERROR: failed to build: failed to solve: Canceled");
  }
  // What the file system refuses has a code; what has none is a fault of ours, and keeps its stack.
  const isKnown = error instanceof Error &&
    (error instanceof DhowError || error.name === "SyscallError" || "code" in error);
  if (!isKnown) return error;
  let text = "";
  if (display !== undefined && display.steps.failed.length > 0) {
    const { formatFailedSteps } = await loadFailure();
    text += formatFailedSteps(display.steps.failed, err.isTerminal());
  }
  if (display !== undefined && display.steps.warnings.length > 0) {
    const { formatWarnings } = await loadFailure();
    text += formatWarnings(display.steps.warnings, err.isTerminal() && !Deno.env.get("NO_COLOR"));
  }
  text += excerptOf(error, dockerfile);
  const message = error.message.split("\n").map((line) => printable(line)).join("\n");
  return new ExitError(1, `${text}ERROR: failed to build: ${message}`, {
    cause: error,
  });
}

function excerptOf(
  error: Error & { range?: SourceRange; excerpt?: string },
  dockerfile: Dockerfile | undefined,
): string {
  if (error.excerpt) return error.excerpt;
  return error.range && dockerfile ? formatExcerpt(dockerfile, error.range) : "";
}

async function loadFailure() {
  return await lazy<typeof import("./display/failure.ts")>(
    "./display/failure.ts",
    import.meta.url,
  );
}
