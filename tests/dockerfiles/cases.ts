/**
 * The Dockerfiles here: one directory each, with `context/` (and the Dockerfile in it), `build.json` for what it needs
 * beside, and `expected.json`, what another builder has made of it.
 *
 * @module
 */
import type { FileRecord } from "./image_archive.ts";

/** `build.json`. */
export interface BuildOptions {
  buildArgs?: Record<string, string>;
  labels?: Record<string, string>;
  target?: string;
  /** Modes of files that git does not keep, in octal. */
  modes?: Record<string, string>;
  /** Directories that git does not keep. */
  directories?: string[];
  /** Whose result counts where builders differ, or do not all know how. @default "buildah" */
  oracle?: "buildah" | "docker";
}

/** `expected.json`. */
export interface Expected {
  config: Record<string, unknown>;
  /** What differs from the base image. */
  files: Record<string, FileRecord>;
  /** What the base image has, and this has not. */
  removed: string[];
}

/** A Dockerfile and what belongs to it. */
export interface Case {
  name: string;
  /** Ends in a slash. */
  directory: URL;
  options: BuildOptions;
}

/** All of them, or those named. */
export function readCases(names: readonly string[] = []): Case[] {
  const here = new URL("./", import.meta.url);
  const directories = [...Deno.readDirSync(here)].filter((entry) => entry.isDirectory);
  return directories.map(({ name }) => name).sort().filter((name) =>
    names.length === 0 || names.includes(name)
  ).map((name) => {
    const directory = new URL(`${name}/`, here);
    return { name, directory, options: readJson<BuildOptions>(directory, "build.json") ?? {} };
  });
}

/** What is expected; undefined if nothing was recorded. */
export function readExpected(entry: Case): Expected | undefined {
  return readJson<Expected>(entry.directory, "expected.json");
}

/** Copies a context, with the modes it is to have however this checkout was made. */
export async function prepareContext(entry: Case, target: string): Promise<void> {
  await copyTree(new URL("context", entry.directory).pathname, target);
  for (const directory of entry.options.directories ?? []) {
    await Deno.mkdir(`${target}/${directory}`, { recursive: true });
    for (let path = directory; path !== ""; path = path.replace(/\/?[^/]*$/, "")) {
      await Deno.chmod(`${target}/${path}`, 0o755);
    }
  }
  for (const [path, mode] of Object.entries(entry.options.modes ?? {})) {
    await Deno.chmod(`${target}/${path}`, parseInt(mode, 8));
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  await Deno.chmod(to, 0o755);
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(from)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    if (isDirectory) await copyTree(source, target);
    else if (isSymlink) await Deno.symlink(await Deno.readLink(source), target);
    else {
      const { mode } = await Deno.stat(source);
      await Deno.copyFile(source, target);
      await Deno.chmod(target, (mode! & 0o100) === 0 ? 0o644 : 0o755);
    }
  }
}

function readJson<T>(directory: URL, name: string): T | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(new URL(name, directory)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
