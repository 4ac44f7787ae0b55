/**
 * `pull` and `push` of `Images`, done in this process.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import type { StorePaths } from "../host/paths.ts";
import { pullImage, pullStatus } from "../image/pull.ts";
import { notHere, pushImage } from "../image/push.ts";
import { listStoredImages } from "../image/stored_image.ts";
import { parsePlatform } from "../lib/platform.ts";
import { familiarName, parseReference, type Reference } from "../lib/reference.ts";
import { openRepository } from "../registry/client.ts";
import type { PulledImage, PushedImage } from "../spec/progress.ts";
import { currentIdMap } from "../runtime/userns.ts";
import { DhowError } from "../errors.ts";
import type { TransferOptions } from "./engine.ts";

/** Pulls an image, or all of a repository. @param onPulled Told of each. */
export async function pull(
  paths: StorePaths,
  name: string,
  options: TransferOptions,
  onPulled: (image: PulledImage) => Promise<void>,
): Promise<PulledImage[]> {
  const reference = parseReference(name);
  const { allTags = false, platform, signal, onProgress } = options;
  assertTagless(reference, allTags);
  using repository = openRepository(reference);
  const pulled: PulledImage[] = [];
  for (const one of await references()) {
    const image = await pullImage(paths, repository, one, {
      platform: platform === undefined ? undefined : parsePlatform(platform),
      signal,
      onProgress,
      isOneOfMany: allTags,
      mapping: currentIdMap(paths).name,
      openHelper: async (signal) => {
        const { openLayerHelper } = await lazy<typeof import("../image/layer_helper.ts")>(
          "../image/layer_helper.ts",
          import.meta.url,
        );
        return await openLayerHelper(paths, signal);
      },
    });
    await onPulled(image);
    pulled.push(image);
  }
  if (allTags) {
    const isNew = pulled.some((image) => image.isNew);
    onProgress?.({ kind: "message", text: pullStatus(isNew, familiarName(reference)) });
  }
  return pulled;

  async function references(): Promise<Reference[]> {
    if (!allTags) return [reference];
    const tags: Reference[] = [];
    for await (const tag of repository.tags(signal ? { signal } : {})) {
      tags.push(parseReference(`${reference.domain}/${reference.repository}:${tag}`));
    }
    return tags;
  }
}

/** Pushes a tag, or all tags of a repository. @param onPushed Told of each. */
export async function push(
  paths: StorePaths,
  name: string,
  options: TransferOptions,
  onPushed: (image: PushedImage) => Promise<void>,
): Promise<PushedImage[]> {
  const reference = parseReference(name);
  const { allTags = false, platform, signal, onProgress } = options;
  assertTagless(reference, allTags);
  if (reference.digest !== undefined) {
    throw new DhowError("invalid_argument", "cannot push a digest reference");
  }
  const references = allTags ? localTags(paths, reference) : [
    { ...reference, tag: reference.tag ?? "latest" },
  ];
  if (references.length === 0) throw notHere(reference);
  using repository = openRepository(reference, { actions: "pull,push" });
  const pushed: PushedImage[] = [];
  for (const one of references) {
    const image = await pushImage(paths, repository, one, {
      platform: platform === undefined ? undefined : parsePlatform(platform),
      signal,
      onProgress,
    });
    await onPushed(image);
    pushed.push(image);
  }
  return pushed;
}

/** The tags of a repository that are here, sorted. */
function localTags(paths: StorePaths, { domain, repository }: Reference): Reference[] {
  const names = listStoredImages(paths).flatMap(({ references }) => references);
  return names.map(parseReference).filter((one) =>
    one.domain === domain && one.repository === repository && one.tag !== undefined
  ).sort((a, b) => a.tag! < b.tag! ? -1 : 1);
}

function assertTagless(reference: Reference, allTags: boolean): void {
  if (!allTags || reference.tag === undefined && reference.digest === undefined) return;
  throw new DhowError("invalid_argument", "tag can't be used with --all-tags/-a");
}
