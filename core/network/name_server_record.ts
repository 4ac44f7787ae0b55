/**
 * What the runtime directory says of the name server.
 *
 * @module
 */
import { processStartTime } from "../../ffi/process.ts";
import type { StorePaths } from "../host/paths.ts";
import { readRouter } from "./router_record.ts";

/** What `names.json` in the runtime directory says. */
export interface ServerRecord {
  pid: number;
  startTime: number;
  /** The router it listens in. */
  routerPid: number;
}

function recordPath(paths: StorePaths): string {
  return `${paths.runtime}/names.json`;
}

/** The server, if it runs and listens in that router. */
export function runningServer(paths: StorePaths, routerPid: number): ServerRecord | undefined {
  try {
    const record: ServerRecord = JSON.parse(Deno.readTextFileSync(recordPath(paths)));
    const isAlive = processStartTime(record.pid) === record.startTime;
    return isAlive && record.routerPid === routerPid ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the record. */
export function writeServer(paths: StorePaths, record: ServerRecord): void {
  const file = recordPath(paths);
  Deno.writeTextFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  Deno.renameSync(`${file}.new`, file);
}

/** Forgets a server that nobody misses. */
export function forgetNameServer(paths: StorePaths): void {
  try {
    Deno.removeSync(recordPath(paths));
  } catch { /* somebody else has */ }
}

/** Whether there was a name server that is no more. */
export function isNameServerDead(paths: StorePaths): boolean {
  try {
    Deno.statSync(recordPath(paths));
  } catch {
    return false;
  }
  return runningServer(paths, readRouter(paths)?.pid ?? -1) === undefined;
}
