/**
 * Which Dockerfile, and which list of what to ignore, belong to a context.
 *
 * @module
 */
import { DhowError } from "../../errors.ts";
import { lazy } from "../../lib/lazy.ts";
import type { FoundDockerfile, OpenedContext } from "./open_context.ts";

/** A Dockerfile, and what of the context it does not want. */
export interface DockerfileAndIgnore {
  dockerfile: FoundDockerfile;
  /** Lines of `NAME.dockerignore` or `.dockerignore`; none if there is neither. */
  ignore: string[];
}

/** Names that are tried in order if none was given. */
const DEFAULTS = ["Dockerfile", "dockerfile", "Containerfile"];

/**
 * Reads the Dockerfile `file`.
 *
 * @param file `--file`: from the working directory, or from the top of a context that came as an archive or repository;
 *   empty for the default; `-` for `stdin`; an address.
 * @throws {DhowError} `not_found` in docker's words.
 */
export async function findDockerfile(
  opened: OpenedContext,
  file: string,
  stdin?: () => Promise<string>,
): Promise<DockerfileAndIgnore> {
  if (file === "-") {
    const dockerfile = { name: "Dockerfile", text: await stdin?.() ?? "" };
    return { dockerfile, ignore: await readIgnore(opened, undefined) };
  }
  if (opened.dockerfile !== undefined) {
    return { dockerfile: { name: "Dockerfile", text: opened.dockerfile }, ignore: [] };
  }
  if (/^https?:\/\//.test(file)) {
    const dockerfile = { name: "Dockerfile", text: await download(file) };
    return { dockerfile, ignore: await readIgnore(opened, undefined) };
  }
  for (const name of file === "" ? DEFAULTS : [file]) {
    const path = opened.isForeign || file !== "" ? name : `${opened.directory}/${name}`;
    const text = await readFrom(opened, path);
    if (text === undefined) continue;
    const shown = name.slice(name.lastIndexOf("/") + 1);
    return { dockerfile: { name: shown, text }, ignore: await readIgnore(opened, path) };
  }
  throw new DhowError(
    "not_found",
    `failed to solve: failed to read dockerfile: open ${
      file || DEFAULTS[0]
    }: no such file or directory`,
  );
}

async function readIgnore(
  opened: OpenedContext,
  dockerfile: string | undefined,
): Promise<string[]> {
  if (opened.directory === undefined) return [];
  const own = dockerfile === undefined
    ? undefined
    : await readFrom(opened, `${dockerfile}.dockerignore`);
  const common = opened.isForeign ? ".dockerignore" : `${opened.directory}/.dockerignore`;
  const text = own ?? await readFrom(opened, common);
  return text === undefined ? [] : text.split("\n");
}

async function readFrom(opened: OpenedContext, path: string): Promise<string | undefined> {
  if (opened.isForeign) {
    const { readTextInRoot } = await lazy<typeof import("./read_in_root.ts")>(
      "./read_in_root.ts",
      import.meta.url,
    );
    return readTextInRoot(opened.directory!, path);
  }
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new DhowError(
      "invalid_argument",
      `failed to solve: failed to read dockerfile: open ${path}: ${reason}`,
      { cause: error },
    );
  }
}

async function download(url: string): Promise<string> {
  const { openDownload } = await lazy<typeof import("./download.ts")>(
    "./download.ts",
    import.meta.url,
  );
  const { peekStream } = await lazy<typeof import("./peek.ts")>("./peek.ts", import.meta.url);
  return await (await peekStream(await openDownload(url))).text();
}
