/**
 * `dhow __dns ROOT DATAGRAMS STREAMS`: the name server of user-defined networks, on sockets it was given.
 *
 * @module
 */
import { storePaths } from "../../core/host/paths.ts";
import { runNameServer } from "../../core/network/name_server.ts";

/** Runs the verb. */
export async function run([root = "", datagrams = "", streams = ""]: string[]): Promise<number> {
  await runNameServer(storePaths(root), [Number(datagrams), Number(streams)]);
  return 0;
}
