/**
 * `dhow container cp`.
 *
 * @module
 */
import type { Containers, Engine } from "../../../core/engine/engine.ts";
import { formatSize } from "../../../core/lib/units.ts";
import { packStream } from "../../../core/layer/pack.ts";
import { TarReader } from "../../../core/layer/tar_reader.ts";
import { LayerUnpacker } from "../../../core/layer/unpack.ts";
import { command } from "../../command.ts";
import {
  copyBase,
  copyDirectory,
  type CopyEnd,
  meansContent,
  planCopy,
  rebase,
  splitCopyArgument,
} from "../../cp_paths.ts";
import { ExitError } from "../../errors.ts";
import type { Output } from "../../output/stream.ts";
import { toAbsolute } from "../../run_values.ts";

/** Copy files/folders between a container and the local filesystem. */
export const cp = command({
  name: "cp",
  summary: "Copy files/folders between a container and the local filesystem",
  description: "Copy files/folders between a container and the local filesystem\n\n" +
    "Use '-' as the source to read a tar archive from stdin\n" +
    "and extract it to a directory destination in a container.\n" +
    "Use '-' as the destination to stream a tar archive of a\n" +
    "container source to stdout.",
  args: ["CONTAINER:SRC_PATH DEST_PATH|-", "SRC_PATH|- CONTAINER:DEST_PATH"],
  flags: {
    archive: { type: "bool", short: "a", help: "Archive mode (copy all uid/gid information)" },
    followLink: { type: "bool", short: "L", help: "Always follow symbol link in SRC_PATH" },
    quiet: {
      type: "bool",
      short: "q",
      help: "Suppress progress output during copy. " +
        "Progress output is automatically suppressed if no terminal is attached",
    },
  },
  async run({ args, flags, engine, out, err }) {
    const [source, destination] = args.map(splitCopyArgument) as [Side, Side];
    const report = flags.quiet || !err.isTerminal() ? undefined : err;
    const options = { ...flags, out, report };
    if (source.container !== "" && destination.container !== "") {
      throw new ExitError(1, "copying between containers is not supported");
    }
    if (source.container !== "") return await copyOut(engine, { source, destination }, options);
    if (destination.container !== "") return await copyIn(engine, { source, destination }, options);
    throw new ExitError(1, "must specify at least one container source");
  },
});

interface Side {
  container: string;
  path: string;
}

interface Copy {
  source: Side;
  destination: Side;
}

interface CopyOptions {
  archive: boolean;
  followLink: boolean;
  out: Output;
  /** Where to say what was copied, if somebody watches. */
  report: Output | undefined;
}

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;

async function copyOut(
  engine: Engine,
  { source, destination }: Copy,
  options: CopyOptions,
): Promise<number> {
  const isStdout = destination.path === "-";
  const target = isStdout ? "" : absolute(destination.path);
  if (!isStdout) assertParent(target);
  let path = source.path;
  if (options.followLink) path = await followLink(engine.containers, { ...source, path });
  const { stat, tar } = await engine.containers.archive(source.container, path);
  if (isStdout) {
    for await (const bytes of tar) options.out.write(bytes);
    return 0;
  }
  const isDirectory = (stat.mode & S_IFMT) === S_IFDIR;
  const plan = plannedCopy({ path, exists: true, isDirectory }, await localEnd(target));
  // Where the link was followed, the copy is called what the user called it.
  const name = plan.name ?? (path === source.path ? undefined : copyBase(source.path));
  const size = await extract(tar, { directory: plan.directory, name, archive: options.archive });
  options.report?.line(`Successfully copied ${formatSize(size)} to ${target}`);
  return 0;
}

