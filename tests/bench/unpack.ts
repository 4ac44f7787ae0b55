/**
 * Unpacking a system, beside GNU tar: `deno run -A tests/bench/unpack.ts [ROOTFS.tar]`.
 *
 * Without an archive it packs some of this machine's own files, about as much as a small Debian. An ordinary user's tar
 * makes no owners and no device nodes; dhow does its whole work in the user namespace all the same.
 *
 * @module
 */

import { storePaths } from "../../core/host/paths.ts";
import type { LayerWorker } from "../../core/image/ensure_unpacked.ts";
import { openNamespaceWorker } from "../../core/image/namespace_worker.ts";

/** Both sides' best time, and what was unpacked. */
export interface UnpackResult {
  dhowMs: number;
  tarMs: number;
  entries: number;
  sizeBytes: number;
}

const ROUNDS = 5;
const WANTED_BYTES = 164_000_000;

/** Measures in turns, so that a noisy neighbour disturbs both; the best of each counts. */
export async function benchUnpack(archive?: string): Promise<UnpackResult> {
  const directory = await Deno.makeTempDir({ prefix: "dhow-bench-" });
  using worker = await openNamespaceWorker(storePaths(`${directory}/store`));
  try {
    const tar = archive ?? await packHost(`${directory}/system.tar`);
    const times = { dhow: [] as number[], tar: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      times.dhow.push(await unpackWithDhow(tar, `${directory}/dhow`, worker));
      times.tar.push(await unpackWithTar(tar, `${directory}/tar`));
    }
    return {
      dhowMs: Math.min(...times.dhow),
      tarMs: Math.min(...times.tar),
      entries: (await run("tar", ["-tf", tar])).split("\n").length - 1,
      sizeBytes: (await Deno.stat(tar)).size,
    };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function packHost(path: string): Promise<string> {
  const list = await run("find", [
    "/usr/lib",
    "/usr/share",
    "-xdev",
    "-type",
    "f",
    "-printf",
    "%s %p\\n",
  ]);
  const files: string[] = [];
  let bytes = 0;
  for (const line of list.split("\n")) {
    const space = line.indexOf(" ");
    const size = Number(line.slice(0, space));
    if (space < 0 || size > 8_000_000 || bytes + size > WANTED_BYTES) continue;
    bytes += size;
    files.push(line.slice(space + 1));
  }
  const names = `${path}.names`;
  await Deno.writeTextFile(names, files.join("\n"));
  await run("tar", ["--ignore-failed-read", "-cPf", path, "-T", names]);
  return path;
}

/** The unpacker as an import starts it: a second dhow in the user namespace. */
async function unpackWithDhow(tar: string, into: string, worker: LayerWorker): Promise<number> {
  const ms = await timed(() => worker.unpack({ blob: tar, into }));
  await worker.removeTrees([into]);
  return ms;
}

async function unpackWithTar(tar: string, into: string): Promise<number> {
  const flags = ["--xattrs", "--xattrs-include=*", "--numeric-owner", "-p"];
  if (Deno.uid() !== 0) flags.push("--exclude=./dev/*");
  const ms = await timed(async () => {
    await Deno.mkdir(into);
    await run("tar", ["-xf", tar, "-C", into, ...flags]);
  });
  await Deno.remove(into, { recursive: true });
  return ms;
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

async function run(program: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`${program} failed: ${new TextDecoder().decode(stderr)}`);
}

if (import.meta.main) {
  const result = await benchUnpack(Deno.args[0]);
  const { dhowMs, tarMs, entries, sizeBytes } = result;
  const ratio = (dhowMs / tarMs).toFixed(2);
  const size = `${(sizeBytes / 1e6).toFixed(0)} MB, ${entries} entries`;
  // deno-lint-ignore no-console
  console.log(
    `unpack ${size}: dhow ${dhowMs.toFixed(0)} ms, GNU tar ${tarMs.toFixed(0)} ms, ratio ${ratio}`,
  );
}
