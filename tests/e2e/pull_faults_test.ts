// Pulling through ./dhow what is wrong or too large: what is refused leaves nothing, and takes little.
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type Call,
  endless,
  type FaultyRegistry,
  startFaultyRegistry,
  truncated,
} from "../helpers/faulty_registry.ts";
import { digestOf, fileLayer, gzip } from "../helpers/layers.ts";
import {
  addGzipImage,
  assertNothingNew,
  GZIP,
  isLayer,
  layersOf,
  list,
  state,
} from "../helpers/pulled.ts";
import { containerTest } from "../helpers/sandbox.ts";
import { archive, member } from "../helpers/tar.ts";

type Bytes = Uint8Array<ArrayBuffer>;
// deno-lint-ignore no-explicit-any
type Json = any;

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Changes an image's manifest. @returns Its digest. */
async function change(
  registry: FaultyRegistry,
  name: string,
  edit: (manifest: Json) => void,
  mediaType = MANIFEST,
): Promise<string> {
  const { bytes } = registry.manifests.get(`${name}:latest`)!;
  const manifest = JSON.parse(new TextDecoder().decode(bytes));
  edit(manifest);
  return await registry.addManifest(name, "latest", manifest, mediaType);
}

containerTest("what a registry gets wrong is refused, and leaves nothing", async (box) => {
  await using registry = startFaultyRegistry();
  const layer = fileLayer("f", 200_000);
  const { layers: [digest], packed: [packed] } = await addGzipImage(registry, "x", "latest", layer);
  const before = state(box);
  const refused = async (hook: FaultyRegistry["hook"], message: RegExp, limitMs = 20_000) => {
    registry.hook = hook;
    const start = Date.now();
    const { code, err } = await box.dhow("pull", `${registry.host}/x`);
    assertEquals(code, 1);
    assertMatch(err, message);
    assert(Date.now() - start < limitMs, `${message} took ${Date.now() - start} ms`);
    for (const name of list(box, "tmp")) {
      assertMatch(name, /^pull-/);
      await Deno.remove(`${box.root}/tmp/${name}`);
    }
    // The config came before the layer was found wrong; the next sweep takes it.
    for (const name of list(box, "blobs/sha256")) {
      if (!before.blobs.includes(name)) await Deno.remove(`${box.root}/blobs/sha256/${name}`);
    }
    assertNothingNew(box, before);
  };
  const wrong = packed!.slice();
  wrong[1000]! ^= 1;
  await refused(
    (call) => isLayer(call, digest!) ? new Response(wrong) : undefined,
    /verification failed for digest sha256:/,
  );
  const isShort = (call: Call) => isLayer(call, digest!);
  await refused(
    (call) => isShort(call) ? endless(new Uint8Array(65536)) : undefined,
    /digest|bytes|longer|size/,
  );
  await refused((call) => isShort(call) ? truncated(packed!, 100) : undefined, /./, 60_000);
  const both = async (edit: (manifest: Json) => void, message: RegExp, mediaType?: string) => {
    const old = registry.manifests.get("x:latest")!;
    await change(registry, "x", edit, mediaType);
    await refused(undefined, message);
    registry.manifests.set("x:latest", old);
  };
  await both((m) => m.layers[0].size--, /longer than|bytes|size|digest/);
  await both((m) => m.layers[0].size++, /./);
  await both(
    (m) => m.layers[0].mediaType = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    /is foreign/,
  );
  await both(
    (m) => m.layers[0].mediaType = "application/x-\x1b[31mevil",
    /unknown media type "application\/x-/,
  );
  await both(
    (m) => m.config.mediaType = "application/vnd.cncf.helm.config.v1+json",
    /no image but an artifact/,
  );
  await both((m) => m.layers[0].digest = "sha256:../../../../etc/passwd", /manifest is incomplete/);
  await both((m) => m.layers.push(m.layers[0]), /does not go with its 2 layers/);
  await both(
    (m) => m.schemaVersion = 1,
    /schema 1/,
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
  );
  await both(
    (m) => delete m.mediaType,
    /unsupported manifest media type "text\/html"/,
    "text/html",
  );
});

