/**
 * A store of its own for a test, and a worker that unpacks in this process.
 *
 * @module
 */
import { storePaths } from "../../core/host/paths.ts";
import type { LayerWorker } from "../../core/image/ensure_unpacked.ts";
import { adoptDirectories } from "../../core/layer/implied.ts";
import { measureTree } from "../../core/layer/measure.ts";
import { unpackBlob } from "../../core/layer/unpack_blob.ts";
import { removeTreeAt } from "../../ffi/file.ts";

/** Unpacks as whoever runs the test. */
export const localWorker: LayerWorker & Disposable = {
  mapping: "test",
  unpack: unpackBlob,
  adopt: (request) => Promise.resolve(adoptDirectories(request)),
  measure: (directory) => Promise.resolve(measureTree(directory)),
  removeTrees: (paths) => {
    for (const path of paths) removeTreeAt(-100, path);
    return Promise.resolve();
  },
  [Symbol.dispose]: () => {},
};

/** A store in a temporary directory. */
export class TestStore implements AsyncDisposable {
  readonly paths = storePaths(Deno.makeTempDirSync({ prefix: "dhow-store-" }));

  /** Every file and directory of the store but locks, as relative paths. */
  files(below = ""): string[] {
    const found: string[] = [];
    for (const entry of Deno.readDirSync(`${this.paths.root}/${below}`)) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory) found.push(...this.files(path));
      else if (!path.endsWith(".lock")) found.push(path);
    }
    return found.sort();
  }

  /** The names of the blobs. */
  blobs(): string[] {
    return [...Deno.readDirSync(this.paths.blobs)].map(({ name }) => name).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of [this.paths.root, this.paths.runtime]) {
      await Deno.remove(path, { recursive: true }).catch(() => {});
    }
  }
}
