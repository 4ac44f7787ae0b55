// The power goes while something is written: a copy of the store at that moment, with files that nobody had synced cut short.
import { assertEquals } from "@std/assert";
import { storePaths } from "../../core/host/paths.ts";
import { startFaultyRegistry } from "../helpers/faulty_registry.ts";
import { fileLayer } from "../helpers/layers.ts";
import { addGzipImage } from "../helpers/pulled.ts";
import { containerTest, kill } from "../helpers/sandbox.ts";
import { seededRandom } from "../helpers/tar.ts";
import { brokenImages } from "./consistency.ts";

const ROUNDS = Number(Deno.env.get("DHOW_POWER_CUTS") ?? 2);
const NONE = ["--network", "none"];

interface Work {
  args: string[];
  /** The moment is before this. */
  spanMs: number;
  /** The image that comes of it; without one that can be run it is not. */
  image?: string;
}

containerTest(`${ROUNDS} power cuts while an image is pulled, built, committed`, async (box) => {
  if (Deno.uid() !== 0) return; // others cannot copy the files of other owners
  box.crashed = true;
  await using registry = startFaultyRegistry();
  const random = seededRandom(7);
  const context = `${box.directory}/context`;
  await Deno.mkdir(context);
  const lines = [
    "FROM busybox",
    "ARG ROUND",
    "RUN head -c 400000 /dev/zero | tr '\\0' x > /big; echo $ROUND",
    "COPY . /c",
  ];
  await Deno.writeTextFile(`${context}/Dockerfile`, lines.join("\n") + "\n");
  await box.runs("--name", "changed", "busybox", "sh", "-c", "head -c 400000 /dev/zero > /big");
  for (let round = 0; round < ROUNDS; round++) {
    await addGzipImage(registry, "app", `${round}`, fileLayer("big", 400_000));
    const build = ["build", "-q", ...NONE, "--build-arg", `ROUND=${round}`, "-t", "built"];
    const works: Work[] = [
      { args: ["pull", "-q", `${registry.host}/app:${round}`], spanMs: 300 },
      { args: [...build, context], spanMs: 700, image: "built" },
      { args: ["commit", "changed", "committed"], spanMs: 300, image: "committed" },
    ];
    for (const work of works) {
      const label = `${work.args[0]} ${round}`;
      const old = layersOf(box.root);
      const child = box.command(work.args).spawn();
      await new Promise((resolve) => setTimeout(resolve, random() * work.spanMs));
      const root = `${box.directory}/copy`;
      await copyStore(box.root, root);
      await child.output();
      const cut = cutShort(root, old, random);
      const env = { DHOW_ROOT: root };
      const dhow = (args: string[]) => box.run(args, { env });
      try {
        for (const args of [["images"], ["ps", "-a"], ["inspect", "busybox", "changed"]]) {
          const { code, err } = await dhow(args);
          assertEquals([label, code, err], [label, 0, ""]);
        }
        assertEquals([label, await brokenImages({ root })], [label, []]);
        const old = await dhow(["run", "--rm", ...NONE, "busybox", "echo", "old"]);
        assertEquals([label, old.out, old.err], [label, "old", ""]);
        const again = await dhow(work.args);
        assertEquals([label, cut, again.code, again.err], [label, cut, 0, ""]);
        if (work.image !== undefined) {
          const command = ["run", "--rm", ...NONE, work.image, "wc", "-c", "/big"];
          const { out, err } = await dhow(command);
          assertEquals([label, cut, out, err], [label, cut, "400000 /big", ""]);
        }
        assertEquals((await dhow(["rm", "changed"])).code, 0);
        assertEquals((await dhow(["system", "prune", "-f"])).code, 0);
        const left = (await Array.fromAsync(Deno.readDir(`${root}/tmp`))).map(({ name }) => name)
          .filter((name) => !name.startsWith("pull-"));
        assertEquals([label, left], [label, []]);
      } finally {
        await discard(root);
      }
    }
  }
});

/** Copies a store that is written to; what the index and containers need is copied after them. */
async function copyStore(from: string, to: string): Promise<void> {
  const first = ["index.json", "oci-layout", "names", "containers"];
  const script = `mkdir "$2"; cd "$1"; cp -a ${
    first.join(" ")
  } "$2"; for f in *; do [ -e "$2/$f" ] || cp -a "$f" "$2"; done`;
  await new Deno.Command("sh", { args: ["-c", script, "sh", from, to], stderr: "null" }).output();
}

/** Cuts about every second file short that nobody had synced: what is unfinished, and the layers that are not in `old`. */
function cutShort(root: string, old: ReadonlySet<string>, random: () => number): string[] {
  const cut: string[] = [];
  const walk = (path: string): void => {
    for (const { name, isDirectory, isFile } of Deno.readDirSync(path)) {
      const child = `${path}/${name}`;
      if (isDirectory) walk(child);
      if (!isFile || random() < 0.5) continue;
      const { size } = Deno.lstatSync(child);
      if (size === 0) continue;
      Deno.truncateSync(child, Math.floor(random() * size));
      cut.push(child.slice(root.length + 1));
    }
  };
  walk(`${root}/tmp`);
  for (const layer of layersOf(root)) if (!old.has(layer)) walk(`${root}/layers/${layer}`);
  return cut;
}

/** The unpacked layers, as `MAPPING/CHAINID`. */
function layersOf(root: string): Set<string> {
  const found = new Set<string>();
  for (const mapping of Deno.readDirSync(`${root}/layers`)) {
    if (!mapping.isDirectory) continue;
    for (const { name } of Deno.readDirSync(`${root}/layers/${mapping.name}`)) {
      if (/^[0-9a-f]{64}$/.test(name)) found.add(`${mapping.name}/${name}`);
    }
  }
  return found;
}

/** Ends what keeps a copy in use, and removes it. */
async function discard(root: string): Promise<void> {
  const { runtime } = storePaths(root);
  for (const name of ["holder", "router"]) {
    try {
      kill(JSON.parse(await Deno.readTextFile(`${runtime}/${name}.json`)).pid);
    } catch { /* there was none */ }
  }
  for (const path of [root, runtime]) {
    await Deno.remove(path, { recursive: true }).catch(() => {});
  }
}
