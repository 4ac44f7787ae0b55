/**
 * Pulling and pushing an image of three layers, 377 MB of this machine's files, from and to a registry on loopback.
 *
 * @module
 */
import { openRepository } from "../../core/registry/client.ts";
import type { Descriptor } from "../../core/spec/image.ts";
import { startRegistry } from "../helpers/registry.ts";
import { type Sample, sample } from "./row.ts";
import { type Bench, output, timed, type Tool } from "./tools.ts";

const ROUNDS = 5;
const LAYERS = 3;
const LAYER_BYTES = 125_000_000;
/** Files of more than this would leave room for few others. */
const FILE_MAX = 40_000_000;

type Samples = Map<Tool["name"], Sample>;

/** What the image is. */
export interface TransferSize {
  plainBytes: number;
  compressedBytes: number;
}

/** Times for each tool. */
export interface Transfers extends TransferSize {
  pull: Samples;
  /** All layers are there. */
  pullAgain: Samples;
  push: Samples;
}

let measured: Promise<Transfers> | undefined;

/** Measures once, for all rows. */
export function measureTransfers(bench: Bench): Promise<Transfers> {
  return measured ??= measure(bench);
}

async function measure(bench: Bench): Promise<Transfers> {
  const directory = await Deno.makeTempDir({ prefix: "dhow-bench-" });
  try {
    const layers = await packLayers(directory);
    await using registry = await startRegistry();
    const size = await fillRegistry(registry.host, directory, layers);
    const image = `${registry.host}/bench:latest`;
    const pull = await measurePulls(bench.tools, image);
    const pullAgain = await bench.compare((tool) => pullWords(tool, image), { runs: 20 });
    const push = await measurePushes(bench.tools, image);
    for (const { words } of bench.tools) await output([...words, "rmi", "-f", image]);
    return { pull, pullAgain, push, ...size };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function pullWords(tool: Tool, image: string): string[] {
  return ["pull", "-q", ...insecure(tool), image];
}

/** podman has to be told that a loopback registry may speak plain HTTP. */
function insecure({ name }: Tool): string[] {
  return name === "podman" ? ["--tls-verify=false"] : [];
}

async function measurePulls(tools: readonly Tool[], image: string): Promise<Samples> {
  return await inTurns(tools, async (tool) => {
    await output([...tool.words, "rmi", "-f", image]).catch(() => {});
    return await timed(() => output([...tool.words, ...pullWords(tool, image)]));
  });
}

/** Each push goes to a registry that has nothing. */
async function measurePushes(tools: readonly Tool[], image: string): Promise<Samples> {
  return await inTurns(tools, async (tool) => {
    await using registry = await startRegistry();
    const target = `${registry.host}/pushed:latest`;
    await output([...tool.words, "tag", image, target]);
    const ms = await timed(() => output([...tool.words, "push", "-q", ...insecure(tool), target]));
    await output([...tool.words, "rmi", target]);
    return ms;
  });
}

async function inTurns(
  tools: readonly Tool[],
  measure: (tool: Tool) => Promise<number>,
): Promise<Samples> {
  const times = new Map(tools.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const tool of tools) times.get(tool.name)!.push(await measure(tool));
  }
  return new Map([...times].map(([name, values]) => [name, sample(values)]));
}

interface Layer {
  path: string;
  descriptor: Descriptor;
  diffId: string;
  plainBytes: number;
}

async function packLayers(directory: string): Promise<Layer[]> {
  const list = await output([
    "find",
    "/usr/lib",
    "/usr/share",
    "-xdev",
    "-type",
    "f",
    "-readable",
    "-printf",
    "%s %p\\n",
  ]);
  const groups = Array.from({ length: LAYERS }, () => ({ bytes: 0, files: [] as string[] }));
  for (const line of list.split("\n")) {
    const space = line.indexOf(" ");
    const bytes = Number(line.slice(0, space));
    const group = groups.find((group) => group.bytes + bytes <= LAYER_BYTES);
    if (bytes > FILE_MAX || group === undefined) continue;
    group.bytes += bytes;
    group.files.push(line.slice(space + 1));
  }
  return await Promise.all(groups.map(({ files }, i) => packLayer(`${directory}/${i}`, files)));
}

async function packLayer(path: string, files: readonly string[]): Promise<Layer> {
  await Deno.writeTextFile(`${path}.names`, files.join("\n"));
  await output(["tar", "-cPf", `${path}.tar`, "-T", `${path}.names`]);
  const plainBytes = (await Deno.stat(`${path}.tar`)).size;
  const diffId = await digestOf(`${path}.tar`);
  await output(["gzip", `${path}.tar`]);
  const size = (await Deno.stat(`${path}.tar.gz`)).size;
  const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
  const descriptor = { mediaType, digest: await digestOf(`${path}.tar.gz`), size };
  return { path: `${path}.tar.gz`, descriptor, diffId, plainBytes };
}

async function digestOf(path: string): Promise<string> {
  return `sha256:${(await output(["sha256sum", path])).slice(0, 64)}`;
}

async function fillRegistry(
  host: string,
  directory: string,
  layers: readonly Layer[],
): Promise<TransferSize> {
  const config = `${directory}/config.json`;
  const document = {
    architecture: Deno.build.arch === "aarch64" ? "arm64" : "amd64",
    os: "linux",
    config: { Cmd: ["sh"] },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  };
  await Deno.writeTextFile(config, JSON.stringify(document));
  const descriptor = {
    mediaType: "application/vnd.oci.image.config.v1+json",
    digest: await digestOf(config),
    size: (await Deno.stat(config)).size,
  };
  const options = { actions: "pull,push" } as const;
  using repository = openRepository({ domain: host, repository: "bench" }, options);
  for (const [path, blob] of [[config, descriptor], ...layers.map(toUpload)] as const) {
    await repository.uploadBlob(blob, async (offset) => {
      const file = await Deno.open(path);
      await file.seek(offset, Deno.SeekMode.Start);
      return file.readable;
    });
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor,
    layers: layers.map((layer) => layer.descriptor),
  };
  await repository.putManifest("latest", {
    mediaType: manifest.mediaType,
    bytes: new TextEncoder().encode(JSON.stringify(manifest)),
  });
  return {
    plainBytes: layers.reduce((sum, layer) => sum + layer.plainBytes, 0),
    compressedBytes: layers.reduce((sum, layer) => sum + layer.descriptor.size, 0),
  };
}

function toUpload({ path, descriptor }: Layer): [string, Descriptor] {
  return [path, descriptor];
}
