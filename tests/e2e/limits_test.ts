/**
 * Limits, where there are control groups to be had: a session of systemd's, a delegated directory, or root.
 */
import { assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { CGROUP_ROOT, controllersOf } from "../../core/cgroup/hierarchy.ts";
import { findPlace } from "../../core/cgroup/place.ts";
import { containerTest, eventually, type Sandbox } from "../helpers/sandbox.ts";

const place = findPlace("");
const parent = place?.kind === "directory"
  ? place.parent.replace(/\/dhow$/, "")
  : `${CGROUP_ROOT}/user.slice/user-${Deno.uid()}.slice/user@${Deno.uid()}.service`;
const controllers = place === undefined ? [] : controllersOf(parent);
const lacking = (...names: string[]) => {
  const lacks = names.filter((name) => !controllers.includes(name));
  return { lacks: lacks.length === 0 ? undefined : `no cgroup controller ${lacks.join(", ")}` };
};

async function group(box: Sandbox, name: string): Promise<string> {
  const id = await box.inspect(name, "{{.Id}}");
  return JSON.parse(await Deno.readTextFile(`${box.root}/containers/${id}/cgroup.json`)).path;
}

async function read(box: Sandbox, name: string, file: string): Promise<string> {
  return (await Deno.readTextFile(`${await group(box, name)}/${file}`)).trim();
}

async function start(
  box: Sandbox,
  name: string,
  flags: readonly string[],
  command: readonly string[],
): Promise<void> {
  await box.ok("run", "-d", "--name", name, "--network", "none", ...flags, "busybox", ...command);
}

async function loop(box: Sandbox, name: string, ...flags: string[]): Promise<void> {
  await start(box, name, flags, ["sh", "-c", "while :; do :; done"]);
}

async function sleeper(box: Sandbox, name: string, ...flags: string[]): Promise<void> {
  await start(box, name, flags, ["sleep", "999"]);
}

containerTest("memory: a container is killed at its limit, and said to be", async (box) => {
  const script = "head -c 200m /dev/zero | tail -c 150m | wc -c";
  const flags = ["--name", "big", "--network", "none", "-m", "64m", "--memory-swap", "64m"];
  const { out } = await box.dhow(
    "run",
    ...flags,
    "busybox",
    "sh",
    "-c",
    `${script}; cat /sys/fs/cgroup/memory.peak`,
  );
  const [, peak] = out.split("\n");
  assertEquals(out.startsWith("157286400"), false, out);
  if (peak !== undefined) assertEquals(Number(peak) <= 64 * 1024 * 1024, true, peak);
  assertEquals(await box.inspect("big", "{{.State.OOMKilled}}"), "true");
  const { code } = await box.dhow(
    "run",
    "--rm",
    "--network",
    "none",
    "-m",
    "64m",
    "--memory-swap",
    "64m",
    "busybox",
    "tail",
    "-c",
    "150m",
    "/dev/zero",
  );
  assertEquals(code, 137);
  const events = await box.ok(
    "events",
    "--since",
    "5m",
    "--until",
    "0s",
    "--filter",
    "event=oom",
    "--format",
    "{{.Action}}",
  );
  assertEquals(events, "oom\noom");
}, lacking("memory"));

containerTest("cpu: half a processor is half a processor", async (box) => {
  await loop(box, "half", "--cpus", "0.5");
  const stat = async () => {
    const text = await read(box, "half", "cpu.stat");
    return { used: Number(/usage_usec (\d+)/.exec(text)![1]), at: performance.now() };
  };
  const before = await stat();
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const now = await stat();
  assertAlmostEquals((now.used - before.used) / 1000 / (now.at - before.at), 0.5, 0.05);
  assertEquals(await read(box, "half", "cpu.max"), "50000 100000");
  const percent = await box.ok("stats", "--no-stream", "--format", "{{.CPUPerc}}", "half");
  assertAlmostEquals(parseFloat(percent), 50, 10);
  await box.ok("rm", "-f", "half");
}, lacking("cpu"));

containerTest("pids: a fork bomb stops at the limit", async (box) => {
  const bomb = "bomb() { bomb | bomb & }; bomb; sleep 999";
  await box.ok(
    "run",
    "-d",
    "--name",
    "bomb",
    "--network",
    "none",
    "--pids-limit",
    "20",
    "busybox",
    "sh",
    "-c",
    bomb,
  );
  await new Promise((resolve) => setTimeout(resolve, 2000));
  assertEquals(Number(await read(box, "bomb", "pids.current")) <= 20, true);
  const peak = await read(box, "bomb", "pids.events");
  assertEquals(Number(peak.split(" ")[1]) > 0, true, peak);
  await box.ok("rm", "-f", "bomb");
}, lacking("pids"));

containerTest("update changes the limits of a running container", async (box) => {
  await sleeper(box, "box1", "-m", "64m");
  assertEquals(await read(box, "box1", "memory.max"), String(64 << 20));
  await box.ok(
    "update",
    "-m",
    "96m",
    "--memory-swap",
    "128m",
    "--pids-limit",
    "33",
    "--cpus",
    "0.7",
    "box1",
  );
  assertEquals(await read(box, "box1", "memory.max"), String(96 << 20));
  assertEquals(await read(box, "box1", "memory.swap.max"), String(32 << 20));
  assertEquals(await read(box, "box1", "pids.max"), "33");
  assertEquals(await read(box, "box1", "cpu.max"), "70000 100000");
  assertEquals(
    await box.inspect("box1", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}"),
    "100663296 700000000",
  );
  await box.ok("restart", "-t", "0", "box1");
  assertEquals(await read(box, "box1", "memory.max"), String(96 << 20));
  const { code, err } = await box.dhow("update", "-m", "1m", "box1");
  assertEquals(code, 1);
  assertMatch(err, /Minimum memory limit allowed is 6MB/);
  await box.ok("rm", "-f", "box1");
}, lacking("memory", "pids", "cpu"));

containerTest("execs are in the container's group, and only it is frozen by pause", async (box) => {
  await loop(box, "box1", "--pids-limit", "40");
  assertEquals(await box.ok("exec", "box1", "cat", "/proc/self/cgroup"), "0::/");
  await box.ok("exec", "-d", "box1", "sleep", "777");
  const directory = await group(box, "box1");
  await eventually("both are there", async () => (await read(box, "box1", "pids.current")) === "2");
  await box.ok("pause", "box1");
  assertMatch(await read(box, "box1", "cgroup.events"), /frozen 1/);
  await box.ok("unpause", "box1");
  assertMatch(await read(box, "box1", "cgroup.events"), /frozen 0/);
  await box.ok("rm", "-f", "box1");
  await eventually("the group is gone", () => {
    try {
      Deno.statSync(directory);
      return false;
    } catch {
      return true;
    }
  });
}, lacking("pids"));

containerTest("a limit that the machine does not have is refused by name", async (box) => {
  const { code, err } = await box.dhow(
    "run",
    "--rm",
    "--network",
    "none",
    "-m",
    "64m",
    "busybox",
    "true",
  );
  assertEquals(code, 125);
  assertMatch(err, /Cannot limit the container by --memory: /);
  assertEquals(await box.ok("ps", "-aq"), "");
  // Without a group, the affinity of its processes does what it can.
  const status = ["grep", "Cpus_allowed_list", "/proc/self/status"];
  const { out } = await box.dhow(
    "run",
    "--rm",
    "--network",
    "none",
    "--cpuset-cpus",
    "0",
    "busybox",
    ...status,
  );
  assertMatch(out, /:\s+0$/);
}, { lacks: controllers.includes("memory") ? "this machine has limits" : undefined });

/** The disk that a directory is on, if it is one. */
function diskOf(directory: string): string | undefined {
  const device = BigInt(Deno.statSync(directory).dev);
  const major = device >> 8n & 0xfffn, minor = device & 0xffn | device >> 12n & 0xfff00n;
  try {
    const name = Deno.readLinkSync(`/sys/dev/block/${major}:${minor}`).split("/").at(-1)!;
    return Deno.statSync(`/dev/${name}`).isBlockDevice ? `/dev/${name}` : undefined;
  } catch {
    return undefined;
  }
}

containerTest("io: what is written to a disk is as slow as asked", async (box) => {
  const disk = diskOf(box.root);
  if (disk === undefined) return;
  const limit = ["--device-write-bps", `${disk}:1mb`];
  await sleeper(box, "slow", ...limit);
  assertMatch(await read(box, "slow", "io.max"), /wbps=1048576 /);
  const start = performance.now();
  await box.ok(
    "exec",
    "slow",
    "dd",
    "if=/dev/zero",
    "of=/file",
    "bs=64k",
    "count=64",
    "conv=fsync",
  );
  const seconds = (performance.now() - start) / 1000;
  assertEquals(seconds > 3, true, `4 MiB in ${seconds} s`);
  await box.ok("rm", "-f", "slow");
  const wrong = await box.dhow(
    "run",
    "--rm",
    "--network",
    "none",
    "--device-read-bps",
    "/dev/null:1mb",
    "busybox",
    "true",
  );
  assertEquals(wrong.code, 125);
  assertMatch(wrong.err, /"\/dev\/null": it is no block device/);
}, lacking("io"));
