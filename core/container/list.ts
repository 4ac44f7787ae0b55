/**
 * `docker ps`: a row of the list from a container's record and state.
 *
 * @module
 */
import type { ContainerSummary, EndpointSettings } from "../spec/docker_api.ts";
import type { ContainerRecord } from "./record.ts";
import type { State } from "./state.ts";
import { statusText } from "./status.ts";

/** One row of the list. @param now Unix nanoseconds. @default now This moment. */
export function summarize(
  record: ContainerRecord,
  state: State,
  now?: bigint,
): ContainerSummary {
  const { config, hostConfig } = record;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: record.image.reference,
    ImageID: record.image.id,
    Command: commandText([...config.Entrypoint ?? [], ...config.Cmd ?? []]),
    Created: Number(BigInt(record.createdNs) / 1_000_000_000n),
    Ports: [],
    Labels: config.Labels,
    State: state.status,
    Status: statusText(state, now),
    HostConfig: {
      NetworkMode: hostConfig.NetworkMode,
      ...hostConfig.Annotations ? { Annotations: hostConfig.Annotations } : {},
    },
    NetworkSettings: { Networks: endpointSettings(record) },
    Mounts: record.mounts,
  };
}

/** Arguments with spaces are quoted, others are not, as docker has it. */
function commandText([path = "", ...args]: string[]): string {
  return [path, ...args.map((arg) => arg.includes(" ") ? `'${arg}'` : arg)].join(" ");
}

const EMPTY_ENDPOINT: EndpointSettings = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: "",
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: "",
  EndpointID: "",
  Gateway: "",
  IPAddress: "",
  IPPrefixLen: 0,
  IPv6Gateway: "",
  GlobalIPv6Address: "",
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
};

/** A container's endpoints, by the name of the network; none if it lives in another container's. */
export function endpointSettings(record: ContainerRecord): Record<string, EndpointSettings> {
  const mode = record.hostConfig.NetworkMode;
  if (mode.startsWith("container:")) return {};
  const endpoints = record.endpoints ?? { [mode === "default" || !mode ? "bridge" : mode]: {} };
  return Object.fromEntries(
    Object.entries(endpoints).map(([name, settings]) => [name, { ...EMPTY_ENDPOINT, ...settings }]),
  );
}
