/**
 * The Dockerfile of a build, wherever it comes from: a file, stdin, an address, a TypeScript module.
 *
 * @module
 */
import { findDockerfile } from "../../core/build/context/find_dockerfile.ts";
import type { OpenedContext } from "../../core/build/context/open_context.ts";
import { step, type StepReport } from "../../core/build/context/step.ts";
import type { BuildWarning, Dockerfile } from "../../core/build/dockerfile/ast.ts";
import { readDockerfile, type ReadDockerfileOptions } from "../../core/build/read_dockerfile.ts";
import type { BuildListener } from "../../core/build/request.ts";
import type { StorePaths } from "../../core/host/paths.ts";
import { lazy } from "../../core/lib/lazy.ts";
import { formatSize } from "../../core/lib/units.ts";

/** How to load. */
export interface LoadOptions {
  /** `--file`. */
  file: string;
  /** What is known of the build besides. */
  check: Pick<ReadDockerfileOptions, "buildArgs" | "target" | "allStages">;
  /** @default nothing */
  stdin?: ReadableStream<Uint8Array>;
  onEvent: BuildListener;
  signal: AbortSignal;
}

/** A Dockerfile understood, with what is to be found fault with. */
export interface LoadedDockerfile {
  dockerfile: Dockerfile;
  /** The whole text. */
  text: string;
  warnings: BuildWarning[];
  /** Lines of the `.dockerignore`. */
  ignore: string[];
}

/** @throws {DhowError} `not_found`; `DockerfileError` if it cannot be understood. */
export async function loadDockerfile(
  paths: StorePaths,
  opened: OpenedContext,
  options: LoadOptions,
): Promise<LoadedDockerfile> {
  const { file, onEvent } = options;
  const shown = file === "" || file === "-" ? "Dockerfile" : file.slice(file.lastIndexOf("/") + 1);
  const name = `[internal] load build definition from ${shown}`;
  let wrong: unknown;
  const loaded = await step(onEvent, name, async ({ status, log }) => {
    const { dockerfile: found, ignore } = isScript(file)
      ? await loadScript(opened, { ...options, log })
      : await findDockerfile(opened, file, () => readStdin(options));
    const bytes = new TextEncoder().encode(found.text).length;
    status(`transferring dockerfile: ${formatSize(bytes)}`);
    try {
      const read = readDockerfile(paths, found.text, {
        ...options.check,
        name: found.name,
        ignore,
        // Who only looks gets them as the answer.
        ...!options.check.allStages && {
          onWarning: (warning) => onEvent({ kind: "warning", warning }),
        },
      });
      return { ...read, text: found.text, ignore };
    } catch (error) {
      // It was loaded; what is wrong is what it says.
      wrong = error;
      return undefined;
    }
  });
  if (loaded === undefined) throw wrong;
  return loaded;
}

/** Only what nobody can take for a Dockerfile, which is not run on this machine, whatever it says. */
function isScript(file: string): boolean {
  const name = file.slice(file.lastIndexOf("/") + 1);
  return name.endsWith(".ts") && !/^(docker|container)file/i.test(name);
}

async function loadScript(
  opened: OpenedContext,
  { file, signal, log }: LoadOptions & Pick<StepReport, "log">,
) {
  const { runBuildScript } = await lazy<typeof import("./build_script.ts")>(
    "./build_script.ts",
    import.meta.url,
  );
  const text = await runBuildScript(file, { signal, onOutput: log });
  const { ignore } = await findDockerfile(opened, "-");
  return { dockerfile: { name: file.slice(file.lastIndexOf("/") + 1), text }, ignore };
}

async function readStdin({ stdin, signal }: LoadOptions): Promise<string> {
  if (stdin === undefined) return "";
  const { peekStream } = await lazy<typeof import("../../core/build/context/peek.ts")>(
    "../../core/build/context/peek.ts",
    import.meta.url,
  );
  return await (await peekStream(stdin, signal)).text();
}
