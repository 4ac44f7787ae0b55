/**
 * A container's published ports: opened before it starts, served while it runs, shown by `ps`, `port` and `inspect`.
 *
 * `<runtime>/ports/<container id>` says what is published and which process serves it.
 *
 * @module
 */
import { processStartTime } from "../../ffi/process.ts";
import { DhowError } from "../errors.ts";
import { ensureRuntimeDirectory, type StorePaths } from "../host/paths.ts";
import { sleep } from "../host/sleep.ts";
import { portRequests } from "../network/port_spec.ts";
import {
  formatHost,
  type OpenedPorts,
  openPorts,
  type PortRequest,
  type PublishedPort,
  startProxy,
} from "../network/proxy.ts";
import { readEndpoints } from "./endpoints.ts";
import { forgetPorts, portsDirectory, type PortsRecord, readPorts } from "./ports_record.ts";
import { containerDirectory, type ContainerRecord } from "./record.ts";
import { isRunning, readState } from "./state.ts";

/** Ports of a container about to start. Disposing closes them, unless they are served by then. */
export interface ReadyPorts extends Disposable {
  /** To be called when the container runs. */
  serve(): void;
}

/**
 * Opens the ports of a container that is about to start.
 *
 * @throws {DhowError} If the host does not let us have one, in docker's words; nothing is open then.
 */
export async function preparePorts(
  paths: StorePaths,
  record: ContainerRecord,
): Promise<ReadyPorts | undefined> {
  await endProxy(readPorts(paths, record.id));
  const { hostConfig, config } = record;
  const requests = portRequests({
    exposed: config.ExposedPorts ?? {},
    bindings: hostConfig.PortBindings ?? {},
    all: hostConfig.PublishAllPorts,
  });
  if (requests.length === 0) return undefined;
  const opened = openFor(paths, record, requests);
  return {
    serve: () => serve(paths, record.id, opened),
    [Symbol.dispose]: () => opened[Symbol.dispose](),
  };
}

function openFor(
  paths: StorePaths,
  record: ContainerRecord,
  requests: readonly PortRequest[],
): OpenedPorts {
  try {
    return openPorts(requests);
  } catch (error) {
    if (!(error instanceof DhowError)) throw error;
    const endpoint = readEndpoints(paths, record.id)[0]?.endpointId ?? "";
    const owned = error.code === "conflict" ? ownedByAnother(paths, requests) : undefined;
    const why = owned === undefined
      ? error.message
      : `Bind for ${owned} failed: port is already allocated`;
    throw new DhowError(
      error.code,
      `failed to set up container networking: driver failed programming external connectivity on endpoint ${record.name} (${endpoint}): ${why}`,
      { cause: error },
    );
  }
}

/** The first of the ports that another of our containers has. */
function ownedByAnother(
  paths: StorePaths,
  requests: readonly PortRequest[],
): string | undefined {
  for (const id of recordedIds(paths)) {
    for (const { hostIp, hostPort, protocol } of readPorts(paths, id)?.ports ?? []) {
      const found = requests.find((request) =>
        request.protocol === protocol && request.first <= hostPort && request.last >= hostPort &&
        (["", "0.0.0.0", "::"].includes(request.hostIp) || request.hostIp === hostIp ||
          ["0.0.0.0", "::"].includes(hostIp))
      );
      if (found !== undefined) return formatHost(found.hostIp || "0.0.0.0", hostPort);
    }
  }
  return undefined;
}

function serve(paths: StorePaths, id: string, opened: OpenedPorts): void {
  const { pid } = readState(containerDirectory(paths, id));
  if (pid <= 0) return; // it has ended already
  const endpoints = readEndpoints(paths, id);
  const with4 = endpoints.find(({ ipv4 }) => ipv4 !== undefined);
  const with6 = endpoints.find(({ ipv6 }) => ipv6 !== undefined);
  if (with4 === undefined && with6 === undefined) return;
  const proxy = startProxy(opened, {
    pid,
    ...with4 && { ipv4: { address: with4.ipv4!, gateway: with4.gateway4! } },
    ...with6 && { ipv6: { address: with6.ipv6!, gateway: with6.gateway6! } },
  });
  const { ports } = opened;
  writePorts(paths, id, { pid: proxy, startTime: processStartTime(proxy) ?? 0, ports });
}

function writePorts(paths: StorePaths, id: string, record: PortsRecord): void {
  ensureRuntimeDirectory(paths);
  const directory = portsDirectory(paths);
  Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const temporary = `${directory}/.${id}.${Deno.pid}`;
  Deno.writeTextFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
  Deno.renameSync(temporary, `${directory}/${id}`);
}

/** Ends what served the run before, and waits until its ports are free. */
async function endProxy(before: PortsRecord | undefined): Promise<void> {
  if (before === undefined) return;
  for (let attempt = 0; attempt < 200 && isServed(before); attempt++) {
    try {
      Deno.kill(before.pid, "SIGKILL");
    } catch { /* it is gone */ }
    await sleep(5);
  }
}

function isServed({ pid, startTime }: PortsRecord): boolean {
  return processStartTime(pid) === startTime;
}

function recordedIds(paths: StorePaths): string[] {
  try {
    return [...Deno.readDirSync(portsDirectory(paths))].map(({ name }) => name)
      .filter((name) => !name.startsWith("."));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Serves the ports of running containers again where the process that did is gone; forgets those that ended. */
export function mendPorts(paths: StorePaths): void {
  for (const id of recordedIds(paths)) {
    const record = readPorts(paths, id);
    if (record === undefined || isServed(record)) continue;
    try {
      if (isRunning(readState(containerDirectory(paths, id)).status)) {
        using opened = openPorts(requestsAgain(record.ports));
        serve(paths, id, opened);
      } else forgetPorts(paths, id);
    } catch { /* somebody else has the port now, or mends it */ }
  }
}

/** A port that is published at `0.0.0.0` and at `::` was asked for at all addresses. */
function requestsAgain(ports: readonly PublishedPort[]): PortRequest[] {
  const same = (a: PublishedPort, b: PublishedPort) =>
    a.port === b.port && a.protocol === b.protocol && a.hostPort === b.hostPort;
  const at = (port: PublishedPort, hostIp: string) =>
    ports.some((other) => same(port, other) && other.hostIp === hostIp);
  return ports.flatMap((published) => {
    const { port, protocol, hostIp, hostPort } = published;
    const request = { port, protocol, hostIp, first: hostPort, last: hostPort };
    if (hostIp === "0.0.0.0" && at(published, "::")) return [{ ...request, hostIp: "" }];
    if (hostIp === "::" && at(published, "0.0.0.0")) return [];
    return [request];
  });
}
