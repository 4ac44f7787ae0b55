/**
 * The build context: what `PATH | URL | -` on the command line means.
 *
 * A directory stays where it is and costs nothing until it is copied from. Archives, downloads and repositories become a
 * directory below the store's `tmp`, which goes when the build has ended, or with the next sweep.
 *
 * @module
 */
import { DhowError } from "../../errors.ts";
import type { StorePaths } from "../../host/paths.ts";
import { lazy } from "../../lib/lazy.ts";
import { leaseStore } from "../../store/layout.ts";
import type { BuildContext, BuildListener } from "../request.ts";
import { step } from "./step.ts";

/** How to open a context. */
export interface OpenContextOptions {
  /** Read if the source is `-`. @default nothing */
  stdin?: ReadableStream<Uint8Array>;
  /** Ends it; the promise rejects with its reason. */
  signal?: AbortSignal;
  /** Told of downloads. */
  onEvent?: BuildListener;
}

/** A Dockerfile as it was found. */
export interface FoundDockerfile {
  /** What messages call it. */
  name: string;
  text: string;
}

/** Files of a build, and where its Dockerfile is looked for. Disposing removes what was made for it. */
export class OpenedContext implements AsyncDisposable {
  /** Undefined: there are no files. */
  readonly directory: string | undefined;
  /** Whether strangers made the directory: links in it are not followed out of it. */
  readonly isForeign: boolean;
  /** The Dockerfile, where the source was that and nothing else. */
  readonly dockerfile: string | undefined;
  readonly #dispose: () => Promise<void>;

  constructor(
    found: { directory?: string; isForeign?: boolean; dockerfile?: string },
    dispose: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.directory = found.directory;
    this.isForeign = found.isForeign ?? false;
    this.dockerfile = found.dockerfile;
    this.#dispose = dispose;
  }

  /** For a build. @param ignore Lines of a `.dockerignore`. */
  toContext(ignore: readonly string[]): BuildContext | undefined {
    return this.directory === undefined ? undefined : { directory: this.directory, ignore };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispose();
  }
}

/**
 * Opens what `source` means.
 *
 * @param source A directory, `-`, the address of a repository, an archive or a Dockerfile.
 * @throws {DhowError} In docker's words.
 */
export async function openContext(
  paths: StorePaths,
  source: string,
  options: OpenContextOptions = {},
): Promise<OpenedContext> {
  if (source === "-") {
    const stdin = options.stdin ?? new ReadableStream({ start: (stream) => stream.close() });
    const name = "[internal] load remote build context";
    return await step(options.onEvent, name, () => openStream(paths, stdin, options));
  }
  const directory = await realDirectory(source);
  if (directory !== undefined) return new OpenedContext({ directory });
  const { parseGitSource, checkOut } = await lazy<typeof import("./git_source.ts")>(
    "./git_source.ts",
    import.meta.url,
  );
  const git = parseGitSource(source);
  if (git !== undefined) {
    return await step(
      options.onEvent,
      `[internal] load git source ${source}`,
      () =>
        inTemporary(paths, async (temporary) => {
          await checkOut(git, temporary, options);
          return git.directory === undefined
            ? temporary
            : await subdirectory(temporary, git.directory);
        }),
    );
  }
  if (/^https?:\/\//.test(source)) {
    return await step(options.onEvent, "[internal] load remote build context", async () => {
      const { openDownload } = await lazy<typeof import("./download.ts")>(
        "./download.ts",
        import.meta.url,
      );
      return await openStream(paths, await openDownload(source, options.signal), options);
    });
  }
  throw new DhowError(
    "not_found",
    `unable to prepare context: path ${JSON.stringify(source)} not found`,
  );
}

async function realDirectory(path: string): Promise<string | undefined> {
  try {
    const real = await Deno.realPath(path);
    return (await Deno.stat(real)).isDirectory ? real : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

/** An archive, or a Dockerfile on its own: the first block says which. */
async function openStream(
  paths: StorePaths,
  stream: ReadableStream<Uint8Array>,
  options: OpenContextOptions,
): Promise<OpenedContext> {
  const { peekStream } = await lazy<typeof import("./peek.ts")>("./peek.ts", import.meta.url);
  const { isArchive, text, rest } = await peekStream(stream, options.signal);
  if (!isArchive) return new OpenedContext({ dockerfile: await text() });
  const { unpackForCaller } = await lazy<typeof import("./caller_tree.ts")>(
    "./caller_tree.ts",
    import.meta.url,
  );
  return await inTemporary(paths, async (temporary) => {
    await unpackForCaller(rest, temporary, options);
    return temporary;
  });
}

/** A directory of strangers' files; gone if making it fails. @param make Answers where the context is in it. */
async function inTemporary(
  paths: StorePaths,
  make: (temporary: string) => Promise<string>,
): Promise<OpenedContext> {
  // The sweep leaves everything alone that stands below `tmp` while somebody holds a lease.
  const lease = leaseStore(paths);
  const temporary = `${paths.tmp}/context-${crypto.randomUUID()}`;
  const dispose = async () => {
    try {
      await Deno.remove(temporary, { recursive: true });
    } finally {
      lease[Symbol.dispose]();
    }
  };
  try {
    await Deno.mkdir(temporary, { mode: 0o700 });
    return new OpenedContext({ directory: await make(temporary), isForeign: true }, dispose);
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function subdirectory(root: string, path: string): Promise<string> {
  let real: string | undefined;
  try {
    real = await Deno.realPath(`${root}/${path}`);
  } catch { /* it is not there */ }
  if (real?.startsWith(`${await Deno.realPath(root)}/`) && (await Deno.stat(real)).isDirectory) {
    return real;
  }
  throw new DhowError("not_found", `subdir ${JSON.stringify(path)} not found in the repository`);
}
