/**
 * `dhow rmi`: untag, and delete what no name and no container needs, by docker's rules and in its words.
 *
 * @see https://github.com/moby/moby/blob/v28.5.2/daemon/images/image_delete.go
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { chainIds } from "../layer/chain_id.ts";
import { canonicalReference, familiarReference, parseReference } from "../lib/reference.ts";
import type { Digest } from "../spec/image.ts";
import { cachedLayers, collectGarbage } from "../store/gc.ts";
import { updateIndex } from "../store/layout.ts";
import { withoutReference } from "./add_image.ts";
import type { LayerWorker } from "./ensure_unpacked.ts";
import type { ImageUser } from "./image_users.ts";
import { findImage } from "./resolve.ts";
import { imageIdOf, listStoredImages, readConfig, type StoredImage } from "./stored_image.ts";

/** One line of the answer. */
export type RemovedItem = { untagged: string } | { deleted: string };

/** What removing needs of the rest of the engine. */
export interface RemoveOptions {
  force?: boolean;
  /** All containers, asked for when needed. */
  users: () => ImageUser[];
  /** Opened only if there is a layer to remove. */
  openWorker: () => Promise<LayerWorker & Disposable>;
}

/**
 * Removes an image by name (that name goes; the image too if it was the last) or by id.
 *
 * @throws {DhowError} `not_found`; `conflict` in docker's words.
 */
export async function removeImage(
  paths: StorePaths,
  name: string,
  options: RemoveOptions,
): Promise<RemovedItem[]> {
  const image = findImage(paths, name);
  const users = options.users();
  const plan = planRemoval(image, name, { force: options.force ?? false, users });
  const names = new Set([...plan.references, ...lostDigests(image, plan)]);
  const removed: RemovedItem[] = [...names].map((reference) => ({
    untagged: familiarReference(parseReference(reference)),
  }));
  updateIndex(paths, (manifests) => {
    let rest = manifests;
    for (const reference of plan.references) rest = withoutReference(paths, rest, reference);
    return plan.deletes ? rest.filter((line) => imageIdOf(paths, line) !== image.id) : rest;
  });
  if (!plan.deletes) return removed;
  removed.push({ deleted: image.id });
  removed.push(...deadChains(paths, image.id, users).map((chain) => ({ deleted: chain })));
  await sweep(paths, options);
  return removed;
}

/** A repository's digests go with its last tag, and all go with the image. */
function lostDigests(image: StoredImage, plan: RemovalPlan): string[] {
  const kept = image.references.filter((reference) => !plan.references.includes(reference));
  const [gone, left] = [plan.references, kept].map((names) => new Set(names.map(repositoryOf)));
  return image.repoDigests.filter((name) =>
    plan.deletes || gone!.has(repositoryOf(name)) && !left!.has(repositoryOf(name))
  );
}

function repositoryOf(name: string): string {
  const { domain, repository } = parseReference(name);
  return `${domain}/${repository}`;
}

/** Removes the blobs and layers that nobody needs any more. */
export async function sweep(
  paths: StorePaths,
  options: Pick<RemoveOptions, "users" | "openWorker">,
): Promise<void> {
  await collectGarbage(paths, {
    usedChainIds: () => options.users().flatMap(({ diffIds }) => chainIds(diffIds)),
    chainIdsOf: chainIds,
    removeTrees: async (trees) => {
      using worker = await options.openWorker();
      await worker.removeTrees(trees);
    },
  });
}

/** What a removal does. */
export interface RemovalPlan {
  /** Canonical references that go. */
  references: string[];
  /** Whether the image goes too. */
  deletes: boolean;
}

/**
 * Decides; the pure half of {@linkcode removeImage}.
 *
 * @throws {DhowError} `conflict`.
 */
export function planRemoval(
  image: StoredImage,
  name: string,
  options: { force: boolean; users: ImageUser[] },
): RemovalPlan {
  const { force } = options;
  const references = [...image.references].sort();
  const users = options.users.filter(({ imageId }) => imageId === image.id);
  if (!isIdOf(image.id, name)) {
    const user = users[0];
    if (!force && references.length <= 1 && user !== undefined) {
      throw new DhowError(
        "conflict",
        `conflict: unable to remove repository reference "${name}" (must force) - container ${
          short(user.containerId)
        } is using its referenced image ${short(image.id)}`,
      );
    }
    const given = nameOf(name);
    const elsewhere = image.repoDigests.filter((name) =>
      repositoryOf(name) !== repositoryOf(given)
    );
    const rest = [...references.filter((reference) => reference !== given), ...elsewhere];
    if (rest.length > 0) return { references: [given], deletes: false };
    // A running container keeps the image, which then has no name; as docker does, without complaint.
    return { references: [given], deletes: !users.some(({ running }) => running) };
  }
  const running = users.find((user) => user.running);
  if (running) {
    throw conflict(image, "cannot be forced", `being used by running container`, running);
  }
  if (!force && references.length > 1) {
    throw conflict(image, "must be forced", "referenced in multiple repositories");
  }
  const [stopped] = users;
  if (!force && stopped) {
    throw conflict(image, "must be forced", `being used by stopped container`, stopped);
  }
  return { references, deletes: true };
}

function nameOf(name: string): string {
  return canonicalReference(parseReference(name));
}

function isIdOf(id: Digest, name: string): boolean {
  return id.startsWith(name) || id.slice("sha256:".length).startsWith(name);
}

function conflict(image: StoredImage, how: string, why: string, user?: ImageUser): DhowError {
  return new DhowError(
    "conflict",
    `conflict: unable to delete ${short(image.id)} (${how}) - image is ${why}${
      user === undefined ? "" : ` ${short(user.containerId)}`
    }`,
  );
}

function short(id: string): string {
  return id.replace("sha256:", "").slice(0, 12);
}

/** chainIDs of a removed image that nobody else has, the topmost first, as `sha256:...`. */
export function deadChains(paths: StorePaths, id: Digest, users: ImageUser[]): string[] {
  const needed = new Set(users.flatMap(({ diffIds }) => chainIds(diffIds)));
  for (const { chainId } of cachedLayers(paths)) needed.add(chainId);
  for (const other of listStoredImages(paths)) {
    for (const chain of tryChains(paths, other.id)) needed.add(chain);
  }
  return tryChains(paths, id).filter((chain) => !needed.has(chain)).reverse()
    .map((chain) => `sha256:${chain}`);
}

function tryChains(paths: StorePaths, id: Digest): string[] {
  try {
    return chainIds(readConfig(paths, id).rootfs.diff_ids);
  } catch {
    return [];
  }
}
