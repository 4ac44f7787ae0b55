/**
 * Waiting for the event log to grow.
 *
 * @module
 */
import { IN_CREATE, IN_MODIFY, IN_MOVED_TO } from "../../ffi/abi/constants.ts";
import { Watcher } from "../../ffi/inotify.ts";
import type { StorePaths } from "../host/paths.ts";

/** Watches the store's directory, which the event log lies in and is rotated in. */
export function watchEvents(paths: StorePaths): Watcher {
  const watcher = new Watcher();
  watcher.add(paths.root, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
  return watcher;
}
