/**
 * Starting a container: from its record to a running monitor and init.
 *
 * @module
 */
import { removeIfThere } from "../host/remove_if_there.ts";
import { sleep } from "../host/sleep.ts";
import { lazy } from "../lib/lazy.ts";
import * as C from "../../ffi/abi/constants.ts";
import { type Fd, open, openIfThere } from "../../ffi/fd.ts";
import { tryLock } from "../../ffi/lock.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { selfCommand, selfEnvironment } from "../host/self.ts";
import { ensureUnpacked, findUnpacked } from "../image/ensure_unpacked.ts";
import { buildLaunch, launch, type LaunchPlan } from "../runtime/launch.ts";
import type { MonitorOptions } from "../runtime/monitor.ts";
import { parseSecurityOptions } from "../runtime/security_options.ts";
import { ensureUserNamespace, type UserNamespace } from "../runtime/userns.ts";
import type { Spec } from "../spec/runtime.ts";
import { logContainerEvent, logStart } from "./container_event.ts";
import { killStray } from "./kill.ts";
import { usesBridges } from "./endpoints.ts";
import { dropGroup } from "./group_hints.ts";
import type { ReadyPorts } from "./ports.ts";
import { logLimits } from "./log_options.ts";
import { writeNetworkFiles } from "./network_files.ts";
import { hasProbe, probePlan } from "./probe.ts";
import { processFilter } from "./process_filter.ts";
import { containerDirectory, type ContainerRecord, nestedMapping, readRecord } from "./record.ts";
import { removeContainer } from "./remove.ts";
import { prepareRemoval, trashOf } from "./remove_known.ts";
import { planRootfs } from "./rootfs_plan.ts";
import { explainDiskError } from "../store/disk_error.ts";
import { containerSpec } from "./spec_environment.ts";
import {
  connect,
  loadSingleId,
  makeOwn,
  mayHaveGroup,
  prepareGroup,
  publish,
  resolveLinks,
  withVariables,
  writeInit,
} from "./start_extras.ts";
import { type OpenedStdio, openStdio } from "./start_stdio.ts";
import {
  HEALTH_FILE,
  LOCK_RUN,
  readState,
  type StoredState,
  updateStoredState,
  writeStoredState,
} from "./state.ts";

/** How to start. */
export interface StartOptions {
  /** A foreground dhow owns the run: it does what the exit hook would do, as long as it lives. */
  foreground?: boolean;
  consoleSize?: { rows: number; columns: number };
  /** The exit hook restarts it: keep the restart count. */
  isRestart?: boolean;
  restartDelayMs?: number;
  /** Nothing is to be started: what would be is to be shown. */
  explain?: boolean;
}

/** A container that has been started. */
export interface StartedContainer {
  record: ContainerRecord;
  /** Writing end of its stdin, where it is open, the caller is in the foreground, and there is no terminal. */
  stdin: Fd | undefined;
  /** While this is open the monitor leaves the end of the run to us. */
  owner: Fd | undefined;
}

/**
 * Starts container `id`.
 *
 * @returns Undefined if it runs already.
 * @throws {DhowError} As `launch()`; the failure is recorded with the container.
 */
export async function startContainer(
  paths: StorePaths,
  id: string,
  options: StartOptions = {},
): Promise<StartedContainer | undefined> {
  const directory = containerDirectory(paths, id);
  const lock = await lockForStart(directory, id);
  if (lock === undefined) return undefined;
  using _lock = lock;
  const record = readRecord(paths, id);
  const before = readState(directory);
  if (options.isRestart && before.stored.stopRequested) return undefined;
  if (before.run !== undefined && before.run.exit === undefined) killStray(before.run);
  const stored: StoredState = {
    restartCount: options.isRestart ? (before.stored.restartCount ?? 0) + 1 : 0,
    ...options.restartDelayMs && { restartDelayMs: options.restartDelayMs },
  };
  if (hasProbe(record)) {
    removeIfThere(`${directory}/${HEALTH_FILE}`);
    stored.health = { Status: "starting", FailingStreak: 0, Log: [] };
  }
  try {
    writeStoredState(directory, stored);
  } catch (error) {
    lock.close();
    throw explainDiskError(`start a container in "${paths.root}"`, error);
  }
  try {
    return await startLocked(paths, record, lock, options);
  } catch (error) {
    recordFailure(directory, error);
    await dropGroup(directory);
    lock.close();
    if (record.hostConfig.AutoRemove) await removeContainer(paths, id, { volumes: true });
    throw error;
  }
}

