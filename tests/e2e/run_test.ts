// `dhow run` and the life of a container, as a user meets them.
import { assertEquals, assertMatch } from "@std/assert";
import { containerTest, eventually } from "../helpers/sandbox.ts";

containerTest(
  "run gives the command's output and exit code, and --rm leaves nothing",
  async (box) => {
    const run = ["run", "--rm", "--network", "none", "busybox"];
    const plain = await box.dhow(...run, "sh", "-c", "echo out; echo err >&2; exit 7");
    assertEquals(plain, { code: 7, out: "out", err: "err" });
    assertEquals((await box.dhow(...run, "/nonexistent")).code, 127);
    assertEquals((await box.dhow(...run, "/etc/passwd")).code, 126);
    assertEquals((await box.dhow("run", "--no-such-flag", "busybox")).code, 125);
    assertEquals((await box.dhow(...run, "sh", "-c", "sleep 9 & kill -9 $!; wait $!")).code, 137);
    assertEquals(await box.ok("ps", "-aq"), "");
  },
);

containerTest("start, stop, restart, kill, wait and rename do as they say", async (box) => {
  await box.runs(
    "-d",
    "--name",
    "first-name",
    "--stop-timeout",
    "5",
    "busybox",
    "sh",
    "-c",
    "trap 'exit 3' TERM; while :; do sleep 0.05; done",
  );
  const waiting = box.dhow("wait", "first-name");
  assertEquals(await box.ok("stop", "first-name"), "first-name");
  assertEquals((await waiting).out, "3");
  assertEquals(
    await box.inspect("first-name", "{{.State.Status}} {{.State.ExitCode}}"),
    "exited 3",
  );
  await box.ok("start", "first-name");
  const first = await box.inspect("first-name", "{{.State.Pid}}");
  await box.ok("restart", "first-name");
  assertEquals(first === await box.inspect("first-name", "{{.State.Pid}}"), false);
  await box.ok("kill", "-s", "TERM", "first-name");
  assertEquals(await box.ok("wait", "first-name"), "3");
  await box.ok("rename", "first-name", "second-name");
  assertEquals(await box.inspect("second-name", "{{.Name}}"), "/second-name");
  assertEquals((await box.dhow("inspect", "first-name")).code, 1);
  await box.ok("start", "second-name");
  await box.ok("kill", "second-name");
  assertEquals(await box.ok("wait", "second-name"), "137");
  await box.ok("rm", "second-name");
});

containerTest("stop kills what does not listen", async (box) => {
  await box.runs(
    "-d",
    "--name",
    "deaf",
    "busybox",
    "sh",
    "-c",
    "trap '' TERM; while :; do sleep 1; done",
  );
  const before = Date.now();
  await box.ok("stop", "-t", "1", "deaf");
  const took = Date.now() - before;
  assertEquals(took > 900 && took < 4000, true, `${took} ms`);
  assertEquals(await box.inspect("deaf", "{{.State.ExitCode}}"), "137");
});

containerTest("pause stops a container where it is, unpause lets it go on", async (box) => {
  await box.runs(
    "-d",
    "--name",
    "pp",
    "busybox",
    "sh",
    "-c",
    "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done",
  );
  await eventually("output", async () => (await box.ok("logs", "pp")) !== "");
  await box.ok("pause", "pp");
  const paused = await box.ok("logs", "pp");
  await new Promise((resolve) => setTimeout(resolve, 200));
  assertEquals(await box.ok("logs", "pp"), paused);
  assertEquals(await box.inspect("pp", "{{.State.Status}} {{.State.Paused}}"), "paused true");
  assertMatch((await box.dhow("exec", "pp", "true")).err, /is paused/);
  await box.ok("unpause", "pp");
  await eventually("more output", async () => (await box.ok("logs", "pp")).length > paused.length);
  await box.ok("pause", "pp");
  await box.ok("stop", "-t", "1", "pp");
  assertEquals(await box.inspect("pp", "{{.State.Status}}"), "exited");
});

containerTest(
  "restart policies: on-failure:2 gives up, always goes on until stopped",
  async (box) => {
    await box.runs(
      "-d",
      "--name",
      "ff",
      "--restart",
      "on-failure:2",
      "busybox",
      "sh",
      "-c",
      "echo again; exit 4",
    );
    await box.until("ff", "{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}", "exited 2 4");
    assertEquals((await box.ok("logs", "ff")).split("\n"), ["again", "again", "again"]);
    await box.runs(
      "-d",
      "--name",
      "ww",
      "--restart",
      "always",
      "busybox",
      "sh",
      "-c",
      "echo again",
    );
    await eventually(
      "two restarts",
      async () => Number(await box.inspect("ww", "{{.RestartCount}}")) >= 2,
    );
    await box.ok("stop", "ww");
    const count = await box.inspect("ww", "{{.RestartCount}}");
    await new Promise((resolve) => setTimeout(resolve, 1200));
    assertEquals(await box.inspect("ww", "{{.State.Status}} {{.RestartCount}}"), `exited ${count}`);
  },
);

containerTest("update --restart changes the policy of a running container", async (box) => {
  await box.runs("-d", "--name", "uu", "busybox", "sh", "-c", "sleep 0.5; exit 1");
  await box.ok("update", "--restart", "on-failure:1", "uu");
  await box.until("uu", "{{.State.Status}} {{.RestartCount}}", "exited 1");
});

containerTest("exec: exit codes, user, directory, environment, stdin", async (box) => {
  await box.runs("-d", "--name", "ee", "busybox", "sleep", "100");
  assertEquals((await box.dhow("exec", "ee", "sh", "-c", "exit 9")).code, 9);
  assertEquals((await box.dhow("exec", "ee", "/nonexistent")).code, 127);
  assertEquals((await box.dhow("exec", "ee", "/etc/passwd")).code, 126);
  const seen = await box.ok(
    "exec",
    "-u",
    "daemon",
    "-w",
    "/tmp",
    "-e",
    "A=b",
    "ee",
    "sh",
    "-c",
    "id -un; pwd; echo $A",
  );
  assertEquals(seen, "daemon\n/tmp\nb");
  const echoed = await box.run(["exec", "-i", "ee", "cat"], { stdin: "through" });
  assertEquals(echoed.out, "through");
  await box.ok("exec", "-d", "ee", "touch", "/made");
  await eventually(
    "the file",
    async () => (await box.dhow("exec", "ee", "test", "-e", "/made")).code === 0,
  );
  assertEquals((await box.dhow("exec", "nobody", "true")).code, 1);
});

containerTest("events tell what happened, in order", async (box) => {
  await box.runs("--rm", "--name", "ev", "busybox", "true");
  const until = String(Math.ceil(Date.now() / 1000) + 1);
  const seen = await box.ok(
    "events",
    "--since",
    "0",
    "--until",
    until,
    "--filter",
    "type=container",
    "--format",
    "{{.Action}}",
  );
  assertEquals(seen.split("\n"), ["create", "attach", "start", "die", "destroy"]);
});

containerTest("--init reaps orphans and passes signals on", async (box) => {
  await box.runs(
    "-d",
    "--init",
    "--name",
    "ii",
    "busybox",
    "sh",
    "-c",
    "(sleep 0.1 &) ; trap 'exit 5' TERM; while :; do sleep 0.05; done",
  );
  await eventually(
    "no zombie",
    async () => !/\bZ\b/.test(await box.ok("exec", "ii", "ps", "-o", "stat")),
  );
  await box.ok("stop", "ii");
  assertEquals(await box.inspect("ii", "{{.State.ExitCode}}"), "5");
});
