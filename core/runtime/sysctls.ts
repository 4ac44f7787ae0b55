/**
 * `--sysctl`: which kernel parameters belong to a namespace a container has of its own.
 *
 * @see https://docs.docker.com/reference/cli/docker/container/run/#sysctl
 * @module
 */
import { DhowError } from "../errors.ts";

const IPC = new Set(
  ("kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax " +
    "kernel.shmmni kernel.shm_rmid_forced").split(" "),
);

/** The namespace whose parameter it is; undefined for the whole machine's. */
export function namespaceOfSysctl(name: string): "ipc" | "network" | undefined {
  if (IPC.has(name) || name.startsWith("fs.mqueue.")) return "ipc";
  return name.startsWith("net.") ? "network" : undefined;
}

/**
 * Refuses to set parameters of namespaces the container shares with the host.
 *
 * @param own The namespaces it has of its own or joins from another container.
 * @throws {DhowError} `invalid_argument`, in runc's words.
 */
export function assertSysctlsAllowed(
  names: Iterable<string>,
  own: { ipc: boolean; network: boolean },
): void {
  for (const name of names) {
    const namespace = namespaceOfSysctl(name);
    if (namespace === "network" && !own.network) {
      throw invalid(`sysctl "${name}" not allowed in host network namespace`);
    }
    if (namespace === "ipc" && !own.ipc) {
      throw invalid(`sysctl "${name}" is not allowed in the hosts ipc namespace`);
    }
    if (namespace === undefined) {
      throw invalid(`sysctl "${name}" is not in a separate kernel namespace`);
    }
  }
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}