async function copyIn(
  engine: Engine,
  { source, destination }: Copy,
  options: CopyOptions,
): Promise<number> {
  const { container } = destination;
  if (destination.path === "") throw new ExitError(1, "no such directory");
  const end = await containerEnd(engine.containers, destination);
  if (source.path === "-") {
    if (!end.isDirectory) {
      const shown = `${container}:${destination.path}`;
      throw new ExitError(1, `destination ${JSON.stringify(shown)} must be a directory`);
    }
    await engine.containers.extract(container, end.path, Deno.stdin.readable, {
      noOverwriteDirNonDir: true,
      copyUidGid: options.archive,
    });
    return 0;
  }
  const path = absolute(source.path);
  const info = localInfo(path, options.followLink);
  const plan = plannedCopy({ path, exists: true, isDirectory: info.isDirectory }, end);
  let sizeBytes = 0;
  const tar = packStream({
    path: options.followLink ? await Deno.realPath(path) : path,
    name: plan.name ?? copyBase(path),
    edit: (entry) => {
      sizeBytes += entry.sizeBytes;
      return entry;
    },
  });
  await engine.containers.extract(container, plan.directory, tar, {
    noOverwriteDirNonDir: true,
    copyUidGid: options.archive,
  });
  const shown = `${container}:${destination.path}`;
  options.report?.line(`Successfully copied ${formatSize(sizeBytes)} to ${shown}`);
  return 0;
}

function plannedCopy(source: CopyEnd, destination: CopyEnd): ReturnType<typeof planCopy> {
  try {
    return planCopy(source, destination);
  } catch (error) {
    throw new ExitError(1, (error as Error).message);
  }
}

/** Absolute, with the final `/` or `/.` that has a meaning. */
function absolute(path: string): string {
  const clean = toAbsolute(path);
  if (meansContent(path)) return clean === "/" ? "/." : clean + "/.";
  return path.endsWith("/") && clean !== "/" ? clean + "/" : clean;
}

function assertParent(path: string): void {
  const parent = copyDirectory(path);
  try {
    if (Deno.statSync(parent).isDirectory) return;
  } catch {
    // Reported below.
  }
  throw new ExitError(1, `invalid output path: directory "${parent}" does not exist`);
}

function localInfo(path: string, follow: boolean): Deno.FileInfo {
  try {
    return follow || path.endsWith("/.") ? Deno.statSync(path) : Deno.lstatSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ExitError(1, `lstat ${path}: no such file or directory`);
  }
}

async function localEnd(path: string): Promise<CopyEnd> {
  try {
    return { path, exists: true, isDirectory: (await Deno.stat(path)).isDirectory };
  } catch {
    return { path, exists: false, isDirectory: false };
  }
}

/** The destination in the container; a link stands for what it points to. */
async function containerEnd(containers: Containers, { container, path }: Side): Promise<CopyEnd> {
  const followed = await followLink(containers, { container, path }).catch(() => path);
  try {
    const { mode } = await containers.stat(container, followed);
    return { path: followed, exists: true, isDirectory: (mode & S_IFMT) === S_IFDIR };
  } catch {
    // Perhaps only the last part is missing, and the copy makes it.
    return { path: followed, exists: false, isDirectory: false };
  }
}

async function followLink(containers: Containers, { container, path }: Side): Promise<string> {
  const { mode, linkTarget } = await containers.stat(container, path);
  if ((mode & S_IFMT) !== S_IFLNK) return path;
  return linkTarget.startsWith("/") ? linkTarget : `${copyDirectory(path)}/${linkTarget}`;
}

async function extract(
  tar: ReadableStream<Uint8Array>,
  target: { directory: string; name: string | undefined; archive: boolean },
): Promise<number> {
  const owner = { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
  let top: string | undefined;
  using unpacker = new LayerUnpacker(target.directory, { whiteouts: false });
  const reader = new TarReader({
    entry(entry) {
      top ??= entry.path;
      const path = rebase(entry.path, top, target.name);
      const linkPath = entry.kind === "hardlink"
        ? rebase(entry.linkPath, top, target.name)
        : entry.linkPath;
      unpacker.entry({ ...entry, path, linkPath, ...(!target.archive && owner) });
    },
    data: (bytes, offset) => unpacker.data(bytes, offset),
    endEntry: () => unpacker.endEntry(),
  });
  for await (const bytes of tar) reader.push(bytes as Uint8Array<ArrayBuffer>);
  reader.end();
  return unpacker.finish().sizeBytes;
}