containerTest("a diffID that the layer has not is found out", async (box) => {
  await using registry = startFaultyRegistry();
  const layer = fileLayer("f", 1000);
  const lie = await digestOf(new Uint8Array(3));
  await registry.addImage("x", "latest", [await gzip(layer)], { diffIds: [lie], layerType: GZIP });
  const before = layersOf(box);
  const { code, err } = await box.dhow("pull", `${registry.host}/x`);
  assertEquals(code, 1);
  assertMatch(err, /its diffID is sha256:/);
  assertEquals(layersOf(box), before);
  assertEquals(list(box, "tmp"), []);
});

containerTest("a bomb is stopped at a size in proportion", async (box) => {
  await using registry = startFaultyRegistry();
  // Two GiB of zeros: two MB.
  const zeros = new ReadableStream<Bytes>({
    start: () => {},
    pull(controller) {
      controller.enqueue(new Uint8Array(1 << 22));
      if (++pieces === 512) controller.close();
    },
  });
  let pieces = 0;
  const bomb = new Uint8Array(
    await new Response(zeros.pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
  );
  await registry.addImage("x", "latest", [bomb], {
    diffIds: [await digestOf(bomb)],
    layerType: GZIP,
  });
  const before = layersOf(box);
  const { code, err } = await box.dhow("pull", `${registry.host}/x`);
  assertEquals(code, 1);
  assertMatch(err, /holds more than 1073741824 bytes/);
  assertEquals(layersOf(box), before);
});

containerTest("a full disk fails the pull, and leaves nothing half made", async (box) => {
  if (Deno.uid() !== 0) return; // only root can mount a small file system
  await using registry = startFaultyRegistry();
  const compressible = archive(
    member("file", "f", { content: new Uint8Array(30_000_000).fill(65), uid: 0, gid: 0 }),
  );
  await addGzipImage(registry, "unpacked", "latest", compressible);
  await addGzipImage(registry, "fetched", "latest", fileLayer("f", 30_000_000));
  const root = `${box.directory}/small`;
  await Deno.mkdir(root);
  const mount = (...args: string[]) => new Deno.Command("mount", { args }).output();
  if (!(await mount("-t", "tmpfs", "-o", "size=10m", "dhow-test", root)).success) return;
  const env = { DHOW_ROOT: root };
  try {
    for (const name of ["unpacked", "fetched"]) {
      const { code, err } = await box.run(["pull", `${registry.host}/${name}`], { env });
      assertEquals(code, 1);
      assertMatch(err, /no space left/);
      const left = [...list(box, "../small/blobs/sha256"), ...list(box, "../small/tmp")];
      assertEquals(left, []);
      const [mapping] = list(box, "../small/layers");
      const layers = mapping === undefined ? [] : list(box, `../small/layers/${mapping}`);
      assertEquals(layers.filter((name) => name.length > 1), []);
      assertEquals((await box.run(["images", "-q"], { env })).out, "");
    }
  } finally {
    await new Deno.Command("umount", { args: ["-l", root] }).output();
  }
});

containerTest("a pull of large layers takes little memory", async (box) => {
  await using registry = startFaultyRegistry();
  const layers = [0, 1, 2, 3].map((i) => fileLayer(`file${i}`, 40_000_000));
  await registry.addImage("x", "latest", layers);
  const child = box.command(["pull", `${registry.host}/x`]).spawn();
  let most = 0;
  let isRunning = true;
  const ended = child.output().finally(() => isRunning = false);
  while (isRunning) {
    const helpers = box.processes().map((line) => Number(line.split(" ")[0]));
    most = Math.max(most, [child.pid, ...helpers].reduce((sum, pid) => sum + pssOf(pid), 0));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals((await ended).code, 0);
  assert(most > 30_000, "nothing was measured");
  assert(most <= 150_000, `${most} kB`);
});

/** Memory in kB; what two processes share, such as the program itself, counts once. */
function pssOf(pid: number): number {
  try {
    const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
    return Number(/^Pss:\s*(\d+) kB/m.exec(rollup)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
