// The module as scripts see it: what it exports, and containers from TypeScript.
import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import {
  CommandError,
  type Container,
  DhowError,
  engine,
  images,
  pull,
  push,
  run,
  type RunOptions,
  type TransferProgress,
} from "dhow";
import { collect } from "../core/script/command.ts";
import { createRequest } from "../core/script/create_request.ts";
import { startFaultyRegistry } from "./helpers/faulty_registry.ts";
import { stalling } from "./helpers/layers.ts";
import { containerTest, eventually, type Sandbox } from "./helpers/sandbox.ts";
import { archive, member, streamOf } from "./helpers/tar.ts";

const EXPORTS = {
  values: [
    "Command",
    "CommandError",
    "Container",
    "DhowError",
    "ImageBuilder",
    "engine",
    "image",
    "images",
    "pull",
    "push",
    "run",
  ],
  types: [
    ...["AttachOptions", "AttachedStream", "CallOptions", "CommandResult", "CommitOptions"],
    ...["ContainerArchive", "ContainerChange", "ContainerConfig", "ContainerCreate"],
    ...["ContainerInspect", "ContainerOptions", "ContainerState", "ContainerStatus"],
    ...["ContainerSummary", "Containers", "DeviceMapping", "DiskUsage", "EndpointConfig"],
    ...["EndpointResource", "EndpointSettings", "IPAM", "IPAMConfig", "NetworkCreate"],
    ...["NetworkInspect", "Networks", "VolumeCreate", "VolumeInspect", "Volumes"],
    ...["Engine", "ErrorCode", "EventMessage", "ExecConfig", "Health", "HealthResult"],
    ...["Healthcheck", "HostConfig", "ImageHistoryItem", "ImageInspect", "ImageSummary", "Images"],
    ...["ImagesOptions", "LayerProgress", "ListContainersOptions", "LocalEngine"],
    ...["LocalEngineOptions", "LogRecord", "LogsOptions", "MountPoint", "MountSpec"],
    ...["NetworkSettings", "OutputChunk", "PathStat", "ProgressListener", "PruneReport"],
    ...["PulledImage", "PushedImage", "RunOptions", "SaveOptions", "StorePaths", "System"],
    ...["SystemPruneOptions", "SystemPruneReport", "ThrottleDevice", "TransferMessage"],
    ...["TransferOptions", "TransferProgress", "TransferScriptOptions", "TransferStatus", "Ulimit"],
    ...["ContainerStats", "CpuStats", "HostCheck", "NetworkStats", "UsageTotal", "VolumeUsage"],
    ...["AddInstruction", "AddOptions", "ArgInstruction", "BuildContext", "BuildEvent"],
    ...["BuildListener", "BuildOptions", "BuildRequest", "BuildResult"],
    ...["BuildScriptOptions", "BuildSecret", "BuildSsh", "BuildWarning", "Builder"],
    ...[
      "BuiltImage",
      "CacheRecord",
      "CacheTarget",
      "CmdInstruction",
      "CommandLine",
      "CommandWords",
    ],
    ...["CopyInstruction", "CopyOptions", "Digest", "Directives", "Dockerfile"],
    ...["EntrypointInstruction", "EnvInstruction", "ExposeInstruction"],
    ...["HealthcheckInstruction", "HealthcheckOptions", "Heredoc", "Instruction"],
    ...["InstructionBase", "KeyValue", "LabelInstruction", "MaintainerInstruction"],
    ...["NamedContext", "OnBuildInstruction", "PruneCacheOptions", "RunInstruction"],
    ...["RunInstructionOptions", "RunMount", "RunMountOptions", "SecretSource"],
    ...["ShellInstruction", "SourceRange", "Stage", "StageSource"],
    ...["StopSignalInstruction", "TransferBase", "TransferInstructionOptions"],
    ...["UserInstruction", "VolumeInstruction", "WorkdirInstruction"],
  ],
};

Deno.test("mod.ts exports what it is known to export", async () => {
  assertEquals(Object.keys(await import("dhow")).sort(), EXPORTS.values);
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", new URL("../mod.ts", import.meta.url).href],
  }).output();
  assertEquals(code, 0);
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout));
  const [{ symbols }] = Object.values(nodes) as [{ symbols: { name: string }[] }];
  const names = symbols.map(({ name }) => name);
  assertEquals(names.sort(), [...EXPORTS.values, ...EXPORTS.types].sort());
});

