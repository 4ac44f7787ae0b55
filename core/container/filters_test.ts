import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { filterContainers, type FilterOptions, type ListedContainer } from "./filters.ts";
import { summarize } from "./list.ts";
import type { EndpointSettings } from "../spec/docker_api.ts";
import type { ContainerRecord } from "./record.ts";
import type { State } from "./state.ts";
import { statusText } from "./status.ts";

const SECOND = 1_000_000_000n;
const NOW = 10_000n * SECOND;

let created = 0n;

function container(
  name: string,
  state: Partial<State>,
  // deno-lint-ignore no-explicit-any
  record: any = {},
): ListedContainer {
  created += SECOND;
  const network = record.hostConfig?.NetworkMode ?? "none";
  const id = (name.charCodeAt(0).toString(16) + "0".repeat(64)).slice(0, 64);
  return {
    record: {
      id,
      name,
      createdNs: String(created),
      image: { id: "sha256:1", reference: "busybox" },
      mounts: [],
      ...record,
      config: { Labels: {}, Cmd: ["sleep", "1 2"], ...record.config },
      hostConfig: { NetworkMode: "none", ...record.hostConfig },
    } as unknown as ContainerRecord,
    state: {
      status: "exited",
      startedAt: NOW - 100n * SECOND,
      finishedAt: NOW - 5n * SECOND,
      exitCode: 0,
      restartCount: 0,
      ...state,
    } as State,
    networks: () => ({ [network]: { NetworkID: "f00" } as EndpointSettings }),
  };
}

const health = (Status: "healthy" | "unhealthy" | "starting") => ({
  health: { Status, FailingStreak: 0, Log: [] },
});

const containers = [
  container("alpha", { status: "running", ...health("healthy") }, {
    config: { Labels: { "com.x": "1" }, ExposedPorts: { "5001/tcp": {} } },
    hostConfig: { PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "9000" }] } },
  }),
  container("beta", { exitCode: 3 }, {
    mounts: [{ Type: "volume", Name: "vv", Source: "/s", Destination: "/vol" }],
  }),
  container("cat", { status: "created", startedAt: 0n }),
  container("dog", { status: "paused" }, { hostConfig: { NetworkMode: "host" } }),
  container("eel", { status: "restarting", exitCode: 1 }),
];

function names(filters: Record<string, string[]>, options: FilterOptions = { all: true }): string {
  return filterContainers(containers, { ...options, filters })
    .map(({ record }) => record.name).join(" ");
}

Deno.test("filterContainers() lists running ones, newest first", () => {
  assertEquals(names({}, {}), "eel dog alpha");
  assertEquals(names({}), "eel dog cat beta alpha");
  assertEquals(names({}, { last: 3 }), "eel dog cat");
  assertEquals(names({ status: ["exited", "created"] }, {}), "cat beta");
});

Deno.test("filterContainers() knows docker's filters", () => {
  const cases: [Record<string, string[]>, string][] = [
    [{ name: ["^a"] }, "alpha"],
    [{ name: ["^/be"] }, "beta"],
    [{ name: ["a"] }, "cat beta alpha"],
    [{ id: ["62"] }, "beta"],
    [{ label: ["com.x"] }, "alpha"],
    [{ label: ["com.x=2"] }, ""],
    [{ exited: ["3"] }, "beta"],
    [{ health: ["healthy"] }, "alpha"],
    [{ health: ["none"], status: ["created"] }, "cat"],
    [{ publish: ["9000"] }, "alpha"],
    [{ publish: ["8999-9001/tcp"] }, "alpha"],
    [{ expose: ["5001"] }, "alpha"],
    [{ expose: ["80/udp"] }, ""],
    [{ volume: ["vv"] }, "beta"],
    [{ volume: ["/vol"] }, "beta"],
    [{ network: ["host"] }, "dog"],
    [{ network: ["f0", "host"] }, "eel dog cat beta alpha"],
    [{ network: ["f1"] }, ""],
    [{ before: ["cat"] }, "beta alpha"],
    [{ since: ["cat"] }, "eel dog"],
    [{ before: ["dog"], since: ["alpha"] }, "cat beta"],
    [{ "is-task": ["true"] }, ""],
    [{ "is-task": ["false"], name: ["eel"] }, "eel"],
    [{ ancestor: ["nope"] }, ""],
    [{ isolation: ["foo"], name: ["cat"] }, "cat"],
  ];
  for (const [filters, expected] of cases) {
    assertEquals(names(filters), expected, JSON.stringify(filters));
  }
  const ancestorIds = (name: string) => name === "busybox" ? ["sha256:1"] : [];
  assertEquals(names({ ancestor: ["busybox"] }, { ancestorIds }), "eel dog alpha");
});

Deno.test("filterContainers() refuses in docker's words", () => {
  const cases: [Record<string, string[]>, string][] = [
    [{ foo: ["bar"] }, "invalid filter 'foo'"],
    [
      { status: ["foo"] },
      "invalid filter 'status=foo': invalid value for state (foo): must be one of created, running, paused, restarting, removing, exited, dead",
    ],
    [{ exited: ["x"] }, `invalid filter 'exited=x': strconv.Atoi: parsing "x": invalid syntax`],
    [
      { health: ["foo"] },
      "invalid filter 'health=foo': invalid value for health (foo): must be one of none, starting, healthy, unhealthy",
    ],
    [{ "is-task": ["x"] }, "invalid filter 'is-task=[x]'"],
    [
      { publish: ["x/y"] },
      `error while looking up for publish x/y: strconv.ParseUint: parsing "x": invalid syntax`,
    ],
    [{ before: ["nope"] }, "No such container: nope"],
  ];
  for (const [filters, message] of cases) {
    const error = assertThrows(() => names(filters), DhowError);
    assertEquals(error.message, message);
  }
});

Deno.test("statusText() speaks docker's words", () => {
  const texts = containers.map(({ state }) => statusText(state, NOW));
  assertEquals(texts, [
    "Up About a minute (healthy)",
    "Exited (3) 5 seconds ago",
    "Created",
    "Up About a minute (Paused)",
    "Restarting (1) 5 seconds ago",
  ]);
  const up = { ...containers[0]!.state, startedAt: NOW - SECOND / 2n, ...health("starting") };
  assertEquals(statusText(up, NOW), "Up Less than a second (health: starting)");
});

Deno.test("summarize() makes a row as docker does", () => {
  const { record, state, networks } = containers[0]!;
  const row = summarize(record, state, { networks: networks!(), now: NOW });
  assertEquals(row.Command, "sleep '1 2'");
  assertEquals([row.Names, row.State, row.Created], [["/alpha"], "running", 1]);
  assertEquals(Object.keys(row.NetworkSettings.Networks), ["none"]);
});
