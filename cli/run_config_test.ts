import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../core/errors.ts";
import { parseFlags } from "./flags.ts";
import { buildCreateRequest } from "./run_config.ts";
import { createFlags } from "./run_flags.ts";

function build(...argv: string[]) {
  const { flags, given, args } = parseFlags(createFlags, argv, { interspersed: false });
  return buildCreateRequest({ flags, given: (flag) => given.has(flag), args });
}

Deno.test("buildCreateRequest() leaves out what was not asked for", () => {
  const { config, hostConfig, name, platform } = build("busybox");
  assertEquals([name, platform], [undefined, undefined]);
  assertEquals([config.Image, config.Cmd, config.Entrypoint], ["busybox", null, null]);
  assertEquals([config.AttachStdin, config.AttachStdout, config.AttachStderr], [false, true, true]);
  assertEquals([hostConfig.Binds, hostConfig.NetworkMode], [null, "default"]);
  assertEquals("Healthcheck" in config || "Init" in hostConfig || "Mounts" in hostConfig, false);
});

Deno.test("buildCreateRequest() sorts flags into config and host config", () => {
  const { config, hostConfig } = build(
    ..."-it -e A=b -l z -l a=b -v /anon -v vol:/v:ro -v ./x:/x --tmpfs /t:size=1m --expose 80-81/udp"
      .split(" "),
    ..."--health-interval 5s --restart on-failure:3 --device /dev/null:/dev/nul:r --ulimit nofile=1:2"
      .split(" "),
    ..."--security-opt systempaths=unconfined --pid private --stop-timeout 0 busybox sh -c -x"
      .split(" "),
  );
  assertEquals(config.Cmd, ["sh", "-c", "-x"]);
  assertEquals([config.Tty, config.OpenStdin, config.StdinOnce], [true, true, true]);
  assertEquals(config.Labels, { a: "b", z: "" });
  assertEquals(config.Volumes, { "/anon": {} });
  assertEquals(config.ExposedPorts, { "80/udp": {}, "81/udp": {} });
  assertEquals(config.Healthcheck, { Interval: 5e9 });
  assertEquals(config.StopTimeout, 0);
  assertEquals(hostConfig.Binds, ["vol:/v:ro", `${Deno.cwd()}/x:/x`]);
  assertEquals(hostConfig.Tmpfs, { "/t": "size=1m" });
  assertEquals(hostConfig.RestartPolicy, { Name: "on-failure", MaximumRetryCount: 3 });
  assertEquals(hostConfig.Ulimits, [{ Name: "nofile", Hard: 2, Soft: 1 }]);
  assertEquals([hostConfig.MaskedPaths, hostConfig.ReadonlyPaths], [[], []]);
});

Deno.test("buildCreateRequest() says what is still to come", () => {
  for (const flag of ["--gpus=all", "--storage-opt=size=1g"]) {
    const error = assertThrows(() => build(flag, "busybox"), DhowError, "is not supported yet");
    assertEquals(error.code, "unsupported");
  }
});

Deno.test("buildCreateRequest() reads limits as docker's client does", () => {
  const flags = ["-m", "64m", "--cpus", "1.5", "--pids-limit", "-1", "--device-read-bps"];
  const { hostConfig } = build(...flags, "/dev/sda:2mb", "busybox");
  assertEquals(hostConfig.Memory, 64 << 20);
  assertEquals(hostConfig.NanoCpus, 1_500_000_000);
  assertEquals(hostConfig.PidsLimit, -1);
  assertEquals(hostConfig.BlkioDeviceReadBps, [{ Path: "/dev/sda", Rate: 2 << 20 }]);
  const wrong: [string, string][] = [
    ["--cpus=0.0000000001", "value is too precise"],
    ["--device-read-bps=/dev/sda", "bad format: /dev/sda"],
    ["--device-read-iops=/dev/sda:1mb", "invalid rate for device: /dev/sda:1mb"],
    ["--blkio-weight-device=/dev/sda:5", "invalid weight for device: /dev/sda:5"],
    ["--device-cgroup-rule=x", "invalid device cgroup format 'x'"],
    ["--cpu-rt-period=100", "no real-time scheduling"],
  ];
  for (const [flag, message] of wrong) {
    assertThrows(() => build(flag, "busybox"), DhowError, message);
  }
});

Deno.test("buildCreateRequest() hides what is asked for, and no more", () => {
  const paths = (...options: string[]) => {
    const flags = options.flatMap((option) => ["--security-opt", option]);
    const { MaskedPaths, ReadonlyPaths, SecurityOpt } = build(...flags, "busybox").hostConfig;
    return [MaskedPaths?.length, ReadonlyPaths?.length, SecurityOpt];
  };
  assertEquals(paths(), [undefined, undefined, null]);
  assertEquals(paths("systempaths=unconfined"), [0, 0, null]);
  assertEquals(paths("unmask=ALL", "mask=/a:/b"), [2, 0, null]);
  assertEquals(paths("unmask=/proc/keys:/proc/sys", "no-new-privileges"), [
    11,
    4,
    ["no-new-privileges"],
  ]);
  assertEquals(paths("unmask=/proc/*"), [2, 0, null]);
  assertThrows(() => paths("mask=a"), DhowError, "is no absolute path");
});
