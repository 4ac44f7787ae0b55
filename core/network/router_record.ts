/**
 * What the runtime directory says of the router.
 *
 * @module
 */
import { processStartTime } from "../../ffi/process.ts";
import type { StorePaths } from "../host/paths.ts";
import type { Uplink } from "./uplink.ts";

/** The router as `router.json` in the runtime directory describes it. */
export interface RouterRecord extends Pick<Uplink, "kind" | "address" | "gateway" | "nameServer"> {
  pid: number;
  startTime: number;
  /** The holder whose user namespace it belongs to. */
  holderPid: number;
  /** The network namespace's descriptor in the router. */
  netns: number;
  hostLoopback: boolean;
}

function recordPath(paths: StorePaths): string {
  return `${paths.runtime}/router.json`;
}

/** The router that runs; undefined if none does. */
export function readRouter(paths: StorePaths): RouterRecord | undefined {
  try {
    const record: RouterRecord = JSON.parse(Deno.readTextFileSync(recordPath(paths)));
    return processStartTime(record.pid) === record.startTime ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the record. */
export function writeRouter(paths: StorePaths, record: RouterRecord): void {
  const file = recordPath(paths);
  Deno.writeTextFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  Deno.renameSync(`${file}.new`, file);
}

/** Whether there was a router that is no more; {@linkcode forgetRouter} ends that. */
export function isRouterDead(paths: StorePaths): boolean {
  try {
    Deno.statSync(recordPath(paths));
  } catch {
    return false;
  }
  return readRouter(paths) === undefined;
}

/** Forgets a router that nobody misses. */
export function forgetRouter(paths: StorePaths): void {
  try {
    Deno.removeSync(recordPath(paths));
  } catch { /* somebody else has */ }
}
