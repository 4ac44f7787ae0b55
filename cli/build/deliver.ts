/**
 * Builds, and brings what was built where it was asked for.
 *
 * @module
 */
import { step } from "../../core/build/context/step.ts";
import type { BuildRequest, BuildResult } from "../../core/build/request.ts";
import type { Engine } from "../../core/engine/engine.ts";
import { DhowError } from "../../core/errors.ts";
import { lazy } from "../../core/lib/lazy.ts";
import { familiarReference, parseReference } from "../../core/lib/reference.ts";
import { assertTarget, writeArchive } from "../output_file.ts";
import type { Output } from "../output/stream.ts";
import type { Display } from "./display/display.ts";
import { invalid } from "./fields.ts";
import type { BuildFlags } from "./flags.ts";
import type { BuildOutput } from "./output_flags.ts";
import type { BuildSettings } from "./settings.ts";

/** What delivery works with. */
export interface Delivery {
  settings: BuildSettings;
  flags: BuildFlags;
  engine: Engine;
  out: Output;
  display: Display;
  signal: AbortSignal;
  /** Print the image's id, and nothing else. */
  isQuiet: boolean;
}

/** Builds `request` and writes all outputs. */
export async function buildAndDeliver(request: BuildRequest, delivery: Delivery): Promise<void> {
  const { settings: { outputs }, flags, engine, out, display, signal } = delivery;
  for (const output of outputs) assertWritable(output, out);
  for (const path of [flags.iidfile, flags.metadataFile]) {
    if (path !== "") assertTarget({ path, out, doing: "write build result" });
  }
  // An archive of the image carries its names, so it needs them for a moment.
  const isKept = outputs.some(({ kind }) => kind === "image");
  const before = isKept ? undefined : await imageNames(engine);
  const needsNames = isKept || outputs.some(({ kind }) => kind === "oci" || kind === "docker");
  const result = await engine.builder.build(
    { ...request, tags: needsNames ? request.tags : [] },
    { onEvent: display.listen, signal },
  ).catch((error) => {
    throw asSolveError(error);
  });
  try {
    for (const output of outputs) await deliver(output, { ...delivery, request, result });
  } finally {
    if (before !== undefined) await forget(engine, result.imageId, before);
  }
  if (flags.iidfile !== "") await Deno.writeTextFile(flags.iidfile, result.imageId);
  if (flags.metadataFile !== "") await writeMetadata(flags.metadataFile, request, result);
  if (delivery.isQuiet) out.line(isKept ? result.imageId : "");
}

/** What fails while building is docker's `failed to solve`. */
function asSolveError(error: unknown): unknown {
  if (!(error instanceof DhowError) || error.message.startsWith("failed to solve: ")) return error;
  error.message = `failed to solve: ${error.message}`;
  return error;
}

function assertWritable(output: BuildOutput, out: Output): void {
  if (output.kind !== "tar" && output.kind !== "oci" && output.kind !== "docker") return;
  if (output.path === "" && out.isTerminal()) {
    throw invalid(
      `dest file is required for ${output.kind} exporter. refusing to write to console`,
    );
  }
  if (output.path !== "") assertTarget({ path: output.path, out, doing: "export build" });
}

async function deliver(
  output: BuildOutput,
  delivery: Delivery & { request: BuildRequest; result: BuildResult },
): Promise<void> {
  const { engine, out, display, signal, request, result } = delivery;
  switch (output.kind) {
    case "image":
      return;
    case "push":
      for (const tag of request.tags) await push(tag, delivery);
      return;
    case "local": {
      const { directory } = output;
      return await step(display.listen, "exporting to client directory", async () => {
        const { unpackForCaller } = await lazy<
          typeof import("../../core/build/context/caller_tree.ts")
        >("../../core/build/context/caller_tree.ts", import.meta.url);
        await Deno.mkdir(directory, { recursive: true });
        const tar = await engine.builder.exportRoot(result.imageId, { signal });
        await unpackForCaller(tar, directory, { exactModes: true, signal });
      });
    }
    case "tar":
      return await step(display.listen, "exporting to client tarball", async () => {
        const tar = await engine.builder.exportRoot(result.imageId, { signal });
        await writeArchive(tar, { path: output.path, out, doing: "export build" });
      });
    case "oci":
    case "docker":
      return await step(display.listen, `exporting to ${output.kind} image format`, async () => {
        const names = request.tags.length > 0 ? request.tags : [result.imageId];
        const tar = await engine.images.save(names, {
          format: output.kind === "oci" ? "oci" : "docker-archive",
        });
        await writeArchive(tar, { path: output.path, out, doing: "export build" });
      });
  }
}

async function push(tag: string, { engine, display, signal }: Delivery): Promise<void> {
  const name = familiarReference(parseReference(tag));
  await step(display.listen, `pushing ${name}`, async ({ status }) => {
    await engine.images.push(tag, {
      signal,
      onProgress: (event) => {
        if (event.kind === "message") return;
        const isDone = /^(Pushed|Layer already exists|Mounted from)/.test(event.status);
        status(`layer ${event.id}`, isDone, event.currentBytes);
      },
    });
  });
}

/** Names of every image that is here, by id. */
async function imageNames(engine: Engine): Promise<Map<string, string[]>> {
  const images = await engine.images.list({ all: true });
  return new Map(images.map(({ Id, RepoTags }) => [Id, RepoTags ?? []]));
}

/** Removes an image that was only wanted as an archive, unless it was here before; its layers stay in the cache. */
async function forget(
  engine: Engine,
  imageId: string,
  before: ReadonlyMap<string, string[]>,
): Promise<void> {
  const now = (await imageNames(engine)).get(imageId) ?? [];
  const old = before.get(imageId);
  const names = now.filter((name) => !old?.includes(name));
  for (const name of names) await engine.images.remove(name, { noPrune: true });
  if (old === undefined && names.length === 0) {
    await engine.images.remove(imageId, { noPrune: true });
  }
}

async function writeMetadata(
  path: string,
  request: BuildRequest,
  { imageId, manifest }: BuildResult,
): Promise<void> {
  const metadata = {
    "buildx.build.ref": `default/default/${crypto.randomUUID().replaceAll("-", "").slice(0, 25)}`,
    "containerimage.config.digest": imageId,
    "containerimage.digest": manifest,
    ...request.tags.length > 0 && { "image.name": request.tags.join(",") },
  };
  await Deno.writeTextFile(path, JSON.stringify(metadata, undefined, 2));
}
