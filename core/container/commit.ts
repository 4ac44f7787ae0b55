/**
 * `docker commit`: an image from what a container has changed.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { applyChanges } from "../image/changes.ts";
import { commitImage, commitReference } from "../image/commit_image.ts";
import { callInside } from "../image/namespace_worker.ts";
import { openNamespaceWorker } from "../image/namespace_worker.ts";
import { ensureUserNamespace, type UserNamespace } from "../runtime/userns.ts";
import type { ContainerConfig } from "../spec/docker_api.ts";
import type { Digest, ImageRunConfig } from "../spec/image.ts";
import { collectBlobs } from "../store/gc.ts";
import { leaseStore } from "../store/layout.ts";
import { isThere } from "../host/stat.ts";
import { logContainerEvent } from "./container_event.ts";
import { type ContainerLayers, containerLayers } from "./container_layers.ts";
import type { ChangesRequest, PackedLayer } from "./changes_inside.ts";
import { containerDirectory, type ContainerRecord, readRecord } from "./record.ts";
import { readState } from "./state.ts";
import { pauseContainer, unpauseContainer } from "./stop.ts";

/** How to commit. */
export interface CommitOptions {
  reference?: string;
  author?: string;
  message?: string;
  /** Dockerfile instructions. */
  changes?: string[];
  /** Stop a running container's processes meanwhile. @default true */
  pause?: boolean;
  signal?: AbortSignal;
}

/**
 * Makes an image of container `id`.
 *
 * @returns The image's id.
 * @throws {DhowError} `not_found`, `invalid_argument` in docker's words, `no_space`. The store is then as before.
 */
export async function commitContainer(
  paths: StorePaths,
  id: string,
  options: CommitOptions = {},
): Promise<Digest> {
  const record = readRecord(paths, id);
  const reference = options.reference === undefined
    ? undefined
    : commitReference(options.reference);
  const config = applyChanges(imageConfig(record.config), options.changes ?? []);
  using _lease = leaseStore(paths);
  const layers = await containerLayers(paths, record);
  using namespace = await ensureUserNamespace(paths);
  const temporary = `${paths.layers}/${record.idMap}/.tmp-${crypto.randomUUID()}`;
  try {
    const packed = await whilePaused(
      paths,
      record,
      options.pause ?? true,
      () => packContainer(paths, namespace, { layers, temporary, record }, options.signal),
    );
    const image = await commitImage(paths, record.idMap, {
      baseId: record.image.id,
      ...packed && { layer: { ...packed, temporary } },
      config,
      createdBy: (record.config.Cmd ?? []).join(" "),
      ...options.author && { author: options.author },
      ...options.message && { comment: options.message },
      ...reference !== undefined && { reference },
    });
    logContainerEvent(paths, record, "commit", { imageID: image.id, imageRef: reference ?? "" });
    return image.id;
  } catch (error) {
    collectBlobs(paths);
    throw error;
  } finally {
    if (isThere(temporary)) {
      using worker = await openNamespaceWorker(paths);
      await worker.removeTrees([temporary]);
    }
  }
}

async function packContainer(
  paths: StorePaths,
  namespace: UserNamespace,
  { layers, temporary, record }: {
    layers: ContainerLayers;
    temporary: string;
    record: ContainerRecord;
  },
  signal: AbortSignal | undefined,
): Promise<PackedLayer | undefined> {
  const { nestedIds: ids } = record;
  const request: ChangesRequest = {
    op: "pack",
    ...layers,
    root: paths.root,
    into: temporary,
    ...ids && { ids },
  };
  const packed = await callInside(namespace, "__changes", request, signal) as PackedLayer | null;
  return packed ?? undefined;
}

async function whilePaused<T>(
  paths: StorePaths,
  record: ContainerRecord,
  pause: boolean,
  work: () => Promise<T>,
): Promise<T> {
  const { status } = readState(containerDirectory(paths, record.id));
  if (!pause || status !== "running") return await work();
  await pauseContainer(paths, record.id);
  try {
    return await work();
  } finally {
    await unpauseContainer(paths, record.id).catch(() => {/* it has been killed meanwhile */});
  }
}

/** What of a container's settings an image can say. */
function imageConfig(config: ContainerConfig): ImageRunConfig {
  const kept: ImageRunConfig = {
    ...config.User && { User: config.User },
    ...config.ExposedPorts && { ExposedPorts: config.ExposedPorts },
    ...config.Env && { Env: config.Env },
    ...config.Entrypoint && { Entrypoint: config.Entrypoint },
    ...config.Cmd && { Cmd: config.Cmd },
    ...config.Volumes && { Volumes: config.Volumes },
    ...config.WorkingDir && { WorkingDir: config.WorkingDir },
    ...config.Labels && Object.keys(config.Labels).length > 0 && { Labels: config.Labels },
    ...config.StopSignal && { StopSignal: config.StopSignal },
    ...config.StopTimeout !== undefined && { StopTimeout: config.StopTimeout },
    ...config.Healthcheck && { Healthcheck: config.Healthcheck },
    ...config.Shell && { Shell: config.Shell },
    ...config.OnBuild && { OnBuild: config.OnBuild },
  };
  return kept;
}
