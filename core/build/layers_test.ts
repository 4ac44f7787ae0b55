import { assertEquals } from "@std/assert";
import { TestStore } from "../../tests/helpers/image_store.ts";
import { baseOf, BuildLayer, linkBase } from "./layers.ts";

Deno.test("a layer keeps its name while somebody uses it", async () => {
  await using store = new TestStore();
  const place = { paths: store.paths, mapping: "test" };
  await Deno.mkdir(`${baseOf(place)}/l`, { recursive: true });
  const digest = `sha256:${"a".repeat(64)}` as const;
  for (let pauses = 0; pauses < 8; pauses++) {
    const directory = `.tmp-${pauses}`;
    await Deno.mkdir(`${baseOf(place)}/${directory}`);
    const layer = BuildLayer.made(place, directory, {
      below: [],
      createdAt: "",
      pack: () => Promise.resolve({ digest, size: 0, sizeBytes: 0 }),
    });
    const isThere = (name: string) => Deno.statSync(`${linkBase(place)}/${name}`).isDirectory;
    // Users come as often as they can, and all waits that there are see one of them gone.
    for (let i = 0; i < 200 && !layer.isPlaced; i++) {
      {
        using use = layer.use();
        await new Promise((resolve) => setTimeout(resolve, 1));
        assertEquals(isThere(use.name), true);
      }
      for (let pause = 0; pause < pauses; pause++) await null;
      using again = layer.use();
      for (let pause = 0; pause < 8; pause++) await null;
      assertEquals(isThere(again.name), true);
    }
    await layer.stored;
    assertEquals(isThere(layer.use().name), true);
    await Deno.remove(layer.path, { recursive: true });
    await Deno.remove(`${baseOf(place)}/${"a".repeat(64)}`, { recursive: true });
  }
});
