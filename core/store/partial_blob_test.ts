import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { TestStore } from "../../tests/helpers/image_store.ts";
import { digestOf } from "../../tests/helpers/layers.ts";
import { DhowError } from "../errors.ts";
import { blobPath } from "./blob.ts";
import { collectBlobs, collectGarbage } from "./gc.ts";
import { PartialBlob, partialPath } from "./partial_blob.ts";

const bytes = new TextEncoder().encode("0123456789");

async function descriptorOf(data = bytes) {
  return { digest: await digestOf(data), size: data.length };
}

Deno.test("PartialBlob goes on where another was stopped", async () => {
  await using store = new TestStore();
  const blob = await descriptorOf();
  {
    using first = await PartialBlob.open(store.paths, blob);
    first!.append(bytes.subarray(0, 4));
  }
  using second = await PartialBlob.open(store.paths, blob);
  assertEquals(second!.sizeBytes, 4);
  second!.append(bytes.subarray(4));
  await second!.commit();
  assertEquals(await Deno.readFile(blobPath(store.paths, blob.digest)), bytes);
  assertEquals(await PartialBlob.open(store.paths, blob), undefined);
  assertEquals(store.files().filter((path) => path.startsWith("tmp/")), []);
});

Deno.test("PartialBlob gives a blob to one writer at a time", async () => {
  await using store = new TestStore();
  const blob = await descriptorOf();
  const first = (await PartialBlob.open(store.paths, blob))!;
  let waits = 0;
  const late = PartialBlob.open(store.paths, blob, { onWait: () => waits++ });
  const stop = new AbortController();
  const impatient = PartialBlob.open(store.paths, blob, { signal: stop.signal });
  stop.abort(new Error("enough"));
  await assertRejects(() => impatient, Error, "enough");
  first.append(bytes);
  await first.commit();
  first[Symbol.dispose]();
  assertEquals([await late, waits], [undefined, 1]);
});

Deno.test("PartialBlob refuses what is too long, too short or another", async () => {
  await using store = new TestStore();
  const blob = await descriptorOf();
  using partial = (await PartialBlob.open(store.paths, blob))!;
  partial.append(bytes.subarray(0, 9));
  const short = await assertRejects(() => partial.commit(), DhowError, "9 bytes instead of 10");
  assertEquals((short as DhowError).code, "digest_mismatch");
  assertThrows(() => partial.append(bytes.subarray(0, 2)), DhowError, "longer than 10 bytes");
  partial.append(bytes.subarray(0, 1));
  await assertRejects(() => partial.commit(), DhowError, "its digest is sha256:");
  partial.restart();
  partial.append(bytes);
  await partial.commit();
});

Deno.test("the sweep leaves the beginnings of blobs for a week", async () => {
  await using store = new TestStore();
  const sweep = () =>
    collectGarbage(store.paths, {
      usedChainIds: () => [],
      chainIdsOf: () => [],
      removeTrees: () => Promise.resolve(),
    });
  const blob = await descriptorOf();
  {
    using partial = (await PartialBlob.open(store.paths, blob))!;
    partial.append(bytes.subarray(0, 4));
  }
  await Deno.writeTextFile(`${store.paths.tmp}/lock-x`, "");
  collectBlobs(store.paths);
  await sweep();
  const partial = partialPath(store.paths, blob.digest);
  assertEquals(store.files().filter((path) => path.startsWith("tmp/")), [
    partial.slice(store.paths.root.length + 1),
  ]);
  const old = Date.now() / 1000 - 8 * 24 * 3600;
  await Deno.utime(partial, old, old);
  await sweep();
  assertEquals(store.files().filter((path) => path.startsWith("tmp/")), []);
});
