import { assertEquals } from "@std/assert";
import type { ContainerConfig, ContainerInspect, HostConfig } from "../spec/docker_api.ts";
import { inspectContainer } from "./inspect.ts";
import type { ContainerRecord } from "./record.ts";
import type { State } from "./state.ts";
import recorded from "../../tests/golden/inspect/docker_28.5.json" with { type: "json" };

function nanoseconds(timestamp: string): bigint {
  if (timestamp.startsWith("0001")) return 0n;
  const [, whole, fraction] = /^(.*)\.(\d+)Z$/.exec(timestamp)!;
  return BigInt(Date.parse(`${whole}Z`)) * 1_000_000n + BigInt(fraction!.padEnd(9, "0"));
}

/** Our record and state of the container docker was asked about. */
function ours(shown: ContainerInspect): [ContainerRecord, State] {
  const { Id, Config, HostConfig, State: state, Image, Mounts } = shown;
  const record = {
    id: Id,
    name: shown.Name.slice(1),
    createdNs: String(nanoseconds(shown.Created)),
    image: { id: Image, reference: Config.Image, os: "linux" },
    config: { ...Config, Env: Config.Env ?? [] } satisfies ContainerConfig,
    hostConfig: HostConfig satisfies HostConfig,
    mounts: Mounts.filter((point) => point.Type !== "tmpfs"),
  } as unknown as ContainerRecord;
  return [record, {
    status: state.Status,
    pid: state.Pid,
    monitorPid: 0,
    exitCode: state.ExitCode,
    error: state.Error,
    startedAt: nanoseconds(state.StartedAt),
    finishedAt: nanoseconds(state.FinishedAt),
    oomKilled: state.OOMKilled,
    restartCount: shown.RestartCount,
    ...state.Health && { health: state.Health },
    stored: {},
  }];
}

/** Where things are, and what only a network knows, is not docker's to tell us. */
function comparable(shown: ContainerInspect): unknown {
  const { Ports, Networks } = shown.NetworkSettings;
  return {
    ...shown,
    ResolvConfPath: "",
    HostnamePath: "",
    HostsPath: "",
    LogPath: "",
    GraphDriver: { ...shown.GraphDriver, Data: Object.keys(shown.GraphDriver.Data!) },
    NetworkSettings: { keys: Object.keys(shown.NetworkSettings), Ports, Networks },
    Mounts: shown.Mounts.toSorted((a, b) => a.Destination < b.Destination ? -1 : 1),
  };
}

for (const [label, value] of Object.entries(recorded)) {
  Deno.test(`inspectContainer() shows what docker shows: ${label}`, () => {
    const shown = value as unknown as ContainerInspect;
    const [record, state] = ours(shown);
    const networks = shown.NetworkSettings.Networks;
    const inspect = inspectContainer(record, state, { directory: "/d", networks });
    assertEquals(
      JSON.stringify(comparable(inspect), null, 1),
      JSON.stringify(comparable(shown), null, 1),
    );
  });
}
