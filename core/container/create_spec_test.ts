import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import type { ContainerConfig, HostConfig, MountPoint } from "../spec/docker_api.ts";
import type { Spec } from "../spec/runtime.ts";
import { buildSpec, type SpecEnvironment } from "./create_spec.ts";
import recorded from "../../tests/golden/spec/docker_28.5.json" with { type: "json" };

const environment: SpecEnvironment = {
  rootfs: "/rootfs",
  files: {
    hosts: "/files/hosts",
    hostname: "/files/hostname",
    resolvConf: "/files/resolv.conf",
  },
  isDirectory: (path) => !path.startsWith("/files/"),
  exists: () => true,
  readFile: () => undefined,
  namespaceOf: (_container, type) => `/proc/6868/ns/${type}`,
  resolveDevice: ({ PathOnHost, PathInContainer }) => [
    { type: "c", path: PathInContainer, source: PathOnHost },
  ],
  listHostDevices: () => [{ type: "c", path: "/dev/kvm", major: 10, minor: 232 }],
};

const emptyConfig = { Env: null, Domainname: "", WorkingDir: "", Tty: false } as unknown;

function specOf(
  config: unknown,
  hostConfig: unknown = {},
  more: Partial<SpecEnvironment> = {},
  mounts: MountPoint[] = [],
): Spec {
  return buildSpec(
    {
      config: { ...emptyConfig as ContainerConfig, ...config as ContainerConfig },
      hostConfig: { ...recorded.hostConfig as unknown as HostConfig, ...hostConfig as HostConfig },
      mounts,
    },
    { ...environment, ...more },
  );
}

/** Ours, brought to the recording's form: without what a rootless launcher does its own way. */
function normalize(spec: Spec): unknown {
  const { linux, process, ...rest } = structuredClone(spec);
  delete linux.devices;
  return {
    ...rest,
    process: {
      ...process,
      env: process.env.filter((variable) => !variable.startsWith("HOME=")),
      capabilities: process.capabilities!.bounding!.join(" "),
    },
    mounts: spec.mounts.map(({ isAsked: _ours, ...mount }) => ({
      ...mount,
      type: mount.type === "bind-file" ? "bind" : mount.type,
      options: mount.options!.join(" "),
    })),
    linux,
  };
}

/** The recording, with what dhow does on purpose in another way. */
// deno-lint-ignore no-explicit-any
function adapt(label: string, spec: any): unknown {
  const expected = structuredClone(spec);
  delete expected.linux.rootfsPropagation;
  if (label.startsWith("--pid host")) {
    // The launcher binds /proc where it must, and keeps its read-only paths.
    Object.assign(expected.mounts[0], { type: "proc", source: "proc" });
    expected.mounts[0].options = expected.mounts[0].options.replace("rbind ", "");
    expected.linux.readonlyPaths = recorded.hostConfig.ReadonlyPaths;
    Object.assign(expected.mounts[4], { type: "bind", source: "/sys/fs/cgroup" });
    expected.mounts[4].options = "rbind rro nosuid noexec nodev";
  }
  if (label.startsWith("--ipc none")) {
    // Links are for networks to bring.
    expected.process.env = expected.process.env.filter((name: string) => !name.startsWith("AL_"));
  }
  for (const mount of expected.mounts) {
    if (mount.destination !== "/dev/shm" || mount.type !== "bind") continue;
    // Docker mounts a shared one on the host and binds it; ours is its first owner's.
    Object.assign(
      mount,
      label.includes("--ipc container")
        ? { type: "shared-mount", source: "/proc/6868/ns/mnt", options: "" }
        : {
          type: "tmpfs",
          source: "shm",
          options: "nosuid noexec nodev mode=1777 size=67108864",
        },
    );
  }
  return expected;
}

for (const [label, { config, hostConfig, mounts, spec }] of Object.entries(recorded.containers)) {
  Deno.test(`buildSpec() gives what docker hands its runtime: ${label}`, () => {
    const more: Partial<SpecEnvironment> = {
      ...label.includes("many") ? { initPath: "/usr/bin/docker-init" } : {},
      ...label.includes("--ipc container") ? { shmOf: "/proc/6868/ns/mnt" } : {},
    };
    const built = specOf(config, hostConfig, more, mounts as MountPoint[]);
    assertEquals(normalize(built), adapt(label, spec));
  });
}

Deno.test("buildSpec() sets HOME from passwd unless the user did", () => {
  const readFile = (path: string) => path === "/etc/passwd" ? "web:x:7:8::/srv/web:/bin/sh" : "";
  const env = (config: unknown) => specOf(config, {}, { readFile }).process.env;
  assertEquals(env({ Cmd: ["a"], User: "web", Hostname: "h" }).at(-1), "HOME=/srv/web");
  assertEquals(env({ Cmd: ["a"], User: "7", Hostname: "h", Env: ["HOME=/x"] }), [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOSTNAME=h",
    "HOME=/x",
  ]);
});

Deno.test("buildSpec() replaces standard variables in place and takes bare names away", () => {
  const config = { Cmd: ["a"], User: "", Hostname: "h", Tty: true, Env: ["PATH=/x", "TERM", "A="] };
  assertEquals(specOf(config).process.env, ["PATH=/x", "HOSTNAME=h", "A=", "HOME=/"]);
});

Deno.test("buildSpec() lets mounts of the user replace standard ones", () => {
  const point: MountPoint = {
    Type: "bind",
    Source: "/x",
    Destination: "/dev",
    Mode: "",
    RW: true,
    Propagation: "rshared",
  };
  const spec = specOf({ Cmd: ["a"], User: "", Hostname: "h" }, {}, {}, [
    point,
    { ...point, Destination: "/etc/hosts" },
  ]);
  const paths = spec.mounts.map((mount) => mount.destination);
  assertEquals(paths, [
    "/proc",
    "/sys",
    "/sys/fs/cgroup",
    "/dev",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/hostname",
  ]);
  assertEquals(spec.linux.rootfsPropagation, "shared");
});

Deno.test("buildSpec() binds the default devices and those asked for", () => {
  const config = { Cmd: ["a"], User: "", Hostname: "h" };
  const paths = (hostConfig: unknown) =>
    specOf(config, hostConfig).linux.devices!.map((device) => device.path);
  const standard = ["null", "random", "full", "tty", "zero", "urandom"].map((name) =>
    `/dev/${name}`
  );
  assertEquals(paths({}), standard);
  const Devices = [{ PathOnHost: "/dev/a", PathInContainer: "/dev/b", CgroupPermissions: "r" }];
  assertEquals(paths({ Devices }), [...standard, "/dev/b"]);
  assertEquals(paths({ Devices, Privileged: true }), [...standard, "/dev/kvm", "/dev/b"]);
});

Deno.test("buildSpec() refuses in docker's words", () => {
  const config = { Cmd: ["a"], User: "", Hostname: "h" };
  const cases: [unknown, string][] = [
    [{ Sysctls: { "net.a": "1" }, NetworkMode: "host" }, 'sysctl "net.a" not allowed in host'],
    [{ IpcMode: "foo" }, "invalid IPC mode: foo"],
    [{ Tmpfs: { "/a": "foo" } }, 'invalid tmpfs option "foo"'],
    [{ CapAdd: ["FOO"] }, 'invalid CapAdd: unknown capability: "CAP_FOO"'],
    [{ SecurityOpt: ["foo=bar"] }, 'invalid --security-opt 2: "foo=bar"'],
  ];
  for (const [hostConfig, message] of cases) {
    assertThrows(() => specOf(config, hostConfig), DhowError, message);
  }
});
