/**
 * Removing a container: its directory, its name, its anonymous volumes.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import { O_RDWR, SIGKILL } from "../../ffi/abi/constants.ts";
import { type Fd, openIfThere } from "../../ffi/fd.ts";
import { tryLock } from "../../ffi/lock.ts";
import { pidfdSendSignal } from "../../ffi/process.ts";
import { DhowError, noSuchContainer } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { tryRemoveTree } from "../store/remove_tree.ts";
import { logContainerEvent } from "./container_event.ts";
import { releaseName } from "./reserve_name.ts";
import { endRun, isEndOpen } from "./end_run.ts";
import { holdInit, killStray } from "./kill.ts";
import { containerDirectory, type ContainerRecord, readRecord } from "./record.ts";
import { waitForEnd } from "./run_watch.ts";
import { monitorSocket } from "./monitor_socket.ts";
import { removeKnown, trashOf } from "./remove_known.ts";
import { isRunning, LOCK_RUN, readState, type State, updateStoredState } from "./state.ts";

/** How to remove. */
export interface RemoveOptions {
  /** Kill it if it runs. */
  force?: boolean;
  /** Its anonymous volumes too. */
  volumes?: boolean;
}

/**
 * Removes container `id`.
 *
 * From the moment its directory is renamed away it does not exist; a crash after that leaves only garbage in `tmp`.
 *
 * @throws {DhowError} `conflict` if it runs and `force` was not given; `not_found` if somebody else was faster.
 */
export async function removeContainer(
  paths: StorePaths,
  id: string,
  options: RemoveOptions = {},
): Promise<void> {
  const directory = containerDirectory(paths, id);
  const record = readRecord(paths, id);
  const { status } = readState(directory);
  if (isRunning(status) || status === "restarting") {
    if (!options.force) throw stillRunning(record, status);
    updateStoredState(directory, { stopRequested: true });
    await endByForce(directory);
  }
  using lock = await lockForRemoval(directory, id, options.force ?? false);
  const state = readState(directory, { isLockMine: true });
  await removeEnded(paths, record, { lock, state, volumes: options.volumes ?? false });
}

/**
 * Removes a container that does not run.
 *
 * @param ended `lock`: its lock, which is closed when it is not there any more; `state`: as it is under that lock;
 *   `volumes`: its anonymous volumes too.
 * @throws {DhowError} `not_found` if somebody else was faster.
 */
export async function removeEnded(
  paths: StorePaths,
  record: ContainerRecord,
  { lock, state, volumes }: { lock: Fd; state: State; volumes: boolean },
): Promise<void> {
  const { id } = record;
  if (state.run !== undefined && state.run.exit === undefined) killStray(state.run);
  // Whoever else deals with its end comes too late.
  if (isEndOpen(state)) await endRun(paths, record, state);
  const trash = trashOf(paths, id);
  moveAway(containerDirectory(paths, id), trash, id);
  releaseName(paths, record.name, id); // after that: a container without a name could not be found
  lock.close();
  removeSocket(monitorSocket(paths, id));
  const trees = volumes ? await takeVolumes(paths, record) : [];
  if (!removeKnown(trash)) trees.push(trash);
  await removeTreesAnyhow(paths, trees);
  logContainerEvent(paths, record, "destroy");
}

/** From here on the container is not there any more. */
function moveAway(directory: string, trash: string, id: string): void {
  try {
    Deno.renameSync(directory, trash);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw noSuchContainer(id); // somebody else was faster
    throw error;
  }
}

function stillRunning(record: ContainerRecord, status: string): DhowError {
  const remedy = status === "paused"
    ? "container is paused and must be unpaused first"
    : status === "restarting"
    ? "container is restarting: stop the container before removing or force remove"
    : "container is running: stop the container before removing or force remove";
  return new DhowError(
    "conflict",
    `cannot remove container "${record.name}": ${remedy}`,
  );
}

async function endByForce(directory: string): Promise<void> {
  using init = holdInit(directory);
  if (init === undefined) return;
  pidfdSendSignal(init.pidfd, SIGKILL);
  await waitForEnd(directory, AbortSignal.timeout(10_000));
}

async function lockForRemoval(directory: string, id: string, force: boolean): Promise<Fd> {
  const lock = openIfThere(`${directory}/lock`, O_RDWR);
  if (lock === undefined) throw noSuchContainer(id);
  for (let attempt = 0; attempt < 1000; attempt++) {
    if (tryLock(lock, LOCK_RUN)) return lock;
    const state = readState(directory);
    if (isRunning(state.status) && force) await endByForce(directory);
    else if (isRunning(state.status)) break;
    await new Promise((resolve) => setTimeout(resolve, attempt < 20 ? 1 : 10));
  }
  lock.close();
  throw new DhowError("conflict", `removal of container ${id} is already in progress`);
}

/** Its anonymous volumes, but for those that another container has taken over by `--volumes-from`. */
async function takeVolumes(paths: StorePaths, record: ContainerRecord): Promise<string[]> {
  if (record.anonymousVolumes.length === 0) return [];
  const { takeVolume } = await lazy<typeof import("./volumes.ts")>(
    "./volumes.ts",
    import.meta.url,
  );
  return record.anonymousVolumes.map((name) => takeVolume(paths, name))
    .filter((taken) => typeof taken === "string");
}

function removeSocket(path: string): void {
  try {
    Deno.removeSync(path);
  } catch { /* it had none */ }
}

/** Removes trees; where files of other ids are in the way, as root of the user namespace. */
export async function removeTreesAnyhow(
  paths: StorePaths,
  trees: readonly string[],
): Promise<void> {
  const left = trees.filter((tree) => !tryRemoveTree(tree));
  if (left.length === 0) return;
  const { openNamespaceWorker } = await lazy<typeof import("../image/namespace_worker.ts")>(
    "../image/namespace_worker.ts",
    import.meta.url,
  );
  using worker = await openNamespaceWorker(paths);
  await worker.removeTrees(left);
}