/** Takes the container's lock for the monitor to be; undefined if it runs. */
async function lockForStart(directory: string, id: string): Promise<Fd | undefined> {
  const lock = openIfThere(`${directory}/lock`, C.O_RDWR);
  if (lock === undefined) throw new DhowError("not_found", `No such container: ${id}`);
  // Somebody else may be starting or ending it in this moment: that takes milliseconds.
  for (let attempt = 0; attempt < 500; attempt++) {
    if (tryLock(lock, LOCK_RUN)) return lock;
    const { status } = readState(directory);
    if (status === "running" || status === "paused") break;
    await sleep(10);
  }
  lock.close();
  if (readState(directory).status === "paused") {
    throw new DhowError("conflict", "cannot start a paused container, try unpause instead");
  }
  return undefined;
}

function recordFailure(directory: string, error: unknown): void {
  const known = error instanceof DhowError ? error : undefined;
  const exitCode = known?.code === "command_not_found"
    ? 127
    : known?.code === "command_not_executable"
    ? 126
    : 128;
  const at = String(BigInt(Date.now()) * 1_000_000n);
  updateStoredState(directory, {
    startFailure: { exitCode, message: (error as Error).message, at },
  });
}

async function startLocked(
  paths: StorePaths,
  record: ContainerRecord,
  lock: Fd,
  options: StartOptions,
): Promise<StartedContainer> {
  using plan = await planStart(paths, record, lock, options);
  if (options.foreground) logContainerEvent(paths, record, "attach");
  await launch(plan, () => {
    if (options.foreground && record.hostConfig.AutoRemove) {
      prepareRemoval(trashOf(paths, record.id));
    }
  });
  plan.ports?.serve();
  logStart(paths, record);
  return { record, stdin: plan.takeStdin(), owner: plan.takeOwner() };
}

/** The text of `--explain`: the program that would run, one line a call; nothing is started. */
export async function explainStart(paths: StorePaths, id: string): Promise<string> {
  const directory = containerDirectory(paths, id);
  const record = readRecord(paths, id);
  using lock = open(`${directory}/lock`, C.O_RDWR);
  using plan = await planStart(paths, record, lock, { explain: true });
  const { explainProgram } = await lazy<typeof import("../../ffi/program/explain.ts")>(
    "../../ffi/program/explain.ts",
    import.meta.url,
  );
  const fd = plan.monitor.fds.devNull; // stands for pipes that only a real start opens
  const pipes = { status: fd, started: { read: fd, write: fd } };
  return explainProgram(buildLaunch(plan, pipes, "executed").program);
}

/** A plan together with the descriptors it names; disposing closes what was not taken. */
interface OwnedPlan extends LaunchPlan, Disposable {
  /** What it publishes, opened. */
  ports: ReadyPorts | undefined;
  takeStdin(): Fd | undefined;
  takeOwner(): Fd | undefined;
}

