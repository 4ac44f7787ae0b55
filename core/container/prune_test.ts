import { assertEquals } from "@std/assert";
import { storePaths } from "../host/paths.ts";
import { pruneContainers } from "./prune.ts";

Deno.test("pruneContainers() takes the names of containers that are gone away, and no others", async () => {
  const root = await Deno.makeTempDir();
  try {
    const paths = storePaths(root);
    const nothing = { removed: [], reclaimedBytes: 0 };
    assertEquals(await pruneContainers(paths), nothing);
    for (const path of [paths.names, `${paths.containers}/${"a".repeat(64)}`]) {
      await Deno.mkdir(path, { recursive: true });
    }
    await Deno.symlink(`../containers/${"a".repeat(64)}`, `${paths.names}/here`);
    await Deno.symlink(`../containers/${"b".repeat(64)}`, `${paths.names}/gone`);
    assertEquals(await pruneContainers(paths), nothing);
    const names = await Array.fromAsync(Deno.readDir(paths.names), ({ name }) => name);
    assertEquals(names, ["here"]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
