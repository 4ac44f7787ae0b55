import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { sha256Hex } from "../lib/sha256.ts";
import { leaseStore } from "../store/layout.ts";
import { localWorker, TestStore } from "../../tests/helpers/image_store.ts";
import { archive, join, member, streamOf } from "../../tests/helpers/tar.ts";
import { ensureBuiltinImage } from "./builtin_image.ts";
import { ensureUnpacked, findUnpacked, type LayerWorker } from "./ensure_unpacked.ts";
import { importImage } from "./import_image.ts";
import { inspectImage } from "./inspect_image.ts";
import { loadImages } from "./load_image.ts";
import { planRemoval, removeImage } from "./remove_image.ts";
import { resolveImage } from "./resolve.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const encode = (value: unknown): Bytes =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const digestOf = (bytes: Bytes) => `sha256:${sha256Hex(bytes)}`;
const removal = { users: () => [], openWorker: () => Promise.resolve(localWorker) };

const layerOne = archive(
  member("directory", "etc"),
  member("directory", "tmp", { mode: 0o1777 }),
  member("file", "etc/one", { content: "one" }),
);
const layerTwo = archive(
  member("file", "tmp/two", { content: "two" }),
  member("file", "etc/.wh.one"),
);

async function gzip(data: Bytes): Promise<Bytes> {
  const stream = new Blob([data]).stream().pipeThrough(new CompressionStream("gzip"));
  return await new Response(stream).bytes() as Bytes;
}

function codeOf(error: unknown): string {
  return (error as DhowError).code;
}

Deno.test("importImage() stores, unpacks and names an image, compressed or not", async () => {
  await using store = new TestStore();
  const diffId = digestOf(layerOne);
  for (const [name, data] of [["plain", layerOne], ["gz", await gzip(layerOne)]] as const) {
    const id = await importImage(store.paths, streamOf(data, 777), {
      reference: name,
      changes: ["CMD true"],
      message: "hello",
    }, localWorker);
    const shown = inspectImage(store.paths, name, "test");
    assertEquals(shown.Id, id);
    assertEquals([shown.Comment, shown.Size], ["hello", 3]);
    assertEquals(shown.RootFS.Layers, [diffId]);
    assertEquals(shown.RepoTags, [`${name}:latest`]);
  }
  const [layer] = findUnpacked(store.paths, [diffId], "test")!;
  assertEquals(await Deno.readTextFile(`${layer}/etc/one`), "one");
});

Deno.test("importImage() leaves the store as it was when it fails", async () => {
  await using store = new TestStore();
  const attempt = (data: Bytes, options = {}) =>
    assertRejects(
      () => importImage(store.paths, streamOf(data), { reference: "x", ...options }, localWorker),
      DhowError,
    ).then(codeOf);
  assertEquals(await attempt(encode("no archive ".repeat(100))), "invalid_layer");
  assertEquals(await attempt((await gzip(layerOne)).slice(0, 100)), "invalid_layer");
  assertEquals(await attempt(layerOne.slice(0, 700)), "invalid_layer");
  assertEquals(await attempt(layerOne, { reference: "X" }), "invalid_argument");
  assertEquals(await attempt(layerOne, { platform: "windows/amd64" }), "unsupported");
  assertThrows(() => resolveImage(store.paths, "x"), DhowError, "No such image: x:latest");
  assertEquals(store.files(), ["oci-layout"]);
  await importImage(store.paths, streamOf(layerOne), { reference: "x" }, localWorker);
  await removeImage(store.paths, "x", removal);
  assertEquals(store.files().filter((path) => path !== "index.json" && path !== "oci-layout"), []);
});

function dockerArchive(
  options: { layers?: Bytes[]; diffIds?: string[]; tags?: string[]; config?: unknown } = {},
) {
  const layers = options.layers ?? [layerOne, layerTwo];
  const diffIds = options.diffIds ?? [layerOne, layerTwo].map(digestOf);
  const config = encode({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: diffIds },
    config: options.config,
  });
  const configName = `${sha256Hex(config)}.json`;
  const manifest = [{
    Config: configName,
    RepoTags: options.tags ?? ["app:1"],
    Layers: layers.map((_, i) => `${i}/layer.tar`),
  }];
  return archive(
    ...layers.map((content, i) => member("file", `${i}/layer.tar`, { content })),
    member("file", configName, { content: config }),
    member("file", "manifest.json", { content: encode(manifest) }),
  );
}

