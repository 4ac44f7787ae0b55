/**
 * What is known of a running container's published ports, as `inspect`, `port` and `ps` show it.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import type { PublishedPort } from "../network/proxy.ts";
import type { ContainerSummary, NetworkSettings } from "../spec/docker_api.ts";
import { usesBridges } from "./endpoints.ts";
import type { ContainerRecord } from "./record.ts";
import type { State } from "./state.ts";

/** What `<runtime>/ports/<container id>` says. */
export interface PortsRecord {
  /** The process that serves the ports. */
  pid: number;
  /** Of that process, since pids are reused. */
  startTime: number;
  ports: readonly PublishedPort[];
}

/** Where it is said which ports are published. */
export function portsDirectory(paths: StorePaths): string {
  return `${paths.runtime}/ports`;
}

/** What a container publishes, or published when it last ran. */
export function readPorts(paths: StorePaths, id: string): PortsRecord | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(`${portsDirectory(paths)}/${id}`)) as PortsRecord;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Forgets what a container published. */
export function forgetPorts(paths: StorePaths, id: string): void {
  try {
    Deno.removeSync(`${portsDirectory(paths)}/${id}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** `.NetworkSettings.Ports`: exposed and published ports while it runs, none otherwise. */
export function containerPorts(
  paths: StorePaths,
  record: ContainerRecord,
  state: State,
): NetworkSettings["Ports"] {
  if (state.pid <= 0 || !usesBridges(record)) return {};
  const { config, hostConfig } = record;
  const keys = new Set([
    ...Object.keys(config.ExposedPorts ?? {}),
    ...Object.keys(hostConfig.PortBindings ?? {}),
  ]);
  const mayPublish = hostConfig.PublishAllPorts ||
    Object.keys(hostConfig.PortBindings ?? {}).length > 0;
  const published = mayPublish ? readPorts(paths, record.id)?.ports ?? [] : [];
  const ports: NetworkSettings["Ports"] = {};
  for (const key of [...keys].sort()) ports[key] = null;
  for (const { port, protocol, hostIp, hostPort } of published) {
    (ports[`${port}/${protocol}`] ??= []).push({ HostIp: hostIp, HostPort: String(hostPort) });
  }
  return ports;
}

/** The same as rows of a list have it. */
export function summaryPorts(ports: NetworkSettings["Ports"]): ContainerSummary["Ports"] {
  return Object.entries(ports).flatMap(([key, bindings]) => {
    const [port, Type = "tcp"] = key.split("/");
    const PrivatePort = Number(port);
    if (bindings === null) return [{ PrivatePort, Type }];
    return bindings.map(({ HostIp, HostPort }) => (
      { IP: HostIp, PrivatePort, PublicPort: Number(HostPort), Type }
    ));
  });
}
