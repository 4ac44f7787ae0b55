/**
 * `docker diff`: what a container has changed of its image.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { callInside } from "../image/namespace_worker.ts";
import type { ChangeKind } from "../layer/layer_changes.ts";
import { ensureUserNamespace } from "../runtime/userns.ts";
import { containerLayers } from "./container_layers.ts";
import type { ChangesRequest } from "./changes_inside.ts";
import { readRecord } from "./record.ts";

/** One difference. */
export interface ContainerChange {
  kind: ChangeKind;
  /** With a leading slash. */
  path: string;
}

/** Lists changes, parents before children. @throws {DhowError} `not_found`. */
export async function containerChanges(paths: StorePaths, id: string): Promise<ContainerChange[]> {
  const record = readRecord(paths, id);
  const layers = await containerLayers(paths, record);
  using namespace = await ensureUserNamespace(paths);
  const request: ChangesRequest = { op: "changes", ...layers };
  return await callInside(namespace, "__changes", request) as ContainerChange[];
}
