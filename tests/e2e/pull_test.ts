// Pulling through ./dhow from a registry that misbehaves on demand.
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import {
  type Call,
  endless,
  type FaultyRegistry,
  startFaultyRegistry,
  truncated,
} from "../helpers/faulty_registry.ts";
import { digestOf, fileLayer, gzip, stalling, zstd } from "../helpers/layers.ts";
import { containerTest, eventually, type Sandbox } from "../helpers/sandbox.ts";
import { archive, member } from "../helpers/tar.ts";

type Bytes = Uint8Array<ArrayBuffer>;
// deno-lint-ignore no-explicit-any
type Json = any;

const GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const HOST = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
const OTHER = HOST === "arm64" ? "amd64" : "arm64";

/** An image of gzip layers. */
async function add(registry: FaultyRegistry, name: string, tag: string, ...layers: Bytes[]) {
  const packed = await Promise.all(layers.map(gzip));
  const diffIds = await Promise.all(layers.map(digestOf));
  const image = await registry.addImage(name, tag, packed, { diffIds, layerType: GZIP });
  return { ...image, packed, diffIds };
}

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

/** What is in a directory of the store. */
function list(box: Sandbox, folder: string): string[] {
  try {
    return [...Deno.readDirSync(`${box.root}/${folder}`)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

/** The store as it was, without traces of a pull. */
function assertNothingNew(box: Sandbox, before: { blobs: string[]; layers: string[] }): void {
  assertEquals(list(box, "tmp"), []);
  assertEquals(list(box, "blobs/sha256"), before.blobs);
  assertEquals(layersOf(box), before.layers);
}

function layersOf(box: Sandbox): string[] {
  return list(box, "layers").flatMap((mapping) => list(box, `layers/${mapping}`));
}

function state(box: Sandbox): { blobs: string[]; layers: string[] } {
  return { blobs: list(box, "blobs/sha256"), layers: layersOf(box) };
}

const isLayer = (call: Call, digest: string) =>
  call.kind === "blob" && call.method === "GET" && call.ref === digest;

containerTest("pull says what docker says, and run finds what was pulled", async (box) => {
  await using registry = startFaultyRegistry();
  const busybox = await Deno.readFile(`${box.directory}/busybox.tar`);
  const { digest, layers } = await add(registry, "lib/box", "latest", busybox, fileLayer("new", 9));
  const name = `${registry.host}/lib/box`;
  const [first, second] = layers.map((layer) => layer.slice(7, 19)) as [string, string];
  const { code, out, err } = await box.dhow("pull", name);
  assertEquals([code, err], [0, ""]);
  const lines = out.split("\n");
  assertEquals(lines.slice(0, 4), [
    "Using default tag: latest",
    "latest: Pulling from lib/box",
    `${first}: Pulling fs layer`,
    `${second}: Pulling fs layer`,
  ]);
  for (const id of [first, second]) {
    const words = lines.filter((line) => line.startsWith(id)).map((line) => line.slice(14));
    assertEquals(words, [
      "Pulling fs layer",
      "Verifying Checksum",
      "Download complete",
      "Pull complete",
    ]);
  }
  assertEquals(lines.slice(-3), [
    `Digest: ${digest}`,
    `Status: Downloaded newer image for ${name}:latest`,
    `${name}:latest`,
  ]);
  assertEquals(await box.runs("--rm", name, "stat", "-c", "%s", "/new"), "9");
  assertEquals(await box.inspect(name, "{{json .RepoDigests}}"), `["${name}@${digest}"]`);
  registry.seen.length = 0;
  const again = await box.ok("pull", `${name}@${digest}`);
  assertMatch(again, /Status: Image is up to date for .*@sha256:/);
  assertEquals(await box.ok("pull", "-q", name), `${name}:latest`);
  assertEquals(registry.count("GET", "blob"), 0);
});

containerTest("run fetches what is missing, and tells so on stderr", async (box) => {
  await using registry = startFaultyRegistry();
  const busybox = await Deno.readFile(`${box.directory}/busybox.tar`);
  await add(registry, "box", "latest", busybox);
  const image = `${registry.host}/box`;
  const run = ["run", "--rm", "--network", "none"];
  const never = await box.dhow(...run, "--pull", "never", image, "true");
  assertEquals([never.code, never.out], [125, ""]);
  assertMatch(never.err, /^dhow: No such image: /);
  const first = await box.dhow(...run, image, "echo", "hi");
  assertEquals([first.code, first.out], [0, "hi"]);
  assertMatch(first.err, new RegExp(`^Unable to find image '${image}:latest' locally\n`));
  assertMatch(first.err, /Status: Downloaded newer image/);
  assertEquals(await box.dhow(...run, image, "echo", "hi"), { code: 0, out: "hi", err: "" });
  const quiet = await box.dhow(...run, "-q", "--pull", "always", image, "echo", "hi");
  assertEquals(quiet, { code: 0, out: "hi", err: "" });
  const missing = await box.dhow(...run, `${registry.host}/none`, "true");
  assertEquals(missing.code, 125);
  assertMatch(missing.err, /manifest for .*\/none:latest not found: manifest unknown/);
});

containerTest("an index leads to this machine's image, and --platform to another", async (box) => {
  await using registry = startFaultyRegistry();
  const mine = fileLayer("mine", 10), theirs = fileLayer("theirs", 10);
  await registry.addImage("x", "mine", [mine]);
  const other = new TextEncoder().encode(JSON.stringify({
    architecture: OTHER,
    os: "linux",
    rootfs: { type: "layers", diff_ids: [await digestOf(theirs)] },
  }));
  const layer = { digest: await registry.addBlob(await zstd(theirs)), size: 0 };
  layer.size = registry.blobs.get(layer.digest)!.length;
  await registry.addManifest("x", "theirs", {
    schemaVersion: 2,
    config: {
      mediaType: "application/vnd.docker.container.image.v1+json",
      digest: await registry.addBlob(other),
      size: other.length,
    },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+zstd", ...layer }],
  }, "application/vnd.docker.distribution.manifest.v2+json");
  const line = async (tag: string, architecture: string) => {
    const { bytes, mediaType } = registry.manifests.get(`x:${tag}`)!;
    const platform = { os: "linux", architecture };
    return { mediaType, digest: await digestOf(bytes), size: bytes.length, platform };
  };
  const manifests = [await line("theirs", OTHER), await line("mine", HOST)];
  const index = { schemaVersion: 2, mediaType: INDEX, manifests };
  const digest = await registry.addManifest("x", "latest", index, INDEX);
  const name = `${registry.host}/x`;
  await box.ok("pull", name);
  assertEquals(
    await box.inspect(name, "{{.Architecture}} {{json .RepoDigests}}"),
    `${HOST} ["${name}@${digest}"]`,
  );
  await box.ok("pull", "--platform", `linux/${OTHER}`, name);
  assertEquals(await box.inspect(name, "{{.Architecture}}"), OTHER);
  await box.ok("pull", `${name}@${digest}`);
  assertEquals(await box.inspect(`${name}@${digest}`, "{{.Architecture}}"), HOST);
  const { code, err } = await box.dhow("pull", "--platform", "linux/s390x", name);
  assertEquals([code, err], [
    1,
    "no matching manifest for linux/s390x in the manifest list entries",
  ]);
});

containerTest("a pull that was killed goes on where it was", async (box) => {
  await using registry = startFaultyRegistry();
  const { layers: [layer], packed: [packed] } = await add(
    registry,
    "x",
    "latest",
    fileLayer("f", 3_000_000),
  );
  const never = Promise.withResolvers<void>();
  registry.hook = (call) =>
    isLayer(call, layer!) && call.count === 1
      ? stalling(packed!, 2_000_000, never.promise)
      : undefined;
  const partial = `${box.root}/tmp/pull-${layer!.slice(7)}`;
  const child = box.command(["pull", `${registry.host}/x`]).spawn();
  await eventually("two thirds are there", () => sizeOf(partial) === 2_000_000);
  child.kill("SIGKILL");
  await child.output();
  await eventually("the helper has gone", () => box.processes().length === 0);
  const out = await box.ok("pull", `${registry.host}/x`);
  assertMatch(out, /Status: Downloaded newer image/);
  const ranges = registry.seen.filter(({ path }) => path.endsWith(layer!)).map(({ range }) =>
    range
  );
  assertEquals(ranges, [null, "bytes=2000000-"]);
  never.resolve();
  assertEquals(list(box, "tmp").filter((name) => name.startsWith("pull-")), []);
  box.crashed = true;
  await box.ok("rmi", `${registry.host}/x`);
});

containerTest("a beginning that is damaged is fetched anew", async (box) => {
  await using registry = startFaultyRegistry();
  const { layers: [layer] } = await add(registry, "x", "latest", fileLayer("f", 100_000));
  const junk = new Uint8Array(5000).fill(7);
  await Deno.writeFile(`${box.root}/tmp/pull-${layer!.slice(7)}`, junk);
  await box.ok("pull", `${registry.host}/x`);
  const ranges = registry.seen.filter(({ path }) => path.endsWith(layer!)).map(({ range }) =>
    range
  );
  assertEquals(ranges, ["bytes=5000-", null]);
});

containerTest("Ctrl-C ends a pull, and the next one goes on", async (box) => {
  await using registry = startFaultyRegistry();
  const { layers: [layer], packed: [packed] } = await add(
    registry,
    "x",
    "latest",
    fileLayer("f", 3_000_000),
  );
  const never = Promise.withResolvers<void>();
  registry.hook = (call) =>
    isLayer(call, layer!) && call.count === 1
      ? stalling(packed!, 2_000_000, never.promise)
      : undefined;
  const before = layersOf(box);
  const name = `pull-${layer!.slice(7)}`;
  const child = box.command(["pull", `${registry.host}/x`]).spawn();
  await eventually("two thirds are there", () => sizeOf(`${box.root}/tmp/${name}`) === 2_000_000);
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  assertEquals([code, new TextDecoder().decode(stderr)], [130, ""]);
  assertEquals(list(box, "tmp"), [name]);
  assertEquals(layersOf(box), before);
  await box.ok("pull", `${registry.host}/x`);
  assertEquals(registry.seen.at(-1)!.range, "bytes=2000000-");
  never.resolve();
});

containerTest("two pulls at once fetch and unpack each blob once", async (box) => {
  await using registry = startFaultyRegistry();
  const [shared, one, two] = [fileLayer("a", 2_000_000), fileLayer("b", 9), fileLayer("c", 9)];
  const { layers: [layer], packed: [packed] } = await add(registry, "one", "latest", shared, one);
  await add(registry, "two", "latest", shared, two);
  const release = Promise.withResolvers<void>();
  registry.hook = (call) =>
    isLayer(call, layer!) ? stalling(packed!, 1_000_000, release.promise) : undefined;
  const pulls = ["one", "two"].map((name) => box.dhow("pull", `${registry.host}/${name}`));
  await eventually("both have begun", () => registry.count("GET", "manifest") === 2);
  await new Promise((resolve) => setTimeout(resolve, 300));
  release.resolve();
  const results = await Promise.all(pulls);
  assertEquals(results.map(({ code, err }) => [code, err]), [[0, ""], [0, ""]]);
  assertEquals(results.filter(({ out }) => out.includes(": Waiting")).length, 1);
  const fetched = registry.seen.filter((seen) => seen.kind === "blob").map(({ path }) => path);
  assertEquals(fetched.length, new Set(fetched).size);
  assertEquals(list(box, "tmp"), []);
});

containerTest("what a registry gets wrong is refused, and leaves nothing", async (box) => {
  await using registry = startFaultyRegistry();
  const layer = fileLayer("f", 200_000);
  const { layers: [digest], packed: [packed] } = await add(registry, "x", "latest", layer);
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

containerTest("a tag that moves meanwhile gives one image or the other, whole", async (box) => {
  await using registry = startFaultyRegistry();
  const old = await add(registry, "x", "latest", fileLayer("old", 10));
  await box.ok("pull", `${registry.host}/x`);
  await add(registry, "x", "latest", fileLayer("middle", 10));
  const middle = registry.manifests.get("x:latest")!;
  const last = await add(registry, "x", "latest", fileLayer("last", 10));
  const newest = registry.manifests.get("x:latest")!;
  registry.manifests.set("x:latest", middle);
  registry.hook = (call) => {
    // Between the question for the tag and the one for what it led to.
    if (call.kind === "manifest" && call.method === "GET") {
      registry.manifests.set("x:latest", newest);
    }
    return undefined;
  };
  await box.ok("pull", `${registry.host}/x`);
  const name = `${registry.host}/x`;
  const digest = await digestOf(middle.bytes);
  assertEquals(await box.inspect(name, "{{json .RepoDigests}}"), `["${name}@${digest}"]`);
  assertNotEquals(digest, old.digest);
  await box.ok("pull", name);
  assertEquals(await box.inspect(name, "{{json .RepoDigests}}"), `["${name}@${last.digest}"]`);
});

containerTest("pull -a takes all tags, and layers once", async (box) => {
  await using registry = startFaultyRegistry();
  const shared = fileLayer("shared", 10);
  await add(registry, "x", "1", shared, fileLayer("one", 10));
  await add(registry, "x", "2", shared, fileLayer("two", 10));
  const out = await box.ok("pull", "-a", `${registry.host}/x`);
  assertMatch(out, /^1: Pulling from x\n/);
  assertMatch(out, /\n2: Pulling from x\n[0-9a-f]{12}: Already exists\n/);
  assert(out.endsWith(`Status: Downloaded newer image for ${registry.host}/x\n${registry.host}/x`));
  assertEquals(registry.count("GET", "blob"), 3 + 2);
  const { code, err } = await box.dhow("pull", "-a", `${registry.host}/x:1`);
  assertEquals([code, err], [1, "tag can't be used with --all-tags/-a"]);
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

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return -1;
  }
}

/** Memory in kB; what two processes share, such as the program itself, counts once. */
function pssOf(pid: number): number {
  try {
    const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
    return Number(/^Pss:\s*(\d+) kB/m.exec(rollup)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

containerTest("a full disk fails the pull, and leaves nothing half made", async (box) => {
  if (Deno.uid() !== 0) return; // only root can mount a small file system
  await using registry = startFaultyRegistry();
  const compressible = archive(
    member("file", "f", { content: new Uint8Array(30_000_000).fill(65), uid: 0, gid: 0 }),
  );
  await add(registry, "unpacked", "latest", compressible);
  await add(registry, "fetched", "latest", fileLayer("f", 30_000_000));
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

containerTest("rmi takes a repository's digests with its last tag", async (box) => {
  await using registry = startFaultyRegistry();
  const { digest } = await add(registry, "x", "1", fileLayer("f", 10));
  const name = `${registry.host}/x`;
  await box.ok("pull", `${name}:1`);
  await box.ok("tag", `${name}:1`, `${name}:2`);
  await box.ok("tag", `${name}:1`, "other");
  assertEquals(await box.ok("rmi", `${name}:2`), `Untagged: ${name}:2`);
  const last = await box.ok("rmi", `${name}:1`);
  assertEquals(last, `Untagged: ${name}:1\nUntagged: ${name}@${digest}`);
  assertEquals(await box.inspect("other", "{{json .RepoDigests}}"), "[]");
  await box.ok("pull", "-q", `${name}@${digest}`);
  assertEquals(
    await box.ok("images", "--digests", "--format", "{{.Repository}} {{.Tag}} {{.Digest}}", name),
    "",
  );
  const all = await box.ok(
    "images",
    "--digests",
    "--format",
    "{{.Repository}} {{.Tag}} {{.Digest}}",
  );
  assert(all.split("\n").includes(`${name} <none> ${digest}`), all);
  assertEquals(await box.ok("rmi", "other"), "Untagged: other:latest");
  assertMatch(
    await box.ok("rmi", `${name}@${digest}`),
    /^Untagged: .*@sha256:\S+\nDeleted: sha256:/,
  );
});
