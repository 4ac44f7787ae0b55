/**
 * What is done to containers: the commands in cli/commands/container/.
 *
 * @module
 */
import { lazy } from "../../core/lib/lazy.ts";
import { type Entry, entry } from "./entry.ts";

/** What is done to containers. */
export const containerEntries: readonly Entry[] = [
  entry(
    "Attach local standard input, output, and error streams to a running container",
    async () =>
      (await lazy<typeof import("../commands/container/attach.ts")>(
        "../commands/container/attach.ts",
        import.meta.url,
      )).attach,
    "container attach",
    "attach",
  ),
  entry(
    "Create a new image from a container's changes",
    async () =>
      (await lazy<typeof import("../commands/container/commit.ts")>(
        "../commands/container/commit.ts",
        import.meta.url,
      )).commit,
    "container commit",
    "commit",
  ),
  entry(
    "Copy files/folders between a container and the local filesystem",
    async () =>
      (await lazy<typeof import("../commands/container/cp.ts")>(
        "../commands/container/cp.ts",
        import.meta.url,
      )).cp,
    "container cp",
    "cp",
  ),
  entry(
    "Create a new container",
    async () =>
      (await lazy<typeof import("../commands/container/create.ts")>(
        "../commands/container/create.ts",
        import.meta.url,
      )).create,
    "container create",
    "create",
  ),
  entry(
    "Inspect changes to files or directories on a container's filesystem",
    async () =>
      (await lazy<typeof import("../commands/container/diff.ts")>(
        "../commands/container/diff.ts",
        import.meta.url,
      )).diff,
    "container diff",
    "diff",
  ),
  entry(
    "Execute a command in a running container",
    async () =>
      (await lazy<typeof import("../commands/container/exec.ts")>(
        "../commands/container/exec.ts",
        import.meta.url,
      )).exec,
    "container exec",
    "exec",
  ),
  entry(
    "Export a container's filesystem as a tar archive",
    async () =>
      (await lazy<typeof import("../commands/container/export.ts")>(
        "../commands/container/export.ts",
        import.meta.url,
      )).exportContainer,
    "container export",
    "export",
  ),
  entry(
    "Display detailed information on one or more containers",
    async () =>
      (await lazy<typeof import("../commands/container/inspect.ts")>(
        "../commands/container/inspect.ts",
        import.meta.url,
      )).inspectContainer,
    "container inspect",
  ),
  entry(
    "Kill one or more running containers",
    async () =>
      (await lazy<typeof import("../commands/container/kill.ts")>(
        "../commands/container/kill.ts",
        import.meta.url,
      )).kill,
    "container kill",
    "kill",
  ),
  entry(
    "Fetch the logs of a container",
    async () =>
      (await lazy<typeof import("../commands/container/logs.ts")>(
        "../commands/container/logs.ts",
        import.meta.url,
      )).logs,
    "container logs",
    "logs",
  ),
  entry(
    "List containers",
    async () =>
      (await lazy<typeof import("../commands/container/ls.ts")>(
        "../commands/container/ls.ts",
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
      (await lazy<typeof import("../commands/container/pause.ts")>(
        "../commands/container/pause.ts",
        import.meta.url,
      )).pause,
    "container pause",
    "pause",
  ),
  entry(
    "Remove all stopped containers",
    async () =>
      (await lazy<typeof import("../commands/container/prune.ts")>(
        "../commands/container/prune.ts",
        import.meta.url,
      )).pruneContainers,
    "container prune",
  ),
  entry(
    "Rename a container",
    async () =>
      (await lazy<typeof import("../commands/container/rename.ts")>(
        "../commands/container/rename.ts",
        import.meta.url,
      )).rename,
    "container rename",
    "rename",
  ),
  entry(
    "Restart one or more containers",
    async () =>
      (await lazy<typeof import("../commands/container/restart.ts")>(
        "../commands/container/restart.ts",
        import.meta.url,
      )).restart,
    "container restart",
    "restart",
  ),
  entry(
    "Remove one or more containers",
    async () =>
      (await lazy<typeof import("../commands/container/rm.ts")>(
        "../commands/container/rm.ts",
        import.meta.url,
      )).rm,
    "container rm",
    "container remove",
    "rm",
  ),
  entry(
    "Create and run a new container from an image",
    async () =>
      (await lazy<typeof import("../commands/container/run.ts")>(
        "../commands/container/run.ts",
        import.meta.url,
      )).run,
    "container run",
    "run",
  ),
  entry(
    "Start one or more stopped containers",
    async () =>
      (await lazy<typeof import("../commands/container/start.ts")>(
        "../commands/container/start.ts",
        import.meta.url,
      )).start,
    "container start",
    "start",
  ),
  entry(
    "Display a live stream of container(s) resource usage statistics",
    async () =>
      (await lazy<typeof import("../commands/container/stats.ts")>(
        "../commands/container/stats.ts",
        import.meta.url,
      )).stats,
    "container stats",
    "stats",
  ),
  entry(
    "Stop one or more running containers",
    async () =>
      (await lazy<typeof import("../commands/container/stop.ts")>(
        "../commands/container/stop.ts",
        import.meta.url,
      )).stop,
    "container stop",
    "stop",
  ),
  entry(
    "List port mappings or a specific mapping for the container",
    async () =>
      (await lazy<typeof import("../commands/container/port.ts")>(
        "../commands/container/port.ts",
        import.meta.url,
      )).port,
    "container port",
    "port",
  ),
  entry(
    "Display the running processes of a container",
    async () =>
      (await lazy<typeof import("../commands/container/top.ts")>(
        "../commands/container/top.ts",
        import.meta.url,
      )).top,
    "container top",
    "top",
  ),
  entry(
    "Unpause all processes within one or more containers",
    async () =>
      (await lazy<typeof import("../commands/container/unpause.ts")>(
        "../commands/container/unpause.ts",
        import.meta.url,
      )).unpause,
    "container unpause",
    "unpause",
  ),
  entry(
    "Update configuration of one or more containers",
    async () =>
      (await lazy<typeof import("../commands/container/update.ts")>(
        "../commands/container/update.ts",
        import.meta.url,
      )).update,
    "container update",
    "update",
  ),
  entry(
    "Block until one or more containers stop, then print their exit codes",
    async () =>
      (await lazy<typeof import("../commands/container/wait.ts")>(
        "../commands/container/wait.ts",
        import.meta.url,
      )).wait,
    "container wait",
    "wait",
  ),
];
