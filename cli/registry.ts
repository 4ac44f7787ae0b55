/**
 * Which commands there are: name, summary and where the code is, loaded only when the command runs.
 *
 * @module
 */
import type { Command } from "./command.ts";

/** A verb that can be loaded. */
export interface Entry {
  summary: string;
  load(): Promise<Command>;
  /** Every way to call it, the first is the canonical one; docker's "Aliases". */
  paths: readonly string[];
}

/** Docker's groups and what they hold. */
export interface Group {
  summary: string;
}

/** `dhow GROUP`. */
export const groups: Readonly<Record<string, Group>> = {
  container: { summary: "Manage containers" },
  image: { summary: "Manage images" },
  system: { summary: "Manage dhow" },
};

/** What `dhow --help` lists first. */
export const commonCommands: readonly string[] = [
  "run",
  "exec",
  "ps",
  "images",
  "version",
  "info",
];

/** All verbs. */
export const entries: readonly Entry[] = [
  entry(
    "Attach local standard input, output, and error streams to a running container",
    async () => (await import("./commands/container/attach.ts")).attach,
    "container attach",
    "attach",
  ),
  entry(
    "Copy files/folders between a container and the local filesystem",
    async () => (await import("./commands/container/cp.ts")).cp,
    "container cp",
    "cp",
  ),
  entry(
    "Create a new container",
    async () => (await import("./commands/container/create.ts")).create,
    "container create",
    "create",
  ),
  entry(
    "Execute a command in a running container",
    async () => (await import("./commands/container/exec.ts")).exec,
    "container exec",
    "exec",
  ),
  entry(
    "Display detailed information on one or more containers",
    async () => (await import("./commands/container/inspect.ts")).inspectContainer,
    "container inspect",
  ),
  entry(
    "Kill one or more running containers",
    async () => (await import("./commands/container/kill.ts")).kill,
    "container kill",
    "kill",
  ),
  entry(
    "Fetch the logs of a container",
    async () => (await import("./commands/container/logs.ts")).logs,
    "container logs",
    "logs",
  ),
  entry(
    "List containers",
    async () => (await import("./commands/container/ls.ts")).listContainers,
    "container ls",
    "container list",
    "container ps",
    "ps",
  ),
  entry(
    "Pause all processes within one or more containers",
    async () => (await import("./commands/container/pause.ts")).pause,
    "container pause",
    "pause",
  ),
  entry(
    "Rename a container",
    async () => (await import("./commands/container/rename.ts")).rename,
    "container rename",
    "rename",
  ),
  entry(
    "Restart one or more containers",
    async () => (await import("./commands/container/restart.ts")).restart,
    "container restart",
    "restart",
  ),
  entry(
    "Remove one or more containers",
    async () => (await import("./commands/container/rm.ts")).rm,
    "container rm",
    "container remove",
    "rm",
  ),
  entry(
    "Create and run a new container from an image",
    async () => (await import("./commands/container/run.ts")).run,
    "container run",
    "run",
  ),
  entry(
    "Start one or more stopped containers",
    async () => (await import("./commands/container/start.ts")).start,
    "container start",
    "start",
  ),
  entry(
    "Stop one or more running containers",
    async () => (await import("./commands/container/stop.ts")).stop,
    "container stop",
    "stop",
  ),
  entry(
    "Display the running processes of a container",
    async () => (await import("./commands/container/top.ts")).top,
    "container top",
    "top",
  ),
  entry(
    "Unpause all processes within one or more containers",
    async () => (await import("./commands/container/unpause.ts")).unpause,
    "container unpause",
    "unpause",
  ),
  entry(
    "Update configuration of one or more containers",
    async () => (await import("./commands/container/update.ts")).update,
    "container update",
    "update",
  ),
  entry(
    "Block until one or more containers stop, then print their exit codes",
    async () => (await import("./commands/container/wait.ts")).wait,
    "container wait",
    "wait",
  ),
  entry(
    "Import the contents from a tarball to create a filesystem image",
    async () => (await import("./commands/image/import.ts")).importImage,
    "image import",
    "import",
  ),
  entry(
    "Display detailed information on one or more images",
    async () => (await import("./commands/image/inspect.ts")).inspectImage,
    "image inspect",
  ),
  entry(
    "Load an image from a tar archive or STDIN",
    async () => (await import("./commands/image/load.ts")).loadImage,
    "image load",
    "load",
  ),
  entry(
    "List images",
    async () => (await import("./commands/image/ls.ts")).listImages,
    "image ls",
    "image list",
    "images",
  ),
  entry(
    "Remove one or more images",
    async () => (await import("./commands/image/rm.ts")).removeImage,
    "image rm",
    "image remove",
    "rmi",
  ),
  entry(
    "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    async () => (await import("./commands/image/tag.ts")).tagImage,
    "image tag",
    "tag",
  ),
  entry(
    "Return low-level information on dhow objects",
    async () => (await import("./commands/system/inspect.ts")).inspect,
    "inspect",
  ),
  entry(
    "Get real time events from the engine",
    async () => (await import("./commands/system/events.ts")).events,
    "system events",
    "events",
  ),
  entry(
    "Display system-wide information",
    async () => (await import("./commands/system/info.ts")).info,
    "system info",
    "info",
  ),
  entry(
    "Show the dhow version information",
    async () => (await import("./commands/system/version.ts")).version,
    "version",
  ),
];

function entry(
  summary: string,
  load: () => Promise<Command>,
  ...paths: readonly string[]
): Entry {
  return { summary, load, paths };
}

/** The verb called by `path` (`ps`, `container ls`). */
export function findEntry(path: string): Entry | undefined {
  return entries.find((entry) => entry.paths.includes(path));
}

/** Verbs of a group, or of the top for `""`, by the name that lists show, sorted. */
export function verbsOf(group: string): { name: string; entry: Entry }[] {
  const found: { name: string; entry: Entry }[] = [];
  for (const entry of entries) {
    const path = entry.paths.find((path) =>
      group === "" ? !path.includes(" ") : path.startsWith(group + " ")
    );
    if (path !== undefined) found.push({ name: path.slice(path.indexOf(" ") + 1), entry });
  }
  return found.sort((a, b) => a.name < b.name ? -1 : 1);
}