Deno.test("loadImages() reads a docker-archive; implied directories look as below", async () => {
  for (const data of [dockerArchive(), await gzip(dockerArchive())]) {
    await using store = new TestStore();
    const lines: string[] = [];
    const options = { onProgress: (line: string) => lines.push(line) };
    const loaded = await loadImages(store.paths, streamOf(data), options, localWorker);
    assertEquals(loaded.map(({ references }) => references), [["app:1"]]);
    assertEquals(lines, ["Loaded image: app:1"]);
    const image = resolveImage(store.paths, "app:1");
    const layers = await ensureUnpacked(store.paths, image, localWorker);
    assertEquals(layers.length, 2);
    assertEquals((await Deno.stat(`${layers[1]}/tmp`)).mode! & 0o7777, 0o1777);
    assertEquals((await Deno.lstat(`${layers[1]}/etc/one`)).isCharDevice, true);
  }
});

Deno.test("loadImages() keeps an OCI archive's manifest and picks this machine's image", async () => {
  await using store = new TestStore();
  const compressed = await gzip(layerOne);
  const config = encode({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [digestOf(layerOne)] },
  });
  const describe = (mediaType: string, bytes: Bytes) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const manifest = encode({
    schemaVersion: 2,
    config: describe("application/vnd.oci.image.config.v1+json", config),
    layers: [describe("application/vnd.oci.image.layer.v1.tar+gzip", compressed)],
  });
  const line = describe("application/vnd.oci.image.manifest.v1+json", manifest);
  const architecture = Deno.build.arch === "x86_64" ? "amd64" : "arm64";
  const index = encode({
    schemaVersion: 2,
    manifests: [
      {
        ...line,
        digest: `sha256:${"0".repeat(64)}`,
        platform: { os: "linux", architecture: "s390x" },
      },
      { ...line, platform: { os: "linux", architecture } },
    ],
  });
  const top = describe("application/vnd.oci.image.index.v1+json", index);
  const annotations = { "org.opencontainers.image.ref.name": "quay.io/a/b:c" };
  const blobs = [compressed, config, manifest, index].map((content) =>
    member("file", `./blobs/sha256/${sha256Hex(content)}`, { content })
  );
  const data = archive(
    member("file", "./index.json", { content: encode({ manifests: [{ ...top, annotations }] }) }),
    ...blobs,
  );
  await loadImages(store.paths, streamOf(data), {}, localWorker);
  assertEquals(inspectImage(store.paths, "quay.io/a/b:c", "test").Id, digestOf(config));
  assertEquals(store.blobs().includes(sha256Hex(manifest)), true);
  const wrong = archive(
    member("file", "index.json", { content: encode({ manifests: [line] }) }),
    member("file", `blobs/sha256/${sha256Hex(manifest)}`, { content: "{}" }),
  );
  const error = await assertRejects(() =>
    loadImages(store.paths, streamOf(wrong), {}, localWorker)
  );
  assertEquals(codeOf(error), "digest_mismatch");
});