/** A script's `run("busybox")` in the sandbox's store. */
async function runIn(box: Sandbox, options: RunOptions = {}): Promise<Container> {
  return await run("busybox", { engine: await engine({ root: box.root }), ...options });
}

async function assertNothingRuns(box: Sandbox): Promise<void> {
  assertEquals(await box.ok("ps", "-aq"), "");
  await eventually("processes have gone", () => box.processes().length === 0, 3000);
}

const SLEEP = { cmd: ["sleep", "600"] };

containerTest("run() gives a container that ends with its block", async (box) => {
  {
    await using web = await runIn(box, { ...SLEEP, name: "web", labels: { a: "b" } });
    const { Name, State, Config } = await web.inspect();
    assertEquals([Name, State.Status, Config.Labels.a], ["/web", "running", "b"]);
    assertEquals(await box.ok("ps", "--no-trunc", "--format", "{{.ID}}"), web.id);
  }
  await assertNothingRuns(box);
});

containerTest("run() keeps what it is told to keep", async (box) => {
  const controller = new AbortController();
  {
    await using _kept = await runIn(box, {
      ...SLEEP,
      name: "kept",
      keep: true,
      signal: controller.signal,
    });
  }
  controller.abort();
  assertEquals(await box.inspect("kept", "{{.State.Status}}"), "running");
});

containerTest("exec() answers text, JSON, lines and bytes", async (box) => {
  await using web = await runIn(box, { ...SLEEP, hostname: "harbour" });
  assertEquals(await web.exec(["hostname"]).text(), "harbour");
  assertEquals(await web.exec(["printf", "a\\nb\\n"]).lines(), ["a", "b"]);
  assertEquals(await web.exec(["true"]).lines(), []);
  assertEquals(await web.exec(["echo", '{"n":[1]}']).json(), { n: [1] });
  const { exitCode, stdout, stderr } = await web.exec(["sh", "-c", "echo o; echo e >&2"]);
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals([exitCode, decode(stdout), decode(stderr)], [0, "o\n", "e\n"]);
});

containerTest("exec() takes stdin, env, user and cwd, each in a copy", async (box) => {
  await using web = await runIn(box, { ...SLEEP, env: { A: "1" } });
  assertEquals(await web.exec(["cat"]).stdin("sea").text(), "sea");
  const bytes = new Uint8Array(3_000_000).fill(120);
  assertEquals((await web.exec(["cat"]).stdin(bytes)).stdout.length, bytes.length);
  assertEquals(await web.exec(["true"]).stdin(bytes).text(), "");
  const plain = web.exec(["sh", "-c", 'echo "$A$B $(id -u) $(pwd)"']);
  const changed = plain.env({ A: "2" }).env({ B: "3" }).user("daemon").cwd("/tmp");
  assertEquals(await changed.text(), "23 1 /tmp");
  assertEquals(await plain.text(), "1 0 /");
});

containerTest("exec() throws a CommandError, or not if told so", async (box) => {
  await using web = await runIn(box, SLEEP);
  const failing = web.exec(["sh", "-c", "echo half; echo why >&2; exit 3"]);
  const error = await assertRejects(async () => await failing, CommandError, "ended with 3: why");
  assertEquals(error.exitCode, 3);
  assertEquals(new TextDecoder().decode(error.result.stdout), "half\n");
  assertEquals((await failing.noThrow()).exitCode, 3);
  assertEquals(await failing.noThrow().text(), "half");
  assertEquals((await web.exec(["sh", "-c", "kill -9 $$"]).noThrow()).exitCode, 137);
});

