import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import type { ContainerConfig, HostConfig } from "../spec/docker_api.ts";
import { assertSettings, completeHostConfig } from "./host_config.ts";
import recorded from "../../tests/golden/spec/docker_28.5.json" with { type: "json" };

const shown = recorded.hostConfig as unknown as HostConfig;
const bare: HostConfig = {
  ...shown,
  NetworkMode: "default",
  LogConfig: { Type: "", Config: {} },
  RestartPolicy: { Name: "", MaximumRetryCount: 0 },
  IpcMode: "",
  CgroupnsMode: "",
  ShmSize: 0,
  Runtime: "",
  MaskedPaths: null,
  ReadonlyPaths: null,
};

Deno.test("completeHostConfig() fills in what docker shows", () => {
  assertEquals(completeHostConfig(bare), shown);
});

Deno.test("completeHostConfig() normalizes capabilities and opens privileged containers", () => {
  const complete = completeHostConfig({ ...bare, CapAdd: ["sys_admin"], Privileged: true });
  assertEquals(complete.CapAdd, ["CAP_SYS_ADMIN"]);
  assertEquals([complete.MaskedPaths, complete.SecurityOpt], [null, ["label=disable"]]);
  assertEquals(completeHostConfig({ ...bare, MaskedPaths: [] }).MaskedPaths, []);
});

Deno.test("assertSettings() refuses in docker's words", () => {
  const cases: [Partial<ContainerConfig>, Partial<HostConfig>, string][] = [
    [{ WorkingDir: "a" }, {}, "the working directory 'a' is invalid, it needs to be an absolute"],
    [{ Hostname: "h" }, { UTSMode: "host" }, "conflicting options: hostname and the UTS mode"],
    [
      { Hostname: "h" },
      { NetworkMode: "container:a" },
      "conflicting options: hostname and the net",
    ],
    [{}, { OomScoreAdj: 2000 }, "Invalid value 2000, range for oom score adj is [-1000, 1000]"],
    [{}, { IpcMode: "foo" }, "invalid IPC mode: foo"],
    [{}, { CapDrop: ["foo"] }, 'invalid CapDrop: unknown capability: "CAP_FOO"'],
    [{}, { SecurityOpt: ["a=b"] }, 'invalid --security-opt 2: "a=b"'],
    [{ Healthcheck: { Interval: 1000 } }, {}, "Interval in Healthcheck cannot be less than 1ms"],
    [{ Healthcheck: { Retries: -1 } }, {}, "Retries in Healthcheck cannot be negative"],
    [
      {},
      { AutoRemove: true, RestartPolicy: { Name: "always", MaximumRetryCount: 0 } },
      "can't create 'AutoRemove' container with restart policy",
    ],
  ];
  const config = { WorkingDir: "", Hostname: "" } as ContainerConfig;
  assertSettings(config, bare);
  for (const [more, host, message] of cases) {
    const refused = () => assertSettings({ ...config, ...more }, { ...bare, ...host });
    assertThrows(refused, DhowError, message);
  }
});
