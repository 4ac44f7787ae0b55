/**
 * A RUN's container: started by the engine that starts all containers, in this process, but without a record, a log or a
 * name. It ends with this process, whatever ends that.
 *
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { type Fd, open, pipe, pollAsync, read } from "../../ffi/fd.ts";
import { buildSpec } from "../container/create_spec.ts";
import { DEFAULT_HOST_CONFIG } from "../container/default_host_config.ts";
import { completeHostConfig } from "../container/host_config.ts";
import { type NetworkFacts, writeNetworkFiles } from "../container/network_files.ts";
import type { ContainerRecord } from "../container/record.ts";
import { adaptToSingleId, listenerSocket } from "../container/single_id.ts";
import { processFilter } from "../container/process_filter.ts";
import { readLayeredFile } from "../container/root_file.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { isDirectory, isThere } from "../host/stat.ts";
import { lazy } from "../lib/lazy.ts";
import type { Rootfs } from "../runtime/init_rootfs.ts";
import { launch } from "../runtime/launch.ts";
import { lastCapability } from "../runtime/last_capability.ts";
import type { OverlayKind } from "./build_jobs.ts";
import { decodeRunRecord } from "../runtime/run_record.ts";
import type { UserNamespace } from "../runtime/userns.ts";
import type { ContainerConfig, HostConfig, Ulimit } from "../spec/docker_api.ts";
import type { Spec, SpecMount } from "../spec/runtime.ts";

/** As BuildKit calls it. */
const HOSTNAME = "buildkitsandbox";

/** What to run. */
export interface RunContainerRequest {
  /** A directory of its own, empty. */
  directory: string;
  root: {
    kind: OverlayKind;
    /** What the names are relative to. */
    base: string;
    /** Topmost first. */
    names: readonly string[];
    /** The same as absolute paths. */
    lowers: readonly string[];
    /** The layer to be; is there. */
    upper: string;
  };
  args: readonly string[];
  env: readonly string[];
  cwd: string;
  user: string;
  /** Sorted by the caller. */
  mounts: readonly SpecMount[];
  /** Undefined with `network` `none` and `host`. */
  joined?: { namespace: Fd; alive: Fd; facts: NetworkFacts };
  network: string;
  privileged: boolean;
  addHosts: readonly string[];
  shmSizeBytes?: number;
  ulimits: readonly Ulimit[];
  onOutput(stream: "stdout" | "stderr", bytes: Uint8Array<ArrayBuffer>): void;
  signal?: AbortSignal | undefined;
}

/**
 * Runs a command to its end.
 *
 * @returns Its exit code; 128 and the signal's number if one has killed it.
 * @throws {DhowError} as `launch()`; the signal's reason, when the command has been killed.
 */
export async function runContainer(
  paths: StorePaths,
  namespace: UserNamespace,
  request: RunContainerRequest,
): Promise<number> {
  const { directory, signal } = request;
  using stack = new DisposableStack();
  const config = containerConfig(request);
  const hostConfig = hostSettings(request);
  for (const part of ["rootfs", "work"]) await Deno.mkdir(`${directory}/${part}`);
  writeNetworkFiles(directory, { config, hostConfig } as ContainerRecord, request.joined?.facts);
  const spec = runSpec(request, config, hostConfig);
  if (namespace.map.single) adaptToSingleId(spec, directory);
  const privileged = request.privileged;
  const singleId = namespace.map.single;
  const listener = singleId ? listenerSocket(stack) : undefined;
  const capabilities = spec.process.capabilities?.bounding ?? [];
  const devNull = stack.use(open("/dev/null", C.O_RDWR));
  const owner = pipe(), ended = pipe(), stdout = pipe(), stderr = pipe();
  for (const { read, write } of [owner, ended, stdout, stderr]) {
    stack.use(read);
    stack.use(write);
  }
  const run = stack.use(open(`${directory}/run.new`, C.O_RDWR | C.O_CREAT | C.O_TRUNC));
  signal?.throwIfAborted();
  await launch({
    spec,
    rootfs: await planRoot(namespace, request, stack),
    containerDirectory: directory,
    userNamespace: namespace.fd.number,
    join: request.joined === undefined
      ? []
      : [{ type: "network", fd: request.joined.namespace.number }],
    process: {
      stdio: {
        kind: "fds",
        stdin: devNull.number,
        stdout: stdout.write.number,
        stderr: stderr.write.number,
      },
      seccomp: await processFilter(paths, {
        isUnconfined: privileged,
        capabilities,
        singleId: singleId && "asks",
      }),
      singleId,
      ...listener && { asks: listener.asks },
      makeCwd: true,
      dieWithParent: true,
    },
    terminal: -1,
    monitor: {
      fds: {
        run: run.number,
        log: ended.write.number, // never written to: it is closed when the monitor has ended
        lock: -1,
        stdout: -1,
        stderr: -1,
        stdin: -1,
        control: -1,
        owner: owner.read.number,
        alive: namespace.alive.number,
        router: request.joined?.alive.number ?? -1,
        ...listener && { asked: listener.asked },
        devNull: devNull.number,
      },
      logSize: 0,
      logMaxSize: 0,
      logMaxFiles: 1,
      hook: { args: ["/"], env: [], always: false }, // there is nothing to do
      isRemovedAtEnd: false,
      endsWithOwner: true,
      ...listener && { emitAnswer: listener.emitAnswer },
    },
  });
  for (const { write } of [ended, stdout, stderr]) write.close();
  const kill = () => owner.write.close();
  signal?.addEventListener("abort", kill);
  try {
    await readOutput({ stdout: stdout.read, stderr: stderr.read, ended: ended.read }, request);
  } finally {
    signal?.removeEventListener("abort", kill);
  }
  signal?.throwIfAborted();
  const record = decodeRunRecord(await Deno.readFile(`${directory}/run`));
  if (record?.exit === undefined) {
    throw new DhowError("internal", "Cannot tell how a step of the build has ended");
  }
  return record.exit.code;
}

