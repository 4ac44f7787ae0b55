/**
 * A Dockerfile parsed and checked, as a build begins with it.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { resolveImageId } from "../image/resolve.ts";
import { readConfig } from "../image/stored_image.ts";
import type { BuildWarning, Dockerfile } from "./dockerfile/ast.ts";
import { lintDockerfile, lintFailure, type LintOptions } from "./dockerfile/lint.ts";
import { parseDockerfile } from "./dockerfile/parse.ts";

/** How to read. */
export interface ReadDockerfileOptions
  extends Pick<LintOptions, "buildArgs" | "target" | "allStages" | "ignore"> {
  /** What messages call it. @default "Dockerfile" */
  name?: string;
  /** Told of each warning. */
  onWarning?: (warning: BuildWarning) => void;
}

/**
 * Parses `text` and looks for what is not as it should be.
 *
 * @throws {DockerfileError} If it cannot be understood, or has warnings that it says are errors.
 */
export function readDockerfile(
  paths: StorePaths,
  text: string,
  options: ReadDockerfileOptions = {},
): { dockerfile: Dockerfile; warnings: BuildWarning[] } {
  const { name, onWarning, ...rest } = options;
  const { dockerfile, warnings: found } = parseDockerfile(text, name);
  const warnings = lintDockerfile(dockerfile, {
    ...rest,
    warnings: found,
    environmentOf: (base) => environmentOf(paths, base),
  });
  for (const warning of warnings) onWarning?.(warning);
  const failure = lintFailure(dockerfile, warnings);
  if (failure !== undefined && !options.allStages) throw failure;
  return { dockerfile, warnings };
}

/** Variables of an image that is here. */
function environmentOf(paths: StorePaths, base: string): readonly string[] | undefined {
  try {
    return readConfig(paths, resolveImageId(paths, base)).config?.Env ?? [];
  } catch {
    return undefined; // not here, or no reference: the build will say
  }
}