Deno.test("loadImages() refuses archives that lie", async () => {
  await using store = new TestStore();
  const attempt = async (data: Bytes) =>
    codeOf(
      await assertRejects(
        () => loadImages(store.paths, streamOf(data), {}, localWorker),
        DhowError,
      ),
    );
  const only = (name: string, content: unknown) =>
    archive(member("file", name, { content: encode(content) }));
  assertEquals(await attempt(archive()), "invalid_archive");
  assertEquals(await attempt(encode("rubbish".repeat(200))), "invalid_archive");
  assertEquals(await attempt(dockerArchive().slice(0, 2000)), "invalid_archive");
  assertEquals(await attempt(only("manifest.json", "no json")), "invalid_archive");
  assertEquals(await attempt(only("manifest.json", {})), "invalid_archive");
  assertEquals(await attempt(only("manifest.json", [null])), "invalid_archive");
  assertEquals(
    await attempt(only("manifest.json", [{ Config: "c.json", Layers: [] }])),
    "invalid_archive",
  );
  assertEquals(
    await attempt(only("manifest.json", [{ Config: "../../etc/passwd", Layers: [] }])),
    "invalid_layer",
  );
  assertEquals(await attempt(dockerArchive({ layers: [layerOne] })), "invalid_layer");
  assertEquals(
    await attempt(dockerArchive({ layers: [layerTwo, layerOne] })),
    "digest_mismatch",
  );
  assertEquals(await attempt(dockerArchive({ diffIds: ["sha256:xyz", "y"] })), "invalid_archive");
  for (const config of [1, { Env: "A=b" }, { Labels: { a: 1 } }, { Healthcheck: { Test: [1] } }]) {
    assertEquals(await attempt(dockerArchive({ config })), "invalid_archive");
  }
  assertEquals(await attempt(dockerArchive({ tags: ["UPPER"] })), "invalid_argument");
  assertEquals(
    await attempt(only("index.json", { manifests: [{ digest: "sha256:../../x", size: 1 }] })),
    "invalid_archive",
  );
  for (
    const manifests of [null, 1, [null], [{}], [{ digest: 1, size: 1 }], [{ platform: null }]]
  ) {
    assertEquals(await attempt(only("index.json", { manifests })), "invalid_archive");
  }
  assertEquals(await attempt(only("index.json", null)), "invalid_archive");
  const loop = join([
    member("symlink", "manifest.json", { linkPath: "manifest.json" }),
    archive(),
  ]);
  assertEquals(await attempt(loop), "invalid_archive");
});

Deno.test("two imports of the same layer at once both succeed", async () => {
  await using store = new TestStore();
  const slow: LayerWorker = {
    ...localWorker,
    unpack: async (request) => {
      const result = await localWorker.unpack(request);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return result;
    },
  };
  const ids = await Promise.all(
    ["a", "b", "c"].map((reference) =>
      importImage(store.paths, streamOf(layerOne), { reference }, slow)
    ),
  );
  assertEquals(ids.length, 3);
  const layers = store.files("layers").filter((path) => path.includes(".tmp-"));
  assertEquals(layers, []);
});

Deno.test("a layer that a power cut damaged is unpacked again after the next boot", async () => {
  await using store = new TestStore();
  await importImage(store.paths, streamOf(layerOne), { reference: "img" }, localWorker);
  const image = resolveImage(store.paths, "img");
  const [layer] = findUnpacked(store.paths, image.diffIds, "test")!;
  const reboot = () => Deno.remove(store.paths.runtime, { recursive: true });
  const inode = async () => (await Deno.stat(`${layer}/etc/one`)).ino;
  const before = await inode();
  await reboot();
  assertEquals(findUnpacked(store.paths, image.diffIds, "test"), undefined);
  assertEquals(await ensureUnpacked(store.paths, image, localWorker), [layer]);
  assertEquals(await inode(), before);
  await Deno.truncate(`${layer}/etc/one`);
  await reboot();
  assertEquals(await ensureUnpacked(store.paths, image, localWorker), [layer]);
  assertEquals(await Deno.readTextFile(`${layer}/etc/one`), "one");
  assertEquals(findUnpacked(store.paths, image.diffIds, "test"), [layer]);
});

Deno.test("removeImage() sweeps blobs and layers, but not while somebody imports", async () => {
  await using store = new TestStore();
  await importImage(store.paths, streamOf(layerOne), { reference: "img" }, localWorker);
  await importImage(store.paths, streamOf(layerTwo), { reference: "b" }, localWorker);
  {
    using _lease = leaseStore(store.paths);
    const removed = await removeImage(store.paths, "img", removal);
    assertEquals(removed.map((item) => Object.keys(item)[0]), ["untagged", "deleted", "deleted"]);
    assertEquals(store.blobs().length, 6);
  }
  const { id } = resolveImage(store.paths, "b");
  await removeImage(store.paths, id.slice(7, 19), removal);
  assertEquals(store.blobs(), []);
  assertEquals(store.files("layers"), []);
});

Deno.test("imports and removals in one process do not wait for one another forever", async () => {
  await using store = new TestStore();
  const slow = {
    ...localWorker,
    removeTrees: async (trees: string[]) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await localWorker.removeTrees(trees);
    },
  };
  const options = { ...removal, openWorker: () => Promise.resolve(slow) };
  await Promise.all(
    Array.from({ length: 6 }, async (_, i) => {
      const reference = `app:${i}`;
      await importImage(store.paths, streamOf(layerOne), { reference }, slow);
      await removeImage(store.paths, reference, options);
    }),
  );
  assertEquals(store.blobs(), []);
  assertEquals(store.files("layers"), []);
});

