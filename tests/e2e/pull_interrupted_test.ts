// Pulls through ./dhow that are ended half way, and go on.
import { assertEquals, assertMatch } from "@std/assert";
import { type FaultyRegistry, startFaultyRegistry } from "../helpers/faulty_registry.ts";
import { fileLayer, stalling } from "../helpers/layers.ts";
import { addGzipImage, isLayer, layersOf, list } from "../helpers/pulled.ts";
import { containerTest, eventually, type Sandbox } from "../helpers/sandbox.ts";

containerTest("a pull that was killed goes on where it was", async (box) => {
  await using registry = startFaultyRegistry();
  using pull = await startStalled(box, registry);
  pull.child.kill("SIGKILL");
  await pull.child.output();
  await eventually("the helper has gone", () => box.processes().length === 0);
  const out = await box.ok("pull", `${registry.host}/x`);
  assertMatch(out, /Status: Downloaded newer image/);
  assertEquals(rangesOf(registry, pull.layer), [null, "bytes=2000000-"]);
  assertEquals(list(box, "tmp").filter((name) => name.startsWith("pull-")), []);
  box.crashed = true;
  await box.ok("rmi", `${registry.host}/x`);
});

containerTest("a beginning that is damaged is fetched anew", async (box) => {
  await using registry = startFaultyRegistry();
  const { layers: [layer] } = await addGzipImage(registry, "x", "latest", fileLayer("f", 100_000));
  const junk = new Uint8Array(5000).fill(7);
  await Deno.writeFile(`${box.root}/tmp/pull-${layer!.slice(7)}`, junk);
  await box.ok("pull", `${registry.host}/x`);
  assertEquals(rangesOf(registry, layer!), ["bytes=5000-", null]);
});

containerTest("Ctrl-C ends a pull, and the next one goes on", async (box) => {
  await using registry = startFaultyRegistry();
  const before = layersOf(box);
  using pull = await startStalled(box, registry);
  pull.child.kill("SIGINT");
  const { code, stderr } = await pull.child.output();
  assertEquals([code, new TextDecoder().decode(stderr)], [130, ""]);
  assertEquals(list(box, "tmp"), [`pull-${pull.layer.slice(7)}`]);
  assertEquals(layersOf(box), before);
  await box.ok("pull", `${registry.host}/x`);
  assertEquals(registry.seen.at(-1)!.range, "bytes=2000000-");
});

/** A pull of the image `x` that has two thirds of its one layer, and gets no more until this is disposed. */
async function startStalled(box: Sandbox, registry: FaultyRegistry) {
  const { layers, packed } = await addGzipImage(
    registry,
    "x",
    "latest",
    fileLayer("f", 3_000_000),
  );
  const layer = layers[0]!;
  const disposed = Promise.withResolvers<void>();
  registry.hook = (call) =>
    isLayer(call, layer) && call.count === 1
      ? stalling(packed[0]!, 2_000_000, disposed.promise)
      : undefined;
  const child = box.command(["pull", `${registry.host}/x`]).spawn();
  const partial = `${box.root}/tmp/pull-${layer.slice(7)}`;
  await eventually("two thirds are there", () => sizeOf(partial) === 2_000_000);
  return { child, layer, [Symbol.dispose]: () => disposed.resolve() };
}

/** What was asked of a layer, in order. */
function rangesOf(registry: FaultyRegistry, layer: string): (string | null)[] {
  return registry.seen.filter(({ path }) => path.endsWith(layer)).map(({ range }) => range);
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return -1;
  }
}