/** @param stack A mount of fuse-overlayfs lasts until this is disposed; the container has taken it over then. */
async function planRoot(
  namespace: UserNamespace,
  { directory, root }: RunContainerRequest,
  stack: DisposableStack,
): Promise<Rootfs> {
  const { kind, base, names, upper } = root;
  const mountpoint = `${directory}/rootfs`;
  const work = `${directory}/work`;
  if (names.length === 0) return { mountpoint, directory: upper };
  if (kind === "overlay") {
    return { mountpoint, overlay: { base, lower: [...names], upper, work } };
  }
  const { holdMount } = await lazy<typeof import("../container/held_mount.ts")>(
    "../container/held_mount.ts",
    import.meta.url,
  );
  const layers = [...names];
  const held = await holdMount(namespace, { kind, base, layers, upper, work, mountpoint });
  return { mountpoint, taken: stack.use(held).mounts };
}

/** Hands on what is written until all has ended. */
async function readOutput(
  ends: { stdout: Fd; stderr: Fd; ended: Fd },
  request: RunContainerRequest,
): Promise<void> {
  const streams = (["stdout", "stderr"] as const).map((name) => ({ name, isOpen: true }));
  const buffer = new Uint8Array(1 << 16);
  let hasEnded = false;
  while (!hasEnded || streams.some(({ isOpen }) => isOpen)) {
    const ready = await pollAsync([
      ...streams.map(({ name, isOpen }) => ({
        fd: isOpen ? ends[name].number : -1,
        events: C.POLLIN,
      })),
      { fd: hasEnded ? -1 : ends.ended.number, events: C.POLLIN },
    ], hasEnded ? 0 : -1);
    for (const [i, stream] of streams.entries()) {
      if (!stream.isOpen) continue;
      // With the container all that could write has ended.
      if (ready[i] === 0) {
        if (hasEnded) stream.isOpen = false;
        continue;
      }
      const n = read(ends[stream.name].number, buffer);
      if (n <= 0) stream.isOpen = false;
      else request.onOutput(stream.name, buffer.slice(0, n));
    }
    if (ready[2] !== 0) hasEnded = true;
  }
}

function containerConfig({ args, env, cwd, user }: RunContainerRequest): ContainerConfig {
  return {
    Hostname: HOSTNAME,
    Domainname: "",
    User: user,
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: [...env],
    Cmd: [...args],
    Image: "",
    Volumes: null,
    WorkingDir: cwd,
    Entrypoint: null,
    OnBuild: null,
    Labels: {},
  };
}

function hostSettings(request: RunContainerRequest): HostConfig {
  const { network, privileged, addHosts, shmSizeBytes = 0, ulimits } = request;
  return completeHostConfig({
    ...DEFAULT_HOST_CONFIG,
    NetworkMode: network,
    Privileged: privileged,
    ExtraHosts: [...addHosts],
    ShmSize: shmSizeBytes,
    Ulimits: [...ulimits],
  });
}

function runSpec(
  request: RunContainerRequest,
  config: ContainerConfig,
  hostConfig: HostConfig,
): Spec {
  const { directory, root, mounts } = request;
  const impossible = () => {
    throw new DhowError("unsupported", "A step of a build has no devices or namespaces of others");
  };
  const spec = buildSpec({ config, hostConfig, mounts: [] }, {
    rootfs: "rootfs",
    files: {
      hosts: `${directory}/hosts`,
      resolvConf: `${directory}/resolv.conf`,
    },
    isDirectory,
    exists: isThere,
    readFile: (path) => readLayeredFile(root.lowers, path),
    namespaceOf: impossible,
    resolveDevice: impossible,
    listHostDevices: () => [],
    lastCapability: lastCapability(),
  });
  spec.process.env = spec.process.env.filter((entry) =>
    !entry.startsWith("HOSTNAME=") || request.env.includes(entry)
  );
  spec.mounts.push(...mounts);
  return spec;
}
