/**
 * Builds: steps that run, steps that are found, many files, a real application, independent stages.
 *
 * @module
 */
import { debianObstacle, makeDebian } from "../helpers/debian.ts";
import { type Sample, sample } from "./row.ts";
import { type Bench, output, timed, type Tool } from "./tools.ts";

type Samples = Map<Tool["name"], Sample>;

const TAG = "localhost/dhow-bench-built:latest";
const DEBIAN = "localhost/dhow-bench-debian:latest";
const NODE_APP = new URL("../../examples/node/", import.meta.url).pathname;

/** How much is built. */
export const BUILD_SIZES = { steps: 10, files: 20_000, stages: 5 } as const;

/** {@linkcode BUILD_SIZES}`.steps` times `RUN`, nothing of it from the cache. */
export async function measureSteps(bench: Bench): Promise<Samples> {
  const contexts = await contextsFor(bench, stepsDockerfile);
  return await measured(bench, (tool) => [...UNCACHED, contexts.get(tool)!], 10);
}

/** The same, all of it from the cache. */
export async function measureCached(bench: Bench): Promise<Samples> {
  const contexts = await contextsFor(bench, stepsDockerfile);
  return await measured(bench, (tool) => [...CACHED, contexts.get(tool)!], 20);
}

/** `COPY` of many small files. */
export async function measureCopy(bench: Bench): Promise<Samples> {
  const contexts = await contextsFor(bench, ({ image }) => `FROM ${image}\nCOPY files /files\n`);
  for (const directory of contexts.values()) await makeFiles(`${directory}/files`);
  return await measured(bench, (tool) => [...UNCACHED, contexts.get(tool)!], 5);
}

/** The application in examples/node: packages by apt and npm. Undefined where there is no Debian to build it on. */
export async function measureNode(bench: Bench): Promise<Samples | undefined> {
  if (debianObstacle !== undefined) return undefined;
  await makeDebian(bench.box);
  const archive = `${bench.box.directory}/debian-image.tar`;
  await output([...bench.dhow.words, "tag", "debian:12", DEBIAN]);
  await output([...bench.dhow.words, "save", "-o", archive, DEBIAN]);
  await Deno.chmod(archive, 0o644);
  if (bench.podman) await output([...bench.podman.words, "load", "-q", "-i", archive]);
  const dockerfile = await Deno.readTextFile(`${NODE_APP}Dockerfile`);
  const contexts = await contextsFor(bench, () => dockerfile.replace("debian:12", DEBIAN));
  for (const directory of contexts.values()) {
    for (const name of ["package.json", "package-lock.json", "server.js"]) {
      await Deno.copyFile(NODE_APP + name, `${directory}/${name}`);
    }
  }
  const times = new Map(bench.tools.map(({ name }) => [name, [] as number[]]));
  // By hand: hyperfine would warm up, for minutes.
  for (let round = 0; round < 2; round++) {
    for (const tool of bench.tools) {
      const words = [...tool.words, "build", ...UNCACHED, contexts.get(tool)!];
      times.get(tool.name)!.push(await timed(() => output(words)));
    }
  }
  await forget(bench, TAG, DEBIAN);
  return new Map([...times].map(([name, values]) => [name, sample(values)]));
}

/** Independent stages of a second each, beside one of them. */
export async function measureParallel(bench: Bench): Promise<{ five: Sample; one: Sample }> {
  const { image, words } = bench.dhow;
  const numbers = Array.from({ length: BUILD_SIZES.stages }, (_, index) => index);
  const stages = numbers.map((i) => `FROM ${image} AS s${i}\nRUN sleep 1; echo ${i} > /made\n`);
  const copies = (count: number) =>
    numbers.slice(0, count).map((i) => `COPY --from=s${i} /made /made${i}\n`).join("");
  const [five, one] = [[] as number[], [] as number[]];
  for (const [count, times] of [[BUILD_SIZES.stages, five], [1, one]] as const) {
    const text = `${stages.join("")}FROM ${image}\n${copies(count)}`;
    const directory = await contextOf(bench, text);
    for (let round = 0; round < 3; round++) {
      times.push(await timed(() => output([...words, "build", ...UNCACHED, directory])));
    }
  }
  return { five: sample(five), one: sample(one) };
}

const CACHED = ["-q", "-t", TAG];
const UNCACHED = [...CACHED, "--no-cache"];

async function measured(
  bench: Bench,
  args: (tool: Tool) => readonly string[],
  runs: number,
): Promise<Samples> {
  const samples = await bench.compare((tool) => ["build", ...args(tool)], { runs });
  await forget(bench, TAG);
  return samples;
}

async function forget(bench: Bench, ...names: string[]): Promise<void> {
  for (const { words } of bench.tools) {
    await output([...words, "rmi", "-f", ...names]);
    await output([...words, "image", "prune", "-f"]);
  }
}

function stepsDockerfile({ image }: Tool): string {
  const steps = Array.from({ length: BUILD_SIZES.steps }, (_, i) => `RUN echo ${i} > /file${i}\n`);
  return `FROM ${image}\n${steps.join("")}`;
}

async function contextsFor(
  bench: Bench,
  dockerfile: (tool: Tool) => string,
): Promise<Map<Tool, string>> {
  const contexts = new Map<Tool, string>();
  for (const tool of bench.tools) contexts.set(tool, await contextOf(bench, dockerfile(tool)));
  return contexts;
}

/** A directory that the other tool's user can read too. */
async function contextOf(bench: Bench, dockerfile: string): Promise<string> {
  const directory = await Deno.makeTempDir({ dir: bench.box.directory, prefix: "build-" });
  await Deno.chmod(directory, 0o755);
  await Deno.writeTextFile(`${directory}/Dockerfile`, dockerfile, { mode: 0o644 });
  return directory;
}

/** A hundred files in each directory, some two kilobytes each. */
async function makeFiles(directory: string): Promise<void> {
  for (let i = 0; i < BUILD_SIZES.files; i++) {
    const parent = `${directory}/${Math.trunc(i / 100)}`;
    if (i % 100 === 0) await Deno.mkdir(parent, { recursive: true });
    await Deno.writeTextFile(`${parent}/${i}.txt`, `file ${i} `.repeat(200));
  }
}
