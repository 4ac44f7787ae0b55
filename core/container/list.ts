/**
 * `docker ps`: a row of the list from a container's record and state.
 *
 * @module
 */
import type { ContainerSummary, EndpointSettings } from "../spec/docker_api.ts";
import type { ContainerRecord } from "./record.ts";
import type { State } from "./state.ts";
import { statusText } from "./status.ts";

/** What a row shows beside record and state. */
export interface SummaryOptions {
  /** Its endpoints, by the name of the network. */
  networks?: Record<string, EndpointSettings>;
  /** Exposed and published ports. */
  ports?: ContainerSummary["Ports"];
  /** Unix nanoseconds. @default this moment */
  now?: bigint;
}

/** One row of the list. */
export function summarize(
  record: ContainerRecord,
  state: State,
  options: SummaryOptions = {},
): ContainerSummary {
  const { config, hostConfig } = record;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: record.image.reference,
    ImageID: record.image.id,
    Command: commandText([...config.Entrypoint ?? [], ...config.Cmd ?? []]),
    Created: Number(BigInt(record.createdNs) / 1_000_000_000n),
    Ports: options.ports ?? [],
    Labels: config.Labels,
    State: state.status,
    Status: statusText(state, options.now),
    HostConfig: {
      NetworkMode: hostConfig.NetworkMode,
      ...hostConfig.Annotations ? { Annotations: hostConfig.Annotations } : {},
    },
    NetworkSettings: { Networks: options.networks ?? {} },
    Mounts: record.mounts,
  };
}

/** Arguments with spaces are quoted, others are not, as docker has it. */
function commandText([path = "", ...args]: string[]): string {
  return [path, ...args.map((arg) => arg.includes(" ") ? `'${arg}'` : arg)].join(" ");
}