async function planStart(
  paths: StorePaths,
  record: ContainerRecord,
  lock: Fd,
  options: StartOptions,
): Promise<OwnedPlan> {
  const directory = containerDirectory(paths, record.id);
  const stack = new DisposableStack();
  try {
    const namespace = stack.use(await ensureUserNamespace(paths));
    const layers = await ensureLayers(paths, record, namespace);
    const own = record.nestedIds && stack.use(await makeOwn(namespace, record.nestedIds));
    const networks = usesBridges(record) && options.explain !== true
      ? stack.use(await connect(paths, record, namespace, own?.number))
      : undefined;
    const ports = networks === undefined ? undefined : await publish(paths, record);
    if (ports !== undefined) stack.use(ports);
    const links = networks === undefined ? undefined : await resolveLinks(paths, record);
    writeNetworkFiles(directory, record, { ...networks?.facts, links: links?.hosts ?? [] });
    const linked = links === undefined ? record : withVariables(record, links.env);
    const { spec, join } = containerSpec(paths, linked, layers, namespace);
    const single = namespace.map.single ? await loadSingleId() : undefined;
    single?.adaptToSingleId(spec, directory);
    if (record.hostConfig.Init) await writeInit(directory, spec);
    writeSpec(directory, spec);
    const io = openStdio(paths, record, options, stack);
    const monitor = monitorOptions(paths, record, namespace, io, lock, stack);
    monitor.fds.router = networks?.alive.number ?? -1;
    const joined = join.map(({ type, path }) => ({
      type,
      fd: stack.use(openNamespace(path)).number,
    }));
    if (networks !== undefined) joined.push({ type: "network", fd: networks.namespace.number });
    const user = joined.find(({ type }) => type === "user");
    const listener = single?.listenerSocket(stack);
    if (listener !== undefined) {
      monitor.fds.asked = listener.asked;
      monitor.emitAnswer = listener.emitAnswer;
    }
    const group = options.explain !== true && mayHaveGroup(record)
      ? await prepareGroup(paths, record)
      : undefined;
    if (group !== undefined) stack.use(group);
    return {
      spec,
      rootfs: await planRootfs(paths, record, layers, { namespace, stack }),
      containerDirectory: directory,
      userNamespace: own === undefined && user?.fd || namespace.fd.number,
      ...own && { ownNamespace: own.number },
      join: joined.filter(({ type }) => type !== "user"),
      process: {
        stdio: io.stdio,
        seccomp: await filterFor(paths, record, spec, single !== undefined && "asks"),
        ...listener && { asks: listener.asks },
        cpus: record.hostConfig.CpusetCpus,
        singleId: namespace.map.single,
        makeCwd: true,
        dieWithParent: true,
      },
      terminal: io.terminal,
      monitor,
      ...group && { group: group.launch },
      ports,
      takeStdin: () => io.takeStdin(),
      takeOwner: () => io.takeOwner(),
      [Symbol.dispose]: () => stack[Symbol.dispose](),
    };
  } catch (error) {
    stack[Symbol.dispose]();
    throw error;
  }
}

function writeSpec(directory: string, spec: Spec): void {
  Deno.writeTextFileSync(`${directory}/config.json`, JSON.stringify(spec));
}

async function ensureLayers(
  paths: StorePaths,
  record: ContainerRecord,
  namespace: UserNamespace,
): Promise<string[]> {
  const { diffIds, id } = record.image;
  const found = findUnpacked(paths, diffIds, record.idMap);
  if (found !== undefined) return found;
  if (namespace.map.name !== record.idMap.split("+")[0]) {
    throw new DhowError(
      "conflict",
      `Cannot start container "${record.name}": it was created for the ids "${record.idMap}", but yours are "${namespace.map.name}" now; create it anew`,
    );
  }
  const { openNamespaceWorker } = await lazy<typeof import("../image/namespace_worker.ts")>(
    "../image/namespace_worker.ts",
    import.meta.url,
  );
  using worker = await openNamespaceWorker(paths, undefined, nestedMapping(record));
  return await ensureUnpacked(paths, { id, diffIds }, worker);
}

async function filterFor(
  paths: StorePaths,
  record: ContainerRecord,
  spec: Spec,
  singleId: "asks" | false,
): Promise<Uint8Array<ArrayBuffer>> {
  const { Privileged, SecurityOpt } = record.hostConfig;
  const { seccomp } = parseSecurityOptions(SecurityOpt);
  const isUnconfined = Privileged && seccomp === undefined || seccomp === "unconfined";
  const capabilities = spec.process.capabilities?.bounding ?? [];
  return await processFilter(paths, { isUnconfined, seccomp, capabilities, singleId });
}

function openNamespace(path: string): Fd {
  return open(path, C.O_RDONLY);
}

function monitorOptions(
  paths: StorePaths,
  record: ContainerRecord,
  namespace: UserNamespace,
  io: OpenedStdio,
  lock: Fd,
  stack: DisposableStack,
): MonitorOptions {
  const directory = containerDirectory(paths, record.id);
  const run = stack.use(open(`${directory}/run.new`, C.O_RDWR | C.O_CREAT | C.O_TRUNC));
  const logFlags = C.O_WRONLY | C.O_CREAT | C.O_APPEND;
  const log = stack.use(open(`${directory}/log`, logFlags));
  const { hostConfig } = record;
  const probe = probePlan(paths, record);
  return {
    fds: {
      ...io.fds,
      run: run.number,
      log: log.number,
      lock: lock.number,
      alive: namespace.alive.number,
      router: -1,
    },
    logSize: Deno.statSync(`${directory}/log`).size,
    ...logLimits(hostConfig.LogConfig),
    hook: {
      args: selfCommand("__hook", [paths.root, record.id]),
      env: selfEnvironment(),
      always: !["", "no"].includes(hostConfig.RestartPolicy.Name),
    },
    isRemovedAtEnd: hostConfig.AutoRemove,
    ...probe && { probe },
  };
}
