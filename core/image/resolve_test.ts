import { assertEquals, assertThrows } from "@std/assert";
import { TestStore } from "../../tests/helpers/image_store.ts";
import { addImage } from "./add_image.ts";
import { storeImage } from "./import_image.ts";
import { resolveImage } from "./resolve.ts";
import { listStoredImages } from "./stored_image.ts";
import { tagImage } from "./tag_image.ts";

async function addTestImage(store: TestStore, name: string, comment: string): Promise<string> {
  const image = await storeImage(store.paths, {
    architecture: "amd64",
    os: "linux",
    comment,
    config: { Cmd: [comment] },
    rootfs: { type: "layers", diff_ids: [] },
  }, []);
  addImage(store.paths, { ...image, references: name === "" ? [] : [name], sizeBytes: 5 });
  return image.id;
}

Deno.test("resolveImage() finds an image by name, id and prefix", async () => {
  await using store = new TestStore();
  const id = await addTestImage(store, "docker.io/library/busybox:latest", "one");
  const hex = id.slice(7);
  const names = ["busybox", "busybox:latest", "docker.io/library/busybox", id, hex];
  for (const name of [...names, hex.slice(0, 12), `sha256:${hex.slice(0, 5)}`]) {
    assertEquals(resolveImage(store.paths, name).id, id, name);
  }
  assertEquals(resolveImage(store.paths, "busybox").config, { Cmd: ["one"] });
});

Deno.test("resolveImage() says what docker says of what is not there", async () => {
  await using store = new TestStore();
  const refusal = (name: string) =>
    (assertThrows(() => resolveImage(store.paths, name)) as Error).message;
  assertEquals(refusal("nope"), "No such image: nope:latest");
  assertEquals(refusal("localhost:5000/nope"), "No such image: localhost:5000/nope:latest");
  assertEquals(refusal("012345678901"), "No such image: 012345678901:latest");
  assertEquals(refusal(`sha256:${"0".repeat(64)}`), `No such image: sha256:${"0".repeat(64)}`);
  assertEquals(
    refusal("Foo"),
    "invalid reference format: repository name (library/Foo) must be lowercase",
  );
});

Deno.test("addImage() moves a name; who loses the last one stays nameless", async () => {
  await using store = new TestStore();
  const name = "docker.io/library/app:latest";
  const first = await addTestImage(store, name, "first");
  const second = await addTestImage(store, name, "second");
  assertEquals(resolveImage(store.paths, "app").id, second);
  assertEquals(
    listStoredImages(store.paths).map(({ id, references, sizeBytes }) => ({
      id,
      references,
      sizeBytes,
    })),
    [
      { id: first, references: [], sizeBytes: 5 },
      { id: second, references: [name], sizeBytes: 5 },
    ],
  );
  await addTestImage(store, "", "first");
  assertEquals(listStoredImages(store.paths).length, 2);
  await addTestImage(store, "docker.io/library/old:1", "first");
  assertEquals(listStoredImages(store.paths).map((image) => image.references.length), [1, 1]);
});

Deno.test("tagImage() refuses in docker's words", async () => {
  await using store = new TestStore();
  await addTestImage(store, "docker.io/library/a:latest", "one");
  const refusal = (source: string, target: string) =>
    (assertThrows(() => tagImage(store.paths, source, target)) as Error).message;
  assertEquals(
    refusal("a", "Foo"),
    'Error parsing reference: "Foo" is not a valid repository/tag: invalid reference format: repository name (library/Foo) must be lowercase',
  );
  assertEquals(
    refusal("a", `b@sha256:${"0".repeat(64)}`),
    "refusing to create a tag with a digest reference",
  );
  assertEquals(
    refusal("a", "sha256:abc"),
    "refusing to create an ambiguous tag using digest algorithm as name",
  );
  assertEquals(refusal("nope", "b"), "No such image: nope:latest");
  tagImage(store.paths, "a", "b:2");
  assertEquals(resolveImage(store.paths, "b:2").id, resolveImage(store.paths, "a").id);
});

Deno.test("the index takes changes of many writers, and readers see it whole", async () => {
  await using store = new TestStore();
  await addTestImage(store, "docker.io/library/a:latest", "one");
  const script = `
    import { storePaths } from ${JSON.stringify(import.meta.resolve("../host/paths.ts"))};
    import { tagImage } from ${JSON.stringify(import.meta.resolve("./tag_image.ts"))};
    const paths = storePaths(${JSON.stringify(store.paths.root)});
    for (let i = 0; i < 15; i++) tagImage(paths, "a", Deno.args[0] + ":" + i);`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, script);
  const writers = ["x", "y", "z"].map((name) =>
    new Deno.Command(Deno.execPath(), { args: ["run", "-A", "--no-check", file, name] }).output()
  );
  let running = true;
  const all = Promise.all(writers).finally(() => running = false);
  while (running) {
    assertEquals(listStoredImages(store.paths).length, 1);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  for (const { stderr } of await all) assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(listStoredImages(store.paths)[0]!.references.length, 46);
  await Deno.remove(file);
});
