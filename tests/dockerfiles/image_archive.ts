/**
 * Images in an archive, as `docker save` makes it, laid flat: what a container of each would see.
 *
 * @module
 */
import { sha256Hex } from "../../core/lib/sha256.ts";
import type { TarEntry } from "../../core/layer/tar_entry.ts";
import { TarReader } from "../../core/layer/tar_reader.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A file without its name; names that share one are hard links. */
interface Inode {
  type: TarEntry["kind"];
  mode: string;
  owner: string;
  size?: number;
  link?: string;
  sha256?: string;
}

/** What is said of a path. */
export type FileRecord = Inode & {
  /** The first of several names. */
  sameAs?: string;
};

/** An image laid flat. */
export interface FlatImage {
  /** The part of its configuration that a Dockerfile decides. */
  config: Record<string, unknown>;
  /** By path, without a slash at the start. */
  files: Map<string, FileRecord>;
}

/** A member of a layer. */
interface Change {
  path: string;
  inode?: Inode;
  /** Of a hard link: the other name. */
  target?: string;
}

const CONFIG_KEYS = [
  ...["Env", "Cmd", "Entrypoint", "User", "WorkingDir", "Labels", "ExposedPorts", "Volumes"],
  ...["StopSignal", "Healthcheck", "OnBuild", "Shell"],
];

/** What engines put into containers on their own. */
const NOT_OURS = /^(?:dev|proc|sys|run)(?:\/|$)|^etc\/(?:hosts|resolv\.conf|hostname|mtab)$/;

/** Reads all images of an archive, by the last part of their names. */
export async function readFlatImages(archive: string): Promise<Map<string, FlatImage>> {
  const members = readMembers(await Deno.readFile(archive));
  const json = (name: string) => JSON.parse(new TextDecoder().decode(members.get(name)));
  const layers = new Map<string, Change[]>();
  const images = new Map<string, FlatImage>();
  for (const { Config, RepoTags, Layers } of json("manifest.json")) {
    const inodes = new Map<string, Inode>();
    for (const name of Layers as string[]) {
      let changes = layers.get(name);
      if (changes === undefined) layers.set(name, changes = readLayer(members.get(name)!));
      for (const change of changes) apply(inodes, change);
    }
    const flat = { config: plainConfig(json(Config)), files: describe(inodes) };
    for (const tag of RepoTags as string[]) {
      images.set(tag.replace(/:[^:/]*$/, "").split("/").at(-1)!, flat);
    }
  }
  return images;
}

/** What `image` has that `base` has not, and what it lacks. */
export function changesFrom(
  base: FlatImage,
  image: FlatImage,
): { files: Record<string, FileRecord>; removed: string[] } {
  const files: Record<string, FileRecord> = {};
  for (const [path, record] of [...image.files].sort(([a], [b]) => a < b ? -1 : 1)) {
    const before = base.files.get(path);
    if (JSON.stringify(before) !== JSON.stringify(record)) files[path] = record;
  }
  const removed = [...base.files.keys()].filter((path) => !image.files.has(path)).sort();
  return { files, removed };
}

function readMembers(bytes: Bytes): Map<string, Bytes> {
  const members = new Map<string, Bytes>();
  readTar(bytes, (entry, content) => {
    if (entry.kind === "file") members.set(entry.path, content());
    // Archives of old name a layer again by a link.
    const layer = /^\.\.\/(.*)$/.exec(entry.linkPath)?.[1];
    if (entry.kind === "symlink" && layer !== undefined) {
      const found = members.get(layer);
      if (found !== undefined) members.set(entry.path, found);
    }
  });
  return members;
}

function readLayer(bytes: Bytes): Change[] {
  const changes: Change[] = [];
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (isGzip) throw new Error("layers are expected not to be compressed");
  readTar(bytes, (entry, content) => {
    const path = entry.path.replace(/^(?:\.?\/)+/, "");
    if (path === "" || path === ".") return;
    if (entry.kind === "hardlink") {
      changes.push({ path, target: entry.linkPath.replace(/^(?:\.?\/)+/, "") });
      return;
    }
    const inode: Inode = {
      type: entry.kind,
      mode: entry.kind === "symlink" ? "777" : entry.mode.toString(8),
      owner: `${entry.uid}:${entry.gid}`,
      ...(entry.kind === "symlink" && { link: entry.linkPath }),
      ...(entry.kind === "file" && { size: entry.sizeBytes, sha256: sha256Hex(content()) }),
    };
    changes.push({ path, inode });
  });
  return changes;
}

function apply(inodes: Map<string, Inode>, { path, inode, target }: Change): void {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  const directory = path.slice(0, slash + 1);
  if (name === ".wh..wh..opq") removeBelow(inodes, directory);
  else if (name.startsWith(".wh.")) {
    inodes.delete(directory + name.slice(4));
    removeBelow(inodes, `${directory}${name.slice(4)}/`);
  } else {
    const found = inode ?? inodes.get(target!);
    if (found === undefined) throw new Error(`${path} is a link to ${target}, which is not there`);
    if (found.type !== "directory") removeBelow(inodes, `${path}/`);
    inodes.set(path, found);
  }
}

function removeBelow(inodes: Map<string, Inode>, prefix: string): void {
  for (const path of inodes.keys()) if (path.startsWith(prefix)) inodes.delete(path);
}

function describe(inodes: ReadonlyMap<string, Inode>): Map<string, FileRecord> {
  const names = new Map<Inode, string>();
  const files = new Map<string, FileRecord>();
  for (const [path, inode] of [...inodes].sort(([a], [b]) => a < b ? -1 : 1)) {
    if (NOT_OURS.test(path)) continue;
    const first = names.get(inode);
    if (first === undefined) names.set(inode, path);
    files.set(path, first === undefined ? inode : { ...inode, sameAs: first });
  }
  return files;
}

/** Without what is empty, and what a builder says of itself. */
function plainConfig(image: Record<string, unknown>): Record<string, unknown> {
  const config = image.config as Record<string, unknown>;
  const plain: Record<string, unknown> = {};
  if (image.author) plain.Author = image.author;
  for (const key of CONFIG_KEYS) {
    const value = config[key];
    if (value === undefined || value === null || value === "") continue;
    if (key === "Labels") {
      const labels = Object.entries(value).filter(([name]) => !name.startsWith("io.buildah."));
      if (labels.length > 0) plain[key] = Object.fromEntries(labels.sort());
    } else if (Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0) {
      plain[key] = Array.isArray(value) || typeof value === "string" ? value : sorted(value);
    }
  }
  return plain;
}

function sorted(value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1));
}

/** Hands out each member; its content, sparse or not, is whole when asked for. */
function readTar(bytes: Bytes, take: (entry: TarEntry, content: () => Bytes) => void): void {
  let current: TarEntry;
  let content = new Uint8Array(0);
  const reader = new TarReader({
    entry: (entry) => {
      current = entry;
      content = new Uint8Array(entry.kind === "file" ? entry.sizeBytes : 0);
    },
    data: (piece, offset) => content.set(piece, offset),
    endEntry: () => take(current, () => content),
  });
  reader.push(bytes);
  reader.end();
}
