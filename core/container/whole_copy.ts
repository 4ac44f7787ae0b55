/**
 * The root of a container as a copy of all its layers, where there is no overlay.
 *
 *     containers/<id>/upper    the copy
 *     containers/<id>/whole    says that it is complete
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { isThere } from "../host/stat.ts";
import { callInside } from "../image/namespace_worker.ts";
import { ensureUserNamespace } from "../runtime/userns.ts";
import { containerDirectory, type ContainerRecord } from "./record.ts";
import { removeTreesAnyhow } from "./remove.ts";

/**
 * Copies, unless it is done. What a killed process left is begun anew.
 *
 * @param layers Directories of its layers, lowest first.
 */
export async function ensureWholeCopy(
  paths: StorePaths,
  record: ContainerRecord,
  layers: readonly string[],
): Promise<void> {
  const directory = containerDirectory(paths, record.id);
  if (isThere(`${directory}/whole`)) return;
  const temporary = `${directory}/copy-${crypto.randomUUID()}`;
  using namespace = await ensureUserNamespace(paths);
  await callInside(namespace, "__storage", {
    op: "copy",
    layers: layers.toReversed(),
    into: temporary,
  });
  const before = `${directory}/before-${crypto.randomUUID()}`;
  if (isThere(`${directory}/whole`)) return await removeTreesAnyhow(paths, [temporary]);
  await Deno.rename(`${directory}/upper`, before);
  await Deno.rename(temporary, `${directory}/upper`);
  await Deno.writeTextFile(`${directory}/whole`, "", { mode: 0o600 });
  await removeTreesAnyhow(paths, [before]);
}
