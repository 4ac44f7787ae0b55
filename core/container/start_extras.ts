/**
 * What not every container needs at its start: ports, networks, a control group, a user namespace, links, an init.
 *
 * @module
 */
import type { Fd } from "../../ffi/fd.ts";
import { DhowError } from "../errors.ts";
import type { NestedIds } from "../host/nested_ids.ts";
import type { StorePaths } from "../host/paths.ts";
import { isThere, statIfThere } from "../host/stat.ts";
import { lazy } from "../lib/lazy.ts";
import type { UserNamespace } from "../runtime/userns.ts";
import type { Spec } from "../spec/runtime.ts";
import { INIT_PATH } from "./create_spec_mounts.ts";
import { hasLinks } from "./endpoints.ts";
import { isLimited } from "./group_hints.ts";
import type { ReadyGroup } from "./groups.ts";
import type { Links } from "./links.ts";
import type { ConnectedNetworks } from "./networking.ts";
import type { ReadyPorts } from "./ports.ts";
import type { ContainerRecord } from "./record.ts";

/** Opens the ports that a container publishes, if it publishes any. */
export async function publish(
  paths: StorePaths,
  record: ContainerRecord,
): Promise<ReadyPorts | undefined> {
  const { PortBindings, PublishAllPorts } = record.hostConfig;
  if (!PublishAllPorts && Object.keys(PortBindings ?? {}).length === 0) return undefined;
  const { preparePorts } = await lazy<typeof import("./ports.ts")>("./ports.ts", import.meta.url);
  return await preparePorts(paths, record);
}

/** Attaches it to its networks. @throws {DhowError} As `connectNetworks()`. */
export async function connect(
  paths: StorePaths,
  record: ContainerRecord,
  namespace: UserNamespace,
  own: number | undefined,
): Promise<ConnectedNetworks> {
  const { connectNetworks } = await lazy<typeof import("./networking.ts")>(
    "./networking.ts",
    import.meta.url,
  );
  try {
    return await connectNetworks(paths, record, namespace, own);
  } catch (cause) {
    if (!(cause instanceof DhowError)) throw cause;
    const message = `failed to set up container networking: ${cause.message}`;
    throw new DhowError(cause.code, message, { cause });
  }
}

/**
 * Whether a container gets a control group, or at least an answer why not: one with limits; any where dhow runs in a group
 * that was given to its user, since there it costs next to nothing.
 */
export function mayHaveGroup({ hostConfig }: ContainerRecord): boolean {
  return isLimited(hostConfig) || isInOwnGroup();
}

function isInOwnGroup(): boolean {
  if (!isThere("/sys/fs/cgroup/cgroup.controllers")) return false;
  const path = /^0::(.*)$/m.exec(Deno.readTextFileSync("/proc/self/cgroup"))?.[1] ?? "";
  // What the user's service manager has is for it to divide, and asking it takes longer than a start.
  if (/\/user@\d+\.service\//.test(path)) return false;
  return statIfThere(`/sys/fs/cgroup${path}`)?.uid === Deno.uid();
}

/** Makes its control group, where it has one. */
export async function prepareGroup(
  paths: StorePaths,
  record: ContainerRecord,
): Promise<ReadyGroup | undefined> {
  const groups = await lazy<typeof import("./groups.ts")>("./groups.ts", import.meta.url);
  return groups.prepareGroup(paths, record);
}

/** The container's own user namespace, where it has one. */
export async function makeOwn(namespace: UserNamespace, ids: NestedIds): Promise<Fd> {
  const { makeNestedNamespace } = await lazy<typeof import("./nested_namespace.ts")>(
    "./nested_namespace.ts",
    import.meta.url,
  );
  return makeNestedNamespace(namespace, ids);
}

/** What it learns of containers it is linked to; undefined if there are none. */
export async function resolveLinks(
  paths: StorePaths,
  record: ContainerRecord,
): Promise<Links | undefined> {
  if (!hasLinks(paths, record)) return undefined;
  const links = await lazy<typeof import("./links.ts")>("./links.ts", import.meta.url);
  return links.resolveLinks(paths, record);
}

/** Its own variables come last: they count. */
export function withVariables(record: ContainerRecord, env: readonly string[]): ContainerRecord {
  return { ...record, config: { ...record.config, Env: [...env, ...record.config.Env ?? []] } };
}

/** Makes the program that `--init` puts before the command. */
export async function writeInit(directory: string, { process }: Spec): Promise<void> {
  const { encodeInit } = await lazy<typeof import("../runtime/init_binary.ts")>(
    "../runtime/init_binary.ts",
    import.meta.url,
  );
  const args = process.args[0] === INIT_PATH ? process.args.slice(2) : process.args;
  await Deno.writeFile(`${directory}/init`, encodeInit({ args, env: process.env }), {
    mode: 0o755,
  });
}

/** Whether a container's ids are one. */
export function hasSingleId({ linux }: Pick<Spec, "linux">): boolean {
  const { uidMappings = [] } = linux;
  return uidMappings.length === 1 && uidMappings[0]!.size === 1;
}

/** What containers need where only one id is mapped. */
export async function loadSingleId(): Promise<typeof import("./single_id.ts")> {
  return await lazy<typeof import("./single_id.ts")>("./single_id.ts", import.meta.url);
}
