/**
 * Builds from scripts.
 *
 * @module
 */
import { findDockerfile } from "../build/context/find_dockerfile.ts";
import { openContext } from "../build/context/open_context.ts";
import { readDockerfile } from "../build/read_dockerfile.ts";
import type { BuildListener, BuildRequest, BuildSecret, NamedContext } from "../build/request.ts";
import type { Engine } from "../engine/engine.ts";
import { LocalEngine, openLocalEngine } from "../engine/local.ts";
import { type StorePaths, storePaths } from "../host/paths.ts";
import { canonicalReference, parseReference } from "../lib/reference.ts";
import { BuiltImage } from "./built_image.ts";

/** Where a secret is. It never reaches a layer, the cache, the history or a log. */
export type SecretSource = { file: string } | { env: string } | { value: string | Uint8Array };

/** How to build from a script. */
export interface BuildScriptOptions {
  /** Names for the image. */
  tag?: string | readonly string[];
  /** Where `copy()` finds files: a directory, or the address of an archive or repository. @default none */
  context?: string;
  /** Further contexts by name: directories, addresses, `docker-image://REFERENCE`. */
  contexts?: Readonly<Record<string, string>>;
  /** Values of `arg()`. */
  buildArgs?: Readonly<Record<string, string>>;
  /** For mounts of type `secret`, by id. */
  secrets?: Readonly<Record<string, SecretSource>>;
  /** For mounts of type `ssh`: sockets of agents, by id. */
  ssh?: Readonly<Record<string, string>>;
  /** Further labels. */
  labels?: Readonly<Record<string, string>>;
  /** `linux/arm64`. @default this machine's */
  platform?: string;
  /** The stage to build, by its name. @default the image itself */
  target?: string;
  /** Do everything again. @default false */
  noCache?: boolean;
  /** Ask registries for newer base images. @default false */
  pull?: boolean;
  /** For `run()`. @default "default" */
  network?: "default" | "none" | "host";
  /** All layers become one. @default false */
  squash?: boolean;
  /** Unix seconds: all times in the image. */
  sourceDateEpoch?: number;
  /** Where to build. @default the user's own store */
  engine?: Engine;
  /** Told what happens. */
  onEvent?: BuildListener;
  /** Ends the build; the promise rejects with its reason. What was finished stays in the cache. */
  signal?: AbortSignal;
}

/** Builds the text of a Dockerfile. */
export async function buildDockerfile(
  text: string,
  options: BuildScriptOptions = {},
): Promise<BuiltImage> {
  const { signal, onEvent, buildArgs = {} } = options;
  signal?.throwIfAborted();
  const engine = options.engine ?? await openLocalEngine();
  const tags = [options.tag ?? []].flat().map((tag) => canonicalReference(parseReference(tag)));
  const paths = engine instanceof LocalEngine ? engine.paths : storePaths();
  await using files = await openFiles(paths, options);
  const { dockerfile, warnings } = readDockerfile(paths, text, {
    buildArgs: new Map(Object.entries(buildArgs)),
    ignore: files.context?.ignore ?? [],
    ...onEvent && { onWarning: (warning) => onEvent({ kind: "warning", warning }) },
  });
  const request: BuildRequest = {
    ...toRequest(options),
    dockerfile,
    tags,
    namedContexts: files.namedContexts,
    ...files.context && { context: files.context },
  };
  const result = await engine.builder.build(request, {
    ...signal && { signal },
    ...onEvent && { onEvent },
  });
  return new BuiltImage(engine, { ...result, warnings: [...warnings, ...result.warnings] }, tags);
}

function toRequest(
  options: BuildScriptOptions,
): Omit<BuildRequest, "dockerfile" | "tags" | "namedContexts" | "context"> {
  const { target, platform, network = "default", sourceDateEpoch } = options;
  return {
    buildArgs: new Map(Object.entries(options.buildArgs ?? {})),
    ...target !== undefined && { target },
    ...platform !== undefined && { platform },
    labels: options.labels ?? {},
    secrets: Object.entries(options.secrets ?? {}).map(toSecret),
    ssh: Object.entries(options.ssh ?? {}).map(([id, socket]) => ({ id, socket })),
    noCache: options.noCache ?? false,
    pull: options.pull ?? false,
    cacheFrom: [],
    cacheTo: [],
    network,
    addHosts: [],
    ulimits: [],
    squash: options.squash ?? false,
    ...sourceDateEpoch !== undefined && { sourceDateEpoch },
    entitlements: network === "host" ? ["network.host"] : [],
  };
}

function toSecret([id, source]: [string, SecretSource]): BuildSecret {
  return {
    id,
    async read() {
      if ("file" in source) return await Deno.readFile(source.file);
      const value = "env" in source ? Deno.env.get(source.env) ?? "" : source.value;
      return typeof value === "string" ? new TextEncoder().encode(value) : value;
    },
  };
}

/** Contexts, opened until disposed. */
async function openFiles(paths: StorePaths, options: BuildScriptOptions) {
  const { signal, onEvent } = options;
  await using stack = new AsyncDisposableStack();
  const open = async (source: string) => {
    const opened = stack.use(
      await openContext(paths, source, { ...signal && { signal }, ...onEvent && { onEvent } }),
    );
    return opened.toContext((await findDockerfile(opened, "-")).ignore);
  };
  const context = options.context === undefined ? undefined : await open(options.context);
  const namedContexts = new Map<string, NamedContext>();
  for (const [name, source] of Object.entries(options.contexts ?? {})) {
    const [, reference] = /^docker-image:\/\/(.*)$/.exec(source) ?? [];
    const found = reference === undefined ? await open(source) : undefined;
    if (reference !== undefined) namedContexts.set(name, { kind: "image", reference });
    else if (found) namedContexts.set(name, { kind: "directory", context: found });
  }
  const moved = stack.move();
  return {
    ...context && { context },
    namedContexts,
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}
