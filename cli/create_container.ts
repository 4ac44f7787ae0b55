/**
 * Creates a container for `run` and `create`: request, image, cidfile, and their way to fail.
 *
 * @module
 */
import type { Engine } from "../core/engine/engine.ts";
import { DhowError } from "../core/errors.ts";
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
  const { engine, err, flags } = context;
  const request = buildCreateRequest(context);
  prepare(request);
  if (flags.cidfile !== "") assertNoCidfile(flags.cidfile);
  if (flags.pull === "always") {
    throw new DhowError("unsupported", "--pull always is not supported yet: " + HOW_TO_GET);
  }
  const { id, warnings } = await createOrExplain(engine, request, { pull: flags.pull, err });
  for (const warning of warnings) err.line(`WARNING: ${warning}`);
  if (flags.cidfile !== "") writeCidfile(flags.cidfile, id);
  return { id, request };
}

/** What there is instead of a pull. */
const HOW_TO_GET = "dhow cannot pull yet, get the image with `dhow load -i FILE` or " +
  "`dhow import FILE NAME`";

async function createOrExplain(
  engine: Engine,
  request: ContainerCreate,
  options: { pull: string; err: Output },
): Promise<{ id: string; warnings: string[] }> {
  try {
    return await engine.containers.create(request);
  } catch (error) {
    const isNotFound = error instanceof DhowError && error.code === "not_found";
    if (!isNotFound || await hasImage(engine, request.config.Image)) throw error;
    if (options.pull === "never") throw error;
    const image = request.config.Image;
    const name = /[:@][^/]*$/.test(image) ? image : image + ":latest";
    options.err.line(`Unable to find image '${name}' locally`);
    throw new DhowError("not_found", `No such image: ${name}: ${HOW_TO_GET}`, { cause: error });
  }
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