containerTest("errors are typed and leave nothing", async (box) => {
  const codeOf = async (work: () => PromiseLike<unknown>) => {
    const error = await assertRejects(async () => await work());
    assertInstanceOf(error, DhowError);
    return error.code;
  };
  const here = await engine({ root: box.root });
  assertEquals(await codeOf(() => run("nowhere/to:find", { engine: here })), "not_found");
  assertEquals(await codeOf(() => run("UPPER", { engine: here })), "invalid_argument");
  assertEquals(await codeOf(() => runIn(box, { cmd: ["/no/such"] })), "command_not_found");
  assertEquals(await codeOf(() => runIn(box, { cmd: ["/etc/passwd"] })), "command_not_executable");
  await assertNothingRuns(box);
  const web = await runIn(box, { ...SLEEP, name: "one" });
  assertEquals(await codeOf(() => runIn(box, { ...SLEEP, name: "one" })), "conflict");
  assertEquals(await codeOf(() => web.exec(["/no/such"])), "command_not_found");
  await web.stop({ timeoutSeconds: 0 });
  assertEquals(await codeOf(() => web.exec(["true"])), "conflict");
  await web.remove();
  await web.remove();
  assertEquals(await codeOf(() => web.inspect()), "not_found");
});

containerTest("wait() and text() answer when it has ended", async (box) => {
  await using good = await runIn(box, { cmd: ["sh", "-c", "sleep 0.2; echo done"] });
  assertEquals(await good.text(), "done");
  assertEquals(await good.wait(), 0);
  await using bad = await runIn(box, { cmd: ["sh", "-c", "echo no >&2; exit 4"] });
  assertEquals(await bad.wait(), 4);
  const error = await assertRejects(() => bad.text(), CommandError, 'exit 4"] ended with 4: no');
  assertEquals(error.exitCode, 4);
  await using killed = await runIn(box, SLEEP);
  await killed.kill();
  assertEquals(await killed.wait(), 137);
});

containerTest("logs() follows until the end, in order", async (box) => {
  const script = "for i in 1 2 3; do echo $i; sleep 0.1; done; echo last >&2";
  await using counter = await runIn(box, { cmd: ["sh", "-c", script] });
  const seen: string[] = [];
  const before = BigInt(Date.now() - 60_000) * 1_000_000n;
  for await (const { stream, bytes, time } of counter.logs({ follow: true })) {
    assert(time > before);
    seen.push(`${stream} ${new TextDecoder().decode(bytes).trim()}`);
  }
  assertEquals(seen.sort(), ["stderr last", "stdout 1", "stdout 2", "stdout 3"]);
  const { stdout } = await collect(counter.logs({ tail: 2, stderr: false }));
  assertEquals(new TextDecoder().decode(stdout), "3\n");
});

containerTest("attach() speaks with the main process", async (box) => {
  await using cat = await runIn(box, { cmd: ["cat"], openStdin: true });
  await using stream = await cat.attach({ stdin: true });
  await stream.write(new TextEncoder().encode("ahoy"));
  stream.closeStdin();
  assertEquals(new TextDecoder().decode((await collect(stream.output)).stdout), "ahoy");
  assertEquals(await cat.wait(), 0);
});

containerTest("an abort before or during run() leaves nothing", async (box) => {
  const reason = new Error("enough");
  for (const delayMs of [-1, 0, 1, 3, 8, 15, 25]) {
    const controller = new AbortController();
    if (delayMs < 0) controller.abort(reason);
    else setTimeout(() => controller.abort(reason), delayMs);
    try {
      await using web = await runIn(box, { ...SLEEP, signal: controller.signal });
      await web.wait();
      throw new Error("run() went on");
    } catch (error) {
      assertEquals(error, reason);
    }
    await assertNothingRuns(box);
  }
});

