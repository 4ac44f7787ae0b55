/**
 * Images of many layers, on top of busybox.
 *
 * @module
 */
import { sha256Hex } from "../../core/lib/sha256.ts";
import { archive, join, member } from "./tar.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * A docker-archive of one image with `count` layers: the lowest is `directory`'s `busybox.tar`, each of the others adds
 * one file below `/layers` and replaces `/top`.
 */
export async function layeredArchive(
  name: string,
  count: number,
  directory: string,
): Promise<Bytes> {
  const root = { uid: 0, gid: 0 };
  const layers = [
    join([
      withoutEnd(await Deno.readFile(`${directory}/busybox.tar`)),
      archive(member("file", "layers/0", root)),
    ]),
  ];
  for (let i = 1; i < count; i++) {
    layers.push(archive(
      member("file", `layers/${i}`, root),
      member("file", "top", { ...root, content: String(i) }),
    ));
  }
  const diffIds = layers.map((layer) => `sha256:${sha256Hex(layer)}`);
  const config = JSON.stringify({
    architecture: Deno.build.arch === "x86_64" ? "amd64" : "arm64",
    os: "linux",
    config: { Cmd: ["sh"] },
    rootfs: { type: "layers", diff_ids: diffIds },
  });
  const manifest = [{
    Config: "config.json",
    RepoTags: [name],
    Layers: layers.map((_, i) => `${i}.tar`),
  }];
  return archive(
    ...layers.map((content, i) => member("file", `${i}.tar`, { content })),
    member("file", "config.json", { content: config }),
    member("file", "manifest.json", { content: JSON.stringify(manifest) }),
  );
}

/** A tar without the zeros at its end, so that more members can follow. */
function withoutEnd(tar: Bytes): Bytes {
  let end = tar.length;
  while (end >= 512 && tar.subarray(end - 512, end).every((byte) => byte === 0)) end -= 512;
  return tar.slice(0, end);
}
