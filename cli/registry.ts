/**
 * Which commands there are: name, summary and where the code is, loaded only when the command runs.
 *
 * @module
 */
import { lazy } from "../core/lib/lazy.ts";
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
  manifest: { summary: "Look at manifests and manifest lists in registries" },
  network: { summary: "Manage networks" },
  system: { summary: "Manage dhow" },
  volume: { summary: "Manage volumes" },
};

/** What `dhow --help` lists first. */
export const commonCommands: readonly string[] = [
  "run",
  "exec",
  "ps",
  "pull",
  "push",
  "images",
  "login",
  "logout",
  "search",
  "version",
  "info",
];

/** All verbs. */
export const entries: readonly Entry[] = [
  entry(
    "Attach local standard input, output, and error streams to a running container",
    async () =>
      (await lazy<typeof import("./commands/container/attach.ts")>(
        "./commands/container/attach.ts",
        import.meta.url,
      )).attach,
    "container attach",
    "attach",
  ),
  entry(
    "Create a new image from a container's changes",
    async () =>
      (await lazy<typeof import("./commands/container/commit.ts")>(
        "./commands/container/commit.ts",
        import.meta.url,
      )).commit,
    "container commit",
    "commit",
  ),
  entry(
    "Copy files/folders between a container and the local filesystem",
    async () =>
      (await lazy<typeof import("./commands/container/cp.ts")>(
        "./commands/container/cp.ts",
        import.meta.url,
      )).cp,
    "container cp",
    "cp",
  ),
  entry(
    "Create a new container",
    async () =>
      (await lazy<typeof import("./commands/container/create.ts")>(
        "./commands/container/create.ts",
        import.meta.url,
      )).create,
    "container create",
    "create",
  ),
  entry(
    "Inspect changes to files or directories on a container's filesystem",
    async () =>
      (await lazy<typeof import("./commands/container/diff.ts")>(
        "./commands/container/diff.ts",
        import.meta.url,
      )).diff,
    "container diff",
    "diff",
  ),
  entry(
    "Execute a command in a running container",
    async () =>
      (await lazy<typeof import("./commands/container/exec.ts")>(
        "./commands/container/exec.ts",
        import.meta.url,
      )).exec,
    "container exec",
    "exec",
  ),
  entry(
    "Export a container's filesystem as a tar archive",
    async () =>
      (await lazy<typeof import("./commands/container/export.ts")>(
        "./commands/container/export.ts",
        import.meta.url,
      )).exportContainer,
    "container export",
    "export",
  ),
  entry(
    "Display detailed information on one or more containers",
    async () =>
      (await lazy<typeof import("./commands/container/inspect.ts")>(
        "./commands/container/inspect.ts",
        import.meta.url,
      )).inspectContainer,
    "container inspect",
  ),
  entry(
    "Kill one or more running containers",
    async () =>
      (await lazy<typeof import("./commands/container/kill.ts")>(
        "./commands/container/kill.ts",
        import.meta.url,
      )).kill,
    "container kill",
    "kill",
  ),
  entry(
    "Fetch the logs of a container",
    async () =>
      (await lazy<typeof import("./commands/container/logs.ts")>(
        "./commands/container/logs.ts",
        import.meta.url,
      )).logs,
    "container logs",
    "logs",
  ),
  entry(
    "List containers",
    async () =>
      (await lazy<typeof import("./commands/container/ls.ts")>(
        "./commands/container/ls.ts",
        import.meta.url,
      )).listContainers,
    "container ls",
    "container list",
    "container ps",
    "ps",
  ),
  entry(
    "Pause all processes within one or more containers",
    async () =>
      (await lazy<typeof import("./commands/container/pause.ts")>(
        "./commands/container/pause.ts",
        import.meta.url,
      )).pause,
    "container pause",
    "pause",
  ),
  entry(
    "Remove all stopped containers",
    async () =>
      (await lazy<typeof import("./commands/container/prune.ts")>(
        "./commands/container/prune.ts",
        import.meta.url,
      )).pruneContainers,
    "container prune",
  ),
  entry(
    "Rename a container",
    async () =>
      (await lazy<typeof import("./commands/container/rename.ts")>(
        "./commands/container/rename.ts",
        import.meta.url,
      )).rename,
    "container rename",
    "rename",
  ),
  entry(
    "Restart one or more containers",
    async () =>
      (await lazy<typeof import("./commands/container/restart.ts")>(
        "./commands/container/restart.ts",
        import.meta.url,
      )).restart,
    "container restart",
    "restart",
  ),
  entry(
    "Remove one or more containers",
    async () =>
      (await lazy<typeof import("./commands/container/rm.ts")>(
        "./commands/container/rm.ts",
        import.meta.url,
      )).rm,
    "container rm",
    "container remove",
    "rm",
  ),
  entry(
    "Create and run a new container from an image",
    async () =>
      (await lazy<typeof import("./commands/container/run.ts")>(
        "./commands/container/run.ts",
        import.meta.url,
      )).run,
    "container run",
    "run",
  ),
  entry(
    "Start one or more stopped containers",
    async () =>
      (await lazy<typeof import("./commands/container/start.ts")>(
        "./commands/container/start.ts",
        import.meta.url,
      )).start,
    "container start",
    "start",
  ),
  entry(
    "Stop one or more running containers",
    async () =>
      (await lazy<typeof import("./commands/container/stop.ts")>(
        "./commands/container/stop.ts",
        import.meta.url,
      )).stop,
    "container stop",
    "stop",
  ),
  entry(
    "List port mappings or a specific mapping for the container",
    async () =>
      (await lazy<typeof import("./commands/container/port.ts")>(
        "./commands/container/port.ts",
        import.meta.url,
      )).port,
    "container port",
    "port",
  ),
  entry(
    "Display the running processes of a container",
    async () =>
      (await lazy<typeof import("./commands/container/top.ts")>(
        "./commands/container/top.ts",
        import.meta.url,
      )).top,
    "container top",
    "top",
  ),
  entry(
    "Unpause all processes within one or more containers",
    async () =>
      (await lazy<typeof import("./commands/container/unpause.ts")>(
        "./commands/container/unpause.ts",
        import.meta.url,
      )).unpause,
    "container unpause",
    "unpause",
  ),
  entry(
    "Update configuration of one or more containers",
    async () =>
      (await lazy<typeof import("./commands/container/update.ts")>(
        "./commands/container/update.ts",
        import.meta.url,
      )).update,
    "container update",
    "update",
  ),
  entry(
    "Block until one or more containers stop, then print their exit codes",
    async () =>
      (await lazy<typeof import("./commands/container/wait.ts")>(
        "./commands/container/wait.ts",
        import.meta.url,
      )).wait,
    "container wait",
    "wait",
  ),
  entry(
    "Show the history of an image",
    async () =>
      (await lazy<typeof import("./commands/image/history.ts")>(
        "./commands/image/history.ts",
        import.meta.url,
      )).imageHistory,
    "image history",
    "history",
  ),
  entry(
    "Import the contents from a tarball to create a filesystem image",
    async () =>
      (await lazy<typeof import("./commands/image/import.ts")>(
        "./commands/image/import.ts",
        import.meta.url,
      )).importImage,
    "image import",
    "import",
  ),
  entry(
    "Display detailed information on one or more images",
    async () =>
      (await lazy<typeof import("./commands/image/inspect.ts")>(
        "./commands/image/inspect.ts",
        import.meta.url,
      )).inspectImage,
    "image inspect",
  ),
  entry(
    "Load an image from a tar archive or STDIN",
    async () =>
      (await lazy<typeof import("./commands/image/load.ts")>(
        "./commands/image/load.ts",
        import.meta.url,
      )).loadImage,
    "image load",
    "load",
  ),
  entry(
    "List images",
    async () =>
      (await lazy<typeof import("./commands/image/ls.ts")>(
        "./commands/image/ls.ts",
        import.meta.url,
      )).listImages,
    "image ls",
    "image list",
    "images",
  ),
  entry(
    "Remove unused images",
    async () =>
      (await lazy<typeof import("./commands/image/prune.ts")>(
        "./commands/image/prune.ts",
        import.meta.url,
      )).pruneImages,
    "image prune",
  ),
  entry(
    "Download an image from a registry",
    async () =>
      (await lazy<typeof import("./commands/image/pull.ts")>(
        "./commands/image/pull.ts",
        import.meta.url,
      )).pullImage,
    "image pull",
    "pull",
  ),
  entry(
    "Upload an image to a registry",
    async () =>
      (await lazy<typeof import("./commands/image/push.ts")>(
        "./commands/image/push.ts",
        import.meta.url,
      )).pushImage,
    "image push",
    "push",
  ),
  entry(
    "Remove one or more images",
    async () =>
      (await lazy<typeof import("./commands/image/rm.ts")>(
        "./commands/image/rm.ts",
        import.meta.url,
      )).removeImage,
    "image rm",
    "image remove",
    "rmi",
  ),
  entry(
    "Save one or more images to a tar archive (streamed to STDOUT by default)",
    async () =>
      (await lazy<typeof import("./commands/image/save.ts")>(
        "./commands/image/save.ts",
        import.meta.url,
      )).saveImages,
    "image save",
    "save",
  ),
  entry(
    "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    async () =>
      (await lazy<typeof import("./commands/image/tag.ts")>(
        "./commands/image/tag.ts",
        import.meta.url,
      )).tagImage,
    "image tag",
    "tag",
  ),
  entry(
    "Return low-level information on dhow objects",
    async () =>
      (await lazy<typeof import("./commands/system/inspect.ts")>(
        "./commands/system/inspect.ts",
        import.meta.url,
      )).inspect,
    "inspect",
  ),
  entry(
    "Show dhow disk usage",
    async () =>
      (await lazy<typeof import("./commands/system/df.ts")>(
        "./commands/system/df.ts",
        import.meta.url,
      )).diskUsage,
    "system df",
  ),
  entry(
    "Authenticate to a registry",
    async () =>
      (await lazy<typeof import("./commands/registry/login.ts")>(
        "./commands/registry/login.ts",
        import.meta.url,
      )).login,
    "login",
  ),
  entry(
    "Log out from a registry",
    async () =>
      (await lazy<typeof import("./commands/registry/logout.ts")>(
        "./commands/registry/logout.ts",
        import.meta.url,
      )).logout,
    "logout",
  ),
  entry(
    "Display an image manifest, or manifest list",
    async () =>
      (await lazy<typeof import("./commands/manifest/inspect.ts")>(
        "./commands/manifest/inspect.ts",
        import.meta.url,
      )).inspectManifest,
    "manifest inspect",
  ),
  entry(
    "Connect a container to a network",
    async () =>
      (await lazy<typeof import("./commands/network/connect.ts")>(
        "./commands/network/connect.ts",
        import.meta.url,
      )).connectNetwork,
    "network connect",
  ),
  entry(
    "Create a network",
    async () =>
      (await lazy<typeof import("./commands/network/create.ts")>(
        "./commands/network/create.ts",
        import.meta.url,
      )).createNetwork,
    "network create",
  ),
  entry(
    "Disconnect a container from a network",
    async () =>
      (await lazy<typeof import("./commands/network/disconnect.ts")>(
        "./commands/network/disconnect.ts",
        import.meta.url,
      )).disconnectNetwork,
    "network disconnect",
  ),
  entry(
    "Display detailed information on one or more networks",
    async () =>
      (await lazy<typeof import("./commands/network/inspect.ts")>(
        "./commands/network/inspect.ts",
        import.meta.url,
      )).inspectNetwork,
    "network inspect",
  ),
  entry(
    "List networks",
    async () =>
      (await lazy<typeof import("./commands/network/ls.ts")>(
        "./commands/network/ls.ts",
        import.meta.url,
      )).listNetworks,
    "network ls",
    "network list",
  ),
  entry(
    "Remove all unused networks",
    async () =>
      (await lazy<typeof import("./commands/network/prune.ts")>(
        "./commands/network/prune.ts",
        import.meta.url,
      )).pruneNetworks,
    "network prune",
  ),
  entry(
    "Remove one or more networks",
    async () =>
      (await lazy<typeof import("./commands/network/rm.ts")>(
        "./commands/network/rm.ts",
        import.meta.url,
      )).removeNetwork,
    "network rm",
    "network remove",
  ),
  entry(
    "Search Docker Hub for images",
    async () =>
      (await lazy<typeof import("./commands/registry/search.ts")>(
        "./commands/registry/search.ts",
        import.meta.url,
      )).search,
    "search",
  ),
  entry(
    "Get real time events from the engine",
    async () =>
      (await lazy<typeof import("./commands/system/events.ts")>(
        "./commands/system/events.ts",
        import.meta.url,
      )).events,
    "system events",
    "events",
  ),
  entry(
    "Display system-wide information",
    async () =>
      (await lazy<typeof import("./commands/system/info.ts")>(
        "./commands/system/info.ts",
        import.meta.url,
      )).info,
    "system info",
    "info",
  ),
  entry(
    "Remove unused data",
    async () =>
      (await lazy<typeof import("./commands/system/prune.ts")>(
        "./commands/system/prune.ts",
        import.meta.url,
      )).pruneSystem,
    "system prune",
  ),
  entry(
    "Create a volume",
    async () =>
      (await lazy<typeof import("./commands/volume/create.ts")>(
        "./commands/volume/create.ts",
        import.meta.url,
      )).createVolume,
    "volume create",
  ),
  entry(
    "Display detailed information on one or more volumes",
    async () =>
      (await lazy<typeof import("./commands/volume/inspect.ts")>(
        "./commands/volume/inspect.ts",
        import.meta.url,
      )).inspectVolume,
    "volume inspect",
  ),
  entry(
    "List volumes",
    async () =>
      (await lazy<typeof import("./commands/volume/ls.ts")>(
        "./commands/volume/ls.ts",
        import.meta.url,
      )).listVolumes,
    "volume ls",
    "volume list",
  ),
  entry(
    "Remove unused local volumes",
    async () =>
      (await lazy<typeof import("./commands/volume/prune.ts")>(
        "./commands/volume/prune.ts",
        import.meta.url,
      )).pruneVolumes,
    "volume prune",
  ),
  entry(
    "Remove one or more volumes",
    async () =>
      (await lazy<typeof import("./commands/volume/rm.ts")>(
        "./commands/volume/rm.ts",
        import.meta.url,
      )).removeVolume,
    "volume rm",
    "volume remove",
  ),
  entry(
    "Show the dhow version information",
    async () =>
      (await lazy<typeof import("./commands/system/version.ts")>(
        "./commands/system/version.ts",
        import.meta.url,
      )).version,
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