Deno.test("removeImage() keeps the layers containers stand on", async () => {
  await using store = new TestStore();
  const id = await importImage(store.paths, streamOf(layerOne), { reference: "img" }, localWorker);
  const user = {
    containerId: "c".repeat(64),
    imageId: id,
    running: false,
    diffIds: [digestOf(layerOne)],
  };
  const options = { ...removal, users: () => [user] };
  await assertRejects(() => removeImage(store.paths, "img", options), DhowError, "must force");
  const removed = await removeImage(store.paths, "img", { ...options, force: true });
  assertEquals(removed, [{ untagged: "img:latest" }, { deleted: id }]);
  assertEquals(findUnpacked(store.paths, user.diffIds, "test")!.length, 1);
});

Deno.test("planRemoval() decides as docker does", () => {
  const id = `sha256:${"ab".repeat(32)}`;
  const image = (...references: string[]) => ({
    id,
    manifest: { mediaType: "", digest: id, size: 1 },
    references: references.map((name) => `docker.io/library/${name}`),
    repoDigests: [],
  });
  const user = (running: boolean) => ({
    containerId: "c".repeat(64),
    imageId: id,
    running,
    diffIds: [],
  });
  const plan = (names: string[], name: string, force: boolean, ...users: boolean[]) => {
    try {
      const { references, deletes } = planRemoval(image(...names), name, {
        force,
        users: users.map(user),
      });
      return `untags ${references.length}${deletes ? ", deletes" : ""}`;
    } catch (error) {
      return (error as Error).message.replace(
        /.*(must force|must be forced|cannot be forced).*/,
        "$1",
      );
    }
  };
  assertEquals(plan(["x:latest"], "x", false), "untags 1, deletes");
  assertEquals(plan(["x:latest", "y:1"], "x", false), "untags 1");
  assertEquals(plan(["x:latest"], "x", false, false), "must force");
  assertEquals(plan(["x:latest", "y:1"], "x", false, true), "untags 1");
  assertEquals(plan(["x:latest"], "x", true, false), "untags 1, deletes");
  assertEquals(plan(["x:latest"], "x", true, true), "untags 1");
  assertEquals(plan(["x:latest"], "abab", false), "untags 1, deletes");
  assertEquals(plan(["x:latest", "y:1"], "abab", false), "must be forced");
  assertEquals(plan(["x:latest", "y:1"], "abab", true), "untags 2, deletes");
  assertEquals(plan(["x:latest"], "abab", false, false), "must be forced");
  assertEquals(plan(["x:latest"], "abab", true, true), "cannot be forced");
});

Deno.test("a store that cannot be written says so", async () => {
  await using store = new TestStore();
  await importImage(store.paths, streamOf(layerOne), { reference: "img" }, localWorker);
  if (Deno.uid() === 0) return; // Root writes anywhere; a read-only mount is tried as a whole tool.
  await Deno.chmod(store.paths.tmp, 0o500);
  const error = await assertRejects(
    () => importImage(store.paths, streamOf(layerTwo), { reference: "b" }, localWorker),
    DhowError,
  );
  assertEquals(codeOf(error), "read_only");
  await Deno.chmod(store.paths.tmp, 0o700);
});

Deno.test("ensureBuiltinImage() brings hello, once", async () => {
  await using store = new TestStore();
  assertEquals(await ensureBuiltinImage(store.paths, "busybox"), false);
  for (const name of ["hello", "hello:latest", "docker.io/library/hello"]) {
    assertEquals(await ensureBuiltinImage(store.paths, name), true);
  }
  const image = resolveImage(store.paths, "hello");
  assertEquals(image.config.Cmd, ["/hello"]);
  if (Deno.uid() !== 0) return; // The layer's files belong to root.
  const [layer] = await ensureUnpacked(store.paths, image, localWorker);
  const { stdout, code } = await new Deno.Command(`${layer}/hello`).output();
  assertEquals(code, 0);
  const text = new TextDecoder().decode(stdout);
  assertEquals(text.includes("Hello from dhow!"), true);
  assertEquals(text.includes((await Deno.readLink("/proc/self/ns/pid")) + "\n"), true);
  assertEquals(text.includes(await Deno.readTextFile("/proc/self/uid_map")), true);
});
