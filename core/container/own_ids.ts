/**
 * Which ids a container with a user namespace of its own gets.
 *
 * @module
 */
import { type NestedIds, nestedIds, nestedName, type UsernsMode } from "../host/nested_ids.ts";
import type { StorePaths } from "../host/paths.ts";
import { ensureUserNamespace } from "../runtime/userns.ts";
import { ensureLayout } from "../store/layout.ts";
import { giveToRoot } from "./nested_namespace.ts";
import { containerIds, readRecord } from "./record.ts";

/** The ids of a container to be. With `auto` nobody else gets them until this is disposed: then its record must say so. */
export interface OwnIds extends Disposable {
  /** The mapping's name in the store. */
  readonly name: string;
  readonly ids: NestedIds;
  /** Gives a file or directory of ours to the container's root. */
  giveToRoot(path: string): void;
}

/**
 * Chooses them.
 *
 * @throws {DhowError} `unsupported` where there are not enough; `invalid_argument` where the mode makes no sense.
 */
export async function chooseOwnIds(paths: StorePaths, mode: UsernsMode): Promise<OwnIds> {
  const stack = new DisposableStack();
  try {
    const namespace = stack.use(await ensureUserNamespace(paths));
    if (mode.kind === "auto") stack.use(await lockRanges(paths));
    const taken = mode.kind === "auto" ? rangesInUse(paths) : [];
    const ids = nestedIds(mode, namespace.map, { taken });
    return {
      name: nestedName(namespace.map, mode, ids),
      ids,
      giveToRoot: (path) => giveToRoot(namespace, ids, [path]),
      [Symbol.dispose]: () => stack[Symbol.dispose](),
    };
  } catch (error) {
    stack[Symbol.dispose]();
    throw error;
  }
}

/** One container at a time gets a range. Not synchronously: another one of this process may be at it. */
async function lockRanges(paths: StorePaths): Promise<Disposable> {
  ensureLayout(paths);
  const options = { write: true, create: true, mode: 0o600 };
  const lock = await Deno.open(`${paths.root}/ranges.lock`, options);
  await lock.lock(true);
  return lock;
}

function rangesInUse(paths: StorePaths) {
  return containerIds(paths).flatMap((id) => {
    try {
      const { hostConfig, nestedIds } = readRecord(paths, id);
      return hostConfig.UsernsMode.startsWith("auto") ? nestedIds?.uids ?? [] : [];
    } catch {
      return []; // removed meanwhile
    }
  });
}
