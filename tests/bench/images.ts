/**
 * `commit` of one changed file on a large image, and `images` with many of them.
 *
 * @module
 */
import { sha256Hex } from "../../core/lib/sha256.ts";
import { archive, member } from "../helpers/tar.ts";
import type { Sample } from "./row.ts";
import { type Bench, output, type Tool } from "./tools.ts";

type Samples = Map<Tool["name"], Sample>;

const BIG_BYTES = 377_000_000;
const IMAGES = 500;

/** Commits a container that has written one small file above {@linkcode BIG_BYTES} of others. */
export async function measureCommit(bench: Bench): Promise<Samples> {
  const name = `dhow-bench-${crypto.randomUUID().slice(0, 8)}`;
  const big = "localhost/dhow-bench-big:latest";
  const fill = "mkdir /big; for i in $(seq 377); do head -c 1000000 /dev/urandom > /big/$i; done";
  for (const { words, image } of bench.tools) {
    const run = [...words, "run", "--network", "none", "--name"];
    await output([...run, `${name}-fill`, image, "sh", "-c", fill]);
    await output([...words, "commit", `${name}-fill`, big]);
    await output([...run, name, big, "sh", "-c", "echo changed > /etc/changed"]);
  }
  const samples = await bench.compare(() => ["commit", name], { runs: 20 });
  for (const { words } of bench.tools) {
    await output([...words, "rm", name, `${name}-fill`]);
    await output([...words, "image", "prune", "-f"]);
    await output([...words, "rmi", "-f", big]);
  }
  return samples;
}

/** Lists {@linkcode IMAGES} images that share one layer. */
export async function measureImages(bench: Bench): Promise<Samples> {
  const path = `${bench.box.directory}/many.tar`;
  await Deno.writeFile(path, manyImages());
  await Deno.chmod(path, 0o644);
  for (const { words } of bench.tools) await output([...words, "load", "-q", "-i", path]);
  const samples = await bench.compare(() => ["images"], { runs: 20 });
  const names = Array.from({ length: IMAGES }, (_, i) => nameOf(i));
  for (const { words } of bench.tools) await output([...words, "rmi", "-f", ...names]);
  return samples;
}

function nameOf(index: number): string {
  return `localhost/dhow-bench-many-${index}:latest`;
}

function manyImages(): Uint8Array<ArrayBuffer> {
  const layer = archive(member("file", "file", { uid: 0, gid: 0, content: "x".repeat(1000) }));
  const configs = Array.from({ length: IMAGES }, (_, index) =>
    JSON.stringify({
      created: new Date(index * 3_600_000).toISOString(),
      architecture: Deno.build.arch === "x86_64" ? "amd64" : "arm64",
      os: "linux",
      config: { Labels: { index: String(index) } },
      rootfs: { type: "layers", diff_ids: [`sha256:${sha256Hex(layer)}`] },
    }));
  const manifest = configs.map((_, index) => ({
    Config: `${index}.json`,
    RepoTags: [nameOf(index)],
    Layers: ["layer.tar"],
  }));
  return archive(
    member("file", "layer.tar", { content: layer }),
    ...configs.map((content, index) => member("file", `${index}.json`, { content })),
    member("file", "manifest.json", { content: JSON.stringify(manifest) }),
  );
}

/** What the rows call them. */
export const SIZES = { bigBytes: BIG_BYTES, images: IMAGES } as const;