containerTest("an abort ends wait, logs and exec, and removes the container", async (box) => {
  const waits: ((web: Container) => PromiseLike<unknown>)[] = [
    (web) => web.wait(),
    (web) => web.text(),
    (web) => web.exec(["sleep", "600"]),
    (web) => collect(web.logs({ follow: true })),
  ];
  const reason = new Error("enough");
  for (const wait of waits) {
    const controller = new AbortController();
    const web = await runIn(box, { ...SLEEP, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    assertEquals(await assertRejects(async () => await wait(web)), reason);
    await web[Symbol.asyncDispose]();
    await assertNothingRuns(box);
  }
});

containerTest("a command's own signal kills the command alone", async (box) => {
  await using web = await runIn(box, SLEEP);
  const late = web.exec(["sleep", "600"]).signal(AbortSignal.timeout(50));
  await assertRejects(async () => await late, DOMException, "timeout");
  for (const delayMs of [0, 1, 2, 4, 8]) {
    const controller = new AbortController();
    const command = web.exec(["sleep", "600"]).signal(controller.signal);
    setTimeout(() => controller.abort(), delayMs);
    await assertRejects(async () => await command, DOMException);
  }
  const follow = web.logs({ follow: true, signal: AbortSignal.timeout(50) });
  await assertRejects(() => collect(follow), DOMException, "timeout");
  const left = await web.exec(["sh", "-c", "ps | grep -c '[s]leep'"]).text();
  assertEquals(left, "1");
});

containerTest("archive() and extract() carry files out and in", async (box) => {
  const { containers } = await engine({ root: box.root });
  await using web = await runIn(box, SLEEP);
  const letter = archive(member("file", "letter", { content: "dear all" }));
  await containers.extract(web.id, "/tmp", streamOf(letter));
  assertEquals(await web.exec(["cat", "/tmp/letter"]).text(), "dear all");
  const { stat, tar } = await containers.archive(web.id, "/tmp/letter");
  assertEquals([stat.name, stat.sizeBytes], ["letter", 8]);
  assert(new TextDecoder().decode(await new Response(tar).bytes()).includes("dear all"));
  const root = await containers.archive(web.id, "/");
  const text = new TextDecoder("latin1").decode(await new Response(root.tar).bytes());
  assert(text.includes("./tmp/letter") && text.includes("./proc/"));
  assert(!text.includes("./proc/1") && !text.includes("./dev/null"));
});

containerTest("a script that runs on keeps no descriptor", async (box) => {
  const here = await engine({ root: box.root });
  const round = async () => {
    await using cat = await runIn(box, { cmd: ["cat"], openStdin: true });
    await using _stream = await cat.attach({ stdin: true });
    await cat.exec(["cat"]).stdin("x");
    await assertRejects(async () => await cat.exec(["/no/such"]).stdin("x"), DhowError);
    await assertRejects(() => runIn(box, { cmd: ["/no/such"], openStdin: true }), DhowError);
    await cat.stop({ timeoutSeconds: 0 });
    const { id } = await here.containers.create(createRequest("busybox", { cmd: ["/no/such"] }));
    await assertRejects(() => here.containers.startAttached(id, { stdin: true }), DhowError);
    await here.containers.remove(id);
  };
  await round();
  const before = descriptors();
  for (let i = 0; i < 5; i++) await round();
  assertEquals(descriptors(), before);
});

function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

containerTest("pull(), push() and images() speak with a registry", async (box) => {
  await using registry = startFaultyRegistry();
  const here = await engine({ root: box.root });
  const name = `${registry.host}/box:1`;
  await here.images.tag("busybox", name);
  const sent: TransferProgress[] = [];
  const pushed = await push(name, { engine: here, onProgress: (event) => sent.push(event) });
  assertEquals(pushed.reference, name);
  assert(sent.some((event) => event.kind === "layer" && event.status === "Pushed"));
  await here.images.remove(name);
  await here.images.remove("busybox");
  const [layer] = JSON.parse(
    new TextDecoder().decode(registry.manifests.get("box:1")!.bytes),
  ).layers;
  registry.hook = ({ kind, method, ref, count, bytes }) =>
    kind === "blob" && method === "GET" && ref === layer.digest && count === 1
      ? stalling(bytes!, 500_000, new Promise(() => {}))
      : undefined;
  const reason = new Error("enough");
  const stop = new AbortController();
  const broken = pull(name, {
    engine: here,
    signal: stop.signal,
    onProgress: (event) => {
      if (event.kind === "layer" && event.currentBytes) setTimeout(() => stop.abort(reason), 200);
    },
  });
  assertEquals(await assertRejects(() => broken), reason);
  await eventually("the helper has gone", () => box.processes().length === 0, 3000);
  assertEquals((await images({ engine: here })).length, 0);
  const pulled = await pull(name, { engine: here });
  assertEquals([pulled.digest, pulled.isNew], [pushed.digest, true]);
  assertMatch(registry.seen.at(-1)!.range ?? "", /^bytes=[1-9]/);
  const [image] = await images({ engine: here, filters: { reference: [`${registry.host}/*`] } });
  assertEquals(image?.RepoDigests, [`${registry.host}/box@${pushed.digest}`]);
});
