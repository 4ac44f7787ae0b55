/**
 * `deno task bench [--json] [ROW...]`: dhow beside podman, in one run, on this machine. See docs/benchmarks.md.
 *
 * @module
 */
import { formatHead, formatRow, isReached, ratio, type Row } from "./row.ts";
import { rows } from "./rows.ts";
import { Bench, output } from "./tools.ts";

const root = new URL("../../", import.meta.url);

async function main(argv: readonly string[]): Promise<number> {
  const asJson = argv.includes("--json");
  const wanted = argv.filter((word) => word !== "--json");
  const unknown = wanted.find((name) => !Object.hasOwn(rows, name));
  if (unknown !== undefined) {
    write(`No such row: ${unknown}; there are: ${Object.keys(rows).join(" ")}`);
    return 1;
  }
  const bundle = await freshBundle();
  const done: Row[] = [];
  {
    await using bench = await Bench.open();
    if (!asJson) write(`${await describe(bench, bundle)}\n\n${formatHead()}`);
    for (const [name, measure] of Object.entries(rows)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const row = await measure(bench);
      done.push(row);
      if (!asJson) write(formatRow(row));
    }
  }
  if (asJson) {
    const results = done.map((row) => ({ ...row, ratio: ratio(row), reached: isReached(row) }));
    write(JSON.stringify(results, null, 2));
  }
  return done.some((row) => isReached(row) === false) ? 1 : 0;
}

/** What the figures depend on. */
async function describe(bench: Bench, bundle: string): Promise<string> {
  const kernel = (await Deno.readTextFile("/proc/sys/kernel/osrelease")).trim();
  const podman = bench.podman && await output([...bench.podman.words, "--version"]);
  return [
    `${navigator.hardwareConcurrency} CPUs, Linux ${kernel}, Deno ${Deno.version.deno}, uid ${Deno.uid()}`,
    podman ?? "podman is not installed: nothing to compare with",
    bench.hasHyperfine ? "timed by hyperfine" : "hyperfine is not installed: timed in turns",
    bundle,
  ].join("\n");
}

/** What `dhow setup` makes, made anew if the sources are newer. */
async function freshBundle(): Promise<string> {
  if (await isFresh()) return "dist/dhow.js is fresh";
  try {
    const flags = ["run", "-A", "--no-config", "--no-lock", "--quiet"];
    await output([Deno.execPath(), ...flags, new URL("tools/bundle.ts", root).pathname]);
    return "dist/dhow.js was made anew";
  } catch {
    return "dist/dhow.js is missing or stale: dhow starts slower than after `dhow setup`";
  }
}

async function isFresh(): Promise<boolean> {
  try {
    const { mtime } = await Deno.stat(new URL("dist/dhow.js", root));
    for (const folder of ["cli", "core", "ffi"]) {
      if (await newest(new URL(`${folder}/`, root)) > mtime!.getTime()) return false;
    }
    return true;
  } catch {
    return false;
  }
}

async function newest(folder: URL): Promise<number> {
  let time = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const found = isDirectory
      ? await newest(new URL(`${name}/`, folder))
      : (await Deno.stat(new URL(name, folder))).mtime!.getTime();
    if (name.endsWith(".ts") || isDirectory) time = Math.max(time, found);
  }
  return time;
}

function write(text: string): void {
  // deno-lint-ignore no-console
  console.log(text);
}

Deno.exit(await main(Deno.args));
