import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import type { ContainerConfig } from "../spec/docker_api.ts";
import type { ImageRunConfig } from "../spec/image.ts";
import { mergeConfig } from "./merge_config.ts";

const config: ContainerConfig = {
  Hostname: "",
  Domainname: "",
  User: "",
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: [],
  Cmd: null,
  Image: "i",
  Volumes: null,
  WorkingDir: "",
  Entrypoint: null,
  OnBuild: null,
  Labels: {},
};

const image: ImageRunConfig = {
  User: "web",
  Env: ["PATH=/bin", "A=image"],
  Entrypoint: ["/entry"],
  Cmd: ["serve"],
  WorkingDir: "/srv",
  Labels: { a: "image", b: "image" },
  ExposedPorts: { "80/tcp": {} },
  Volumes: { "/data": {} },
  StopSignal: "INT",
  Healthcheck: { Test: ["CMD", "true"], Interval: 5, Retries: 2 },
};

function command(own: Partial<ContainerConfig>): unknown {
  const { Entrypoint, Cmd } = mergeConfig({ ...config, ...own }, image);
  return [Entrypoint, Cmd];
}

Deno.test("mergeConfig() takes over what the user left open", () => {
  const merged = mergeConfig({ ...config, Env: ["A=own"], Labels: { a: "own" } }, image);
  assertEquals(merged.Env, ["A=own", "PATH=/bin"]);
  assertEquals(merged.Labels, { a: "own", b: "image" });
  assertEquals([merged.User, merged.WorkingDir, merged.StopSignal], ["web", "/srv", "INT"]);
  assertEquals([merged.ExposedPorts, merged.Volumes], [{ "80/tcp": {} }, { "/data": {} }]);
});

Deno.test("mergeConfig() drops the image's command for an entrypoint of one's own", () => {
  assertEquals(command({}), [["/entry"], ["serve"]]);
  assertEquals(command({ Cmd: ["x"] }), [["/entry"], ["x"]]);
  assertEquals(command({ Entrypoint: ["/own"] }), [["/own"], null]);
  assertEquals(command({ Entrypoint: [""], Cmd: ["x"] }), [null, ["x"]]);
});

Deno.test("mergeConfig() wants a command", () => {
  assertThrows(() => mergeConfig(config, {}), DhowError, "no command specified");
});

Deno.test("mergeConfig() merges health checks field by field", () => {
  const own = { ...config, Healthcheck: { Interval: 9 } };
  assertEquals(mergeConfig(own, image).Healthcheck, {
    Test: ["CMD", "true"],
    Interval: 9,
    Retries: 2,
  });
});
