// Pushing through ./dhow, to a real registry and to one in memory; what comes back is what was sent.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startFaultyRegistry } from "../helpers/faulty_registry.ts";
import { digestOf, fileLayer, gzip } from "../helpers/layers.ts";
import { registryTest, startRegistry } from "../helpers/registry.ts";
import { containerTest, Sandbox } from "../helpers/sandbox.ts";

/** The manifest that a registry has under a tag. */
async function manifestOf(url: string, name: string, tag: string) {
  const response = await fetch(`${url}/v2/${name}/manifests/${tag}`, {
    headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { digest: await digestOf(bytes), ...JSON.parse(new TextDecoder().decode(bytes)) };
}

registryTest("what was pushed comes back bit by bit, elsewhere too", async () => {
  await using registry = await startRegistry();
  await using box = await Sandbox.open();
  await using other = await Sandbox.open();
  const name = `${registry.host}/team/box`;
  await box.ok("tag", "busybox", `${name}:1`);
  const [diffId] = JSON.parse(await box.inspect("busybox", "{{json .RootFS.Layers}}"));
  const id = diffId.slice(7, 19);
  const lines = (await box.ok("push", `${name}:1`)).split("\n");
  assertEquals(lines.slice(0, -1), [
    `The push refers to repository [${name}]`,
    `${id}: Preparing`,
    `${id}: Pushed`,
  ]);
  const manifest = await manifestOf(registry.url, "team/box", "1");
  assertMatch(manifest.layers[0].mediaType, /tar\+gzip$/);
  assertMatch(lines.at(-1)!, new RegExp(`^1: digest: ${manifest.digest} size: \\d+$`));
  assertEquals(
    await box.inspect(`${name}:1`, "{{json .RepoDigests}}"),
    `["${name}@${manifest.digest}"]`,
  );

  assertMatch(await box.ok("push", `${name}:1`), new RegExp(`${id}: Layer already exists\n`));
  await box.ok("tag", "busybox", `${registry.host}/elsewhere`);
  const mounted = await box.ok("push", `${registry.host}/elsewhere`);
  assertMatch(mounted, new RegExp(`^Using default tag: latest\n`));
  assertMatch(mounted, new RegExp(`${id}: Mounted from team/box\n`));

  await other.ok("rmi", "busybox");
  await other.ok("pull", `${name}:1`);
  assertEquals(
    await other.inspect(`${name}:1`, "{{.Id}} {{json .RootFS.Layers}}"),
    await box.inspect("busybox", "{{.Id}} {{json .RootFS.Layers}}"),
  );
  assertEquals(await other.runs("--rm", `${name}:1`, "echo", "hi"), "hi");
  await other.ok("tag", `${name}:1`, `${name}:2`);
  await other.ok("push", `${name}:2`);
  assertEquals((await manifestOf(registry.url, "team/box", "2")).digest, manifest.digest);

  // Here the layer lies as a plain tar; it is the same image all the same.
  const again = await box.ok("pull", `${name}:1`);
  assertMatch(again, /Status: Image is up to date/);
});

containerTest("push -a sends all tags, and what is not here is said", async (box) => {
  await using registry = startFaultyRegistry();
  const name = `${registry.host}/box`;
  for (const tag of ["b", "a"]) await box.ok("tag", "busybox", `${name}:${tag}`);
  const out = await box.ok("push", "-a", name);
  assertMatch(out, /\na: digest: sha256:.*\n[^]*\nb: digest: sha256:/);
  assertEquals(await box.ok("push", "-q", `${name}:a`), `${name}:a`);
  const missing = await box.dhow("push", `${registry.host}/none`);
  assertEquals([missing.code, missing.err], [
    1,
    `An image does not exist locally with the tag: ${registry.host}/none`,
  ]);
  const both = await box.dhow("push", "-a", `${name}:a`);
  assertEquals([both.code, both.err], [1, "tag can't be used with --all-tags/-a"]);
});

containerTest("a push that breaks off is said, and the next one works", async (box) => {
  await using registry = startFaultyRegistry();
  const name = `${registry.host}/box`;
  await box.ok("tag", "busybox", name);
  registry.hook = ({ kind, method }) =>
    kind === "manifest" && method === "PUT"
      ? Response.json({ errors: [{ code: "DENIED", message: "not today" }] }, { status: 403 })
      : undefined;
  const { code, err } = await box.dhow("push", name);
  assertEquals(code, 1);
  assertMatch(err, /denied/i);
  assertEquals(await Array.fromAsync(Deno.readDir(`${box.root}/tmp`)), []);
  registry.hook = undefined;
  assertMatch(await box.ok("push", name), /Layer already exists/);
});

containerTest("an index whose images are all here is pushed whole", async (box) => {
  await using registry = startFaultyRegistry();
  const config = async (architecture: string, layer: Uint8Array<ArrayBuffer>) =>
    new TextEncoder().encode(JSON.stringify({
      architecture,
      os: "linux",
      rootfs: { type: "layers", diff_ids: [await digestOf(layer)] },
    }));
  const put = async (bytes: Uint8Array<ArrayBuffer>) => {
    const digest = await digestOf(bytes);
    await Deno.writeFile(`${box.root}/blobs/sha256/${digest.slice(7)}`, bytes);
    return { digest, size: bytes.length };
  };
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const manifests = [];
  for (const architecture of ["amd64", "arm64"]) {
    const layer = fileLayer(architecture, 100);
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const manifest = {
      schemaVersion: 2,
      mediaType,
      config: {
        mediaType: "application/vnd.oci.image.config.v1+json",
        ...await put(await config(architecture, layer)),
      },
      layers: [{
        mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
        ...await put(await gzip(layer)),
      }],
    };
    const platform = { os: "linux", architecture };
    manifests.push({ mediaType, ...await put(json(manifest)), platform });
  }
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const index = await put(json({ schemaVersion: 2, mediaType, manifests }));
  const file = `${box.root}/index.json`;
  const lines = JSON.parse(await Deno.readTextFile(file));
  const ref = `${registry.host}/many:latest`;
  const annotations = { "org.opencontainers.image.ref.name": ref };
  lines.manifests.push({ mediaType, ...index, annotations });
  await Deno.writeTextFile(file, JSON.stringify(lines));

  const out = await box.ok("push", ref);
  assert(out.endsWith(`latest: digest: ${index.digest} size: ${index.size}`));
  for (const { digest } of manifests) assert(registry.manifests.has(`many@${digest}`));
  await box.ok("push", "--platform", "linux/arm64", ref);
  const one = await digestOf(registry.manifests.get("many:latest")!.bytes);
  assertEquals(one, manifests[1]!.digest);
});
