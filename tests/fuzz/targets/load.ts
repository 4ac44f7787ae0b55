/**
 * Archives of images: what `load` reads.
 *
 * @module
 */
import { loadImages } from "../../../core/image/load_image.ts";
import { sha256Hex } from "../../../core/lib/sha256.ts";
import { localWorker, TestStore } from "../../helpers/image_store.ts";
import { archive, member, streamOf } from "../../helpers/tar.ts";
import { CHOICES, choosingSeeds, spoilJson } from "../spoil_json.ts";
import { attemptAsync, type FuzzTarget, type Input, insist } from "../target.ts";

const config = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } };

/** Documents of both kinds of archive, digests always right. */
export const load: FuzzTarget = {
  name: "load",
  seeds: choosingSeeds,
  dictionary: CHOICES,
  testInputs: 50,
  async run(input) {
    const store = theStore ??= openStore();
    for (const tar of [dockerArchive(input), ociArchive(input)]) {
      const loaded = await attemptAsync(() =>
        loadImages(store.paths, streamOf(tar), { platform: "linux/amd64" }, localWorker)
      );
      insist(loaded === undefined || loaded.length > 0, "something was loaded");
    }
  },
};

let theStore: TestStore | undefined;

function openStore(): TestStore {
  const store = new TestStore();
  globalThis.addEventListener("unload", () => {
    for (const path of [store.paths.root, store.paths.runtime]) {
      try {
        Deno.removeSync(path, { recursive: true });
      } catch { /* it was never made */ }
    }
  });
  return store;
}

function dockerArchive(input: Input): Input {
  const manifest = [{ Config: "c.json", RepoTags: ["app:1", "b.c/d:e"], Layers: [] }];
  return archive(
    document("c.json", spoilJson([config], input.subarray(0, input.length >> 1))),
    document("manifest.json", spoilJson([manifest], input.subarray(input.length >> 1))),
  );
}

function ociArchive(input: Input): Input {
  const part = (number: number) => input.subarray(number * input.length >> 2);
  const configBlob = blob(spoilJson([config], part(0)));
  const { line: configLine } = configBlob;
  const layers: unknown[] = [];
  const manifest = blob(
    spoilJson([{ schemaVersion: 2, config: configLine, layers }], part(1)),
  );
  const platform = { os: "linux", architecture: "amd64", variant: "v1" };
  const annotations = { "org.opencontainers.image.ref.name": "quay.io/a/b:c" };
  const lines = [{ ...manifest.line, platform, annotations }];
  const index = blob(spoilJson([{ schemaVersion: 2, manifests: lines }], part(2)));
  const top = spoilJson([{ manifests: lines }, { manifests: [index.line] }], part(3));
  return archive(configBlob.member, manifest.member, index.member, document("index.json", top));
}

function blob(value: unknown) {
  const content = encode(value);
  const hex = sha256Hex(content);
  return {
    member: member("file", `blobs/sha256/${hex}`, { content }),
    line: { mediaType: "application/x", digest: `sha256:${hex}`, size: content.length },
  };
}

function document(name: string, value: unknown): Input {
  return member("file", name, { content: encode(value) });
}

function encode(value: unknown): Input {
  return new TextEncoder().encode(JSON.stringify(value));
}
