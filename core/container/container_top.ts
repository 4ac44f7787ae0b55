/**
 * `docker top`: the processes of a container, found by their pid namespace.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { holdInit } from "./kill.ts";
import { containerDirectory } from "./record.ts";
import { type TopTable, topTable } from "./top.ts";

/** The processes of container `id`. @throws {DhowError} `conflict`, in docker's words, if it does not run. */
export function topContainer(
  paths: StorePaths,
  id: string,
  psArgs: readonly string[] = [],
): TopTable {
  using init = holdInit(containerDirectory(paths, id));
  if (init === undefined) throw new DhowError("conflict", `container ${id} is not running`);
  return topTable(containerPids(init.pid), psArgs);
}

/** All processes in the pid namespace of `init`; with the host's namespace, `init` and its descendants. */
export function containerPids(init: number): number[] {
  const namespace = namespaceOf(init);
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) =>
    pid > 0
  );
  if (namespace !== namespaceOf(Deno.pid)) {
    return pids.filter((pid) => namespaceOf(pid) === namespace);
  }
  const parents = new Map(pids.map((pid) => [pid, parentOf(pid)]));
  return pids.filter((pid) => {
    let at: number | undefined = pid;
    while (at !== undefined && at > 1 && at !== init) at = parents.get(at);
    return at === init;
  });
}

function namespaceOf(pid: number): string | undefined {
  try {
    return Deno.readLinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}
