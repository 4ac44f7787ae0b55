/**
 * Looks at a store with other eyes than dhow's: whether each image is whole, and what should not be there.
 *
 * @module
 */
import { storePaths } from "../../core/host/paths.ts";
import { isDirectory } from "../../core/host/stat.ts";
import { CGROUP_ROOT } from "../../core/cgroup/hierarchy.ts";
import type { Sandbox } from "../helpers/sandbox.ts";

interface Descriptor {
  digest: string;
  size: number;
}

/** Says of each image in the index what it lacks. */
export async function brokenImages(box: Pick<Sandbox, "root">): Promise<string[]> {
  const findings: string[] = [];
  const seen = new Set<string>();
  const check = async (blob: Descriptor, of: string): Promise<void> => {
    if (seen.has(blob.digest)) return;
    seen.add(blob.digest);
    const wrong = await wrongBlob(box.root, blob);
    if (wrong !== undefined) findings.push(`${of}: ${wrong}`);
  };
  const index = JSON.parse(await Deno.readTextFile(`${box.root}/index.json`));
  for (const line of index.manifests as Descriptor[]) {
    await check(line, "index");
    if (findings.length > 0) continue;
    const manifest = JSON.parse(await Deno.readTextFile(blobPath(box.root, line.digest)));
    if (manifest.config === undefined) continue;
    for (const blob of [manifest.config, ...manifest.layers]) await check(blob, line.digest);
  }
  return findings;
}

/** Says what is wrong with a blob, if anything is. */
async function wrongBlob(root: string, blob: Descriptor): Promise<string | undefined> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await Deno.readFile(blobPath(root, blob.digest));
  } catch {
    return `${blob.digest} is missing`;
  }
  if (bytes.length !== blob.size) return `${blob.digest} has ${bytes.length} bytes`;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  return `sha256:${hash}` === blob.digest ? undefined : `${blob.digest} is ${hash}`;
}

function blobPath(root: string, digest: string): string {
  return `${root}/blobs/sha256/${digest.slice("sha256:".length)}`;
}

/** What is there without a container: files, mounts, addresses, ports. For control groups see {@linkcode leftGroups}. */
export function leftovers(
  box: Pick<Sandbox, "root" | "directory" | "holder" | "router">,
): string[] {
  const { runtime } = storePaths(box.root);
  const found: string[] = [];
  const expectEmpty = (path: string, isMeant = (_: string) => false): void => {
    const names = entries(path).filter((name) => !isMeant(name));
    if (names.length > 0) found.push(`${path.split("/").slice(-2).join("/")}: ${names.join(" ")}`);
  };
  expectEmpty(`${box.root}/containers`);
  expectEmpty(`${box.root}/names`);
  // The beginning of a blob waits a week for the next pull.
  expectEmpty(`${box.root}/tmp`, (name) => /^pull-[0-9a-f]{64}$/.test(name));
  expectEmpty(`${runtime}/ports`);
  for (const network of entries(`${box.root}/networks`)) {
    if (/^[0-9a-f]{64}$/.test(network)) expectEmpty(`${box.root}/networks/${network}`, isHidden);
  }
  const layers = [box.holder(), box.router(), "self"].filter((pid) => pid !== undefined);
  for (const pid of layers) {
    const mounts = read(`/proc/${pid}/mountinfo`).split("\n");
    const own = mounts.filter((line) => line.includes(box.directory));
    if (own.length > 0) found.push(`mounts of ${pid}: ${own.join("\n")}`);
  }
  return found;
}

/** Control groups and scopes of containers that the store has ever had. */
export function leftGroups({ root }: Pick<Sandbox, "root">): string[] {
  const created = read(`${root}/events.jsonl.1`) + read(`${root}/events.jsonl`);
  const ids = new Set(created.matchAll(/"id":"([0-9a-f]{12})/g).map((match) => match[1]!));
  return groupsBelow(CGROUP_ROOT, (name) => ids.has(/^dhow-([0-9a-f]{12})/.exec(name)?.[1] ?? ""));
}

function groupsBelow(directory: string, isWanted: (name: string) => boolean): string[] {
  return entries(directory).flatMap((name) => {
    const path = `${directory}/${name}`;
    if (isWanted(name)) return [path];
    return isDirectory(path) ? groupsBelow(path, isWanted) : [];
  });
}

function isHidden(name: string): boolean {
  return name.startsWith(".");
}

function entries(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
