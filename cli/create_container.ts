/**
 * Creates a container for `run` and `create`: request, image, cidfile, and their way to fail.
 *
 * @module
 */
import type { Engine } from "../core/engine/engine.ts";
import { DhowError } from "../core/errors.ts";
import { lazy } from "../core/lib/lazy.ts";
import type { ContainerCreate } from "../core/spec/docker_api.ts";
import { ExitError } from "./errors.ts";
import { errorText } from "./for_each.ts";
import type { Output } from "./output/stream.ts";
import { buildCreateRequest, type RunArguments } from "./run_config.ts";

/** What creating needs besides the command line. */
export interface CreateContext extends RunArguments {
  engine: Engine;
  err: Output;
  /** As the user called it: `run`, `container create`. */
  path: string;
}

/** A container just made. */
export interface Created {
  id: string;
  request: ContainerCreate;
}

/**
 * Creates the container.
 *
 * @param prepare Last changes to the request.
 */
export async function createContainer(
  context: CreateContext,
  prepare: (request: ContainerCreate) => void = () => {},
): Promise<Created> {
  const { err, flags } = context;
  const request = buildCreateRequest(context);
  prepare(request);
  if (flags.cidfile !== "") assertNoCidfile(flags.cidfile);
  const { id, warnings } = await pullAndCreate(context, request);
  for (const warning of warnings) err.line(`WARNING: ${warning}`);
  if (flags.cidfile !== "") writeCidfile(flags.cidfile, id);
  return { id, request };
}

/** Creates the container from the image that is there, or that is fetched because it is missing or asked for anew. */
async function pullAndCreate(
  context: CreateContext,
  request: ContainerCreate,
): Promise<{ id: string; warnings: string[] }> {
  const { engine, err, flags } = context;
  const image = request.config.Image;
  if (flags.pull === "always") await pullMissing(context, image);
  try {
    return await engine.containers.create(request);
  } catch (error) {
    const isNotFound = error instanceof DhowError && error.code === "not_found";
    if (!isNotFound || flags.pull !== "missing" || await hasImage(engine, image)) throw error;
    const name = /[:@][^/]*$/.test(image) ? image : image + ":latest";
    if (!flags.quiet) err.line(`Unable to find image '${name}' locally`);
    await pullMissing(context, image);
    return await engine.containers.create(request);
  }
}

/** Fetches an image, telling on stderr: stdout is the container's. */
async function pullMissing({ engine, err, flags }: CreateContext, image: string): Promise<void> {
  const { pullForRun } = await lazy<typeof import("./pull_for_run.ts")>(
    "./pull_for_run.ts",
    import.meta.url,
  );
  await pullForRun(engine, image, { err, quiet: flags.quiet, platform: flags.platform });
}

async function hasImage(engine: Engine, name: string): Promise<boolean> {
  try {
    await engine.images.inspect(name);
    return true;
  } catch {
    return false;
  }
}

function assertNoCidfile(path: string): void {
  try {
    Deno.lstatSync(path);
  } catch {
    return;
  }
  throw new DhowError(
    "conflict",
    `container ID file found, make sure the other container isn't running or delete ${path}`,
  );
}

function writeCidfile(path: string, id: string): void {
  try {
    Deno.writeTextFileSync(path, id, { createNew: true });
  } catch (error) {
    throw new DhowError("invalid_argument", `failed to create the container ID file: ${path}`, {
      cause: error,
    });
  }
}

/** The error of a failed `run`, `create` or `exec` with docker's status: 126, 127, else 125. */
export function toRunError(error: unknown, path: string): unknown {
  const name = error instanceof Error ? error.name : "";
  if (name !== "DhowError" && name !== "SyscallError") return error;
  const code = error instanceof DhowError ? error.code : "";
  const exitCode = code === "command_not_found"
    ? 127
    : code === "command_not_executable"
    ? 126
    : 125;
  const message = `dhow: ${errorText(error)}\n\nRun 'dhow ${path} --help' for more information`;
  return new ExitError(exitCode, message, { cause: error });
}
