// Pulling through ./dhow from a registry: what docker says, and whose image it is.
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { startFaultyRegistry } from "../helpers/faulty_registry.ts";
import { digestOf, fileLayer, stalling, zstd } from "../helpers/layers.ts";
import { addGzipImage, isLayer, list } from "../helpers/pulled.ts";
import { containerTest, eventually } from "../helpers/sandbox.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";
const HOST = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
const OTHER = HOST === "arm64" ? "amd64" : "arm64";

containerTest("pull says what docker says, and run finds what was pulled", async (box) => {
  await using registry = startFaultyRegistry();
  const busybox = await Deno.readFile(`${box.directory}/busybox.tar`);
  const { digest, layers } = await addGzipImage(
    registry,
    "lib/box",
    "latest",
    busybox,
    fileLayer("new", 9),
  );
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
  await addGzipImage(registry, "box", "latest", busybox);
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

containerTest("two pulls at once fetch and unpack each blob once", async (box) => {
  await using registry = startFaultyRegistry();
  const [shared, one, two] = [fileLayer("a", 2_000_000), fileLayer("b", 9), fileLayer("c", 9)];
  const { layers: [layer], packed: [packed] } = await addGzipImage(
    registry,
    "one",
    "latest",
    shared,
    one,
  );
  await addGzipImage(registry, "two", "latest", shared, two);
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

containerTest("a tag that moves meanwhile gives one image or the other, whole", async (box) => {
  await using registry = startFaultyRegistry();
  const old = await addGzipImage(registry, "x", "latest", fileLayer("old", 10));
  await box.ok("pull", `${registry.host}/x`);
  await addGzipImage(registry, "x", "latest", fileLayer("middle", 10));
  const middle = registry.manifests.get("x:latest")!;
  const last = await addGzipImage(registry, "x", "latest", fileLayer("last", 10));
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
  await addGzipImage(registry, "x", "1", shared, fileLayer("one", 10));
  await addGzipImage(registry, "x", "2", shared, fileLayer("two", 10));
  const out = await box.ok("pull", "-a", `${registry.host}/x`);
  assertMatch(out, /^1: Pulling from x\n/);
  assertMatch(out, /\n2: Pulling from x\n[0-9a-f]{12}: Already exists\n/);
  assert(out.endsWith(`Status: Downloaded newer image for ${registry.host}/x\n${registry.host}/x`));
  assertEquals(registry.count("GET", "blob"), 3 + 2);
  const { code, err } = await box.dhow("pull", "-a", `${registry.host}/x:1`);
  assertEquals([code, err], [1, "tag can't be used with --all-tags/-a"]);
});

containerTest("rmi takes a repository's digests with its last tag", async (box) => {
  await using registry = startFaultyRegistry();
  const { digest } = await addGzipImage(registry, "x", "1", fileLayer("f", 10));
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
