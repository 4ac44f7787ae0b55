// kill -9 of the command line, a monitor, the holder, whenever: DHOW_CRASH_ROUNDS says how often.
import { assertEquals } from "@std/assert";
import { containerTest, eventually, kill, type Sandbox } from "../helpers/sandbox.ts";
import { seededRandom } from "../helpers/tar.ts";

const ROUNDS = Number(Deno.env.get("DHOW_CRASH_ROUNDS") ?? 10);
const EXIT_CODE = 7;

/** What a container runs: a moment, with output, then the exit code. */
const MOMENT = ["sh", "-c", `echo begin; sleep 0.05; echo end; exit ${EXIT_CODE}`];

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Every container as `name status exit code`. */
async function states(box: Sandbox): Promise<string[][]> {
  const ids = (await box.ok("ps", "-aq")).split("\n").filter((id) => id !== "");
  if (ids.length === 0) return [];
  const format = "{{.Name}} {{.State.Status}} {{.State.ExitCode}}";
  // One that removes itself meanwhile is none.
  const { out } = await box.dhow("inspect", "-f", format, ...ids);
  return out.split("\n").filter((line) => line !== "").map((line) => line.split(" "));
}

async function settle(box: Sandbox): Promise<string[][]> {
  let found: string[][] = [];
  await eventually("all containers have ended", async () => {
    found = await states(box);
    return found.every(([, status]) => status !== "running") && box.processes().length === 0;
  });
  return found;
}

containerTest(
  `the command line killed at ${ROUNDS} moments leaves containers that end as they should`,
  async (box) => {
    box.crashed = true;
    const random = seededRandom(1);
    for (let round = 0; round < ROUNDS; round++) {
      const keep = round % 2 === 0;
      const args = ["run", ...keep ? ["--name", `kept-${round}`] : ["--rm"], "--network", "none"];
      const child = box.command([...args, "busybox", ...MOMENT]).spawn();
      await pause(random() * 150);
      kill(child.pid);
      await child.output();
    }
    for (const [name, status, code] of await settle(box)) {
      if (status === "exited") assertEquals([name, code], [name, String(EXIT_CODE)]);
      else assertEquals([name, status], [name, "created"]);
    }
    await eventually("--rm has removed its containers", async () => {
      return (await states(box)).every(([name, status]) =>
        name!.startsWith("/kept") || status === "created"
      );
    });
    for (const name of (await states(box)).map(([name]) => name!.slice(1))) {
      const { code, out } = await box.dhow("start", "-a", name);
      assertEquals([code, out], [EXIT_CODE, "begin\nend"]);
    }
  },
);

containerTest(
  `a monitor killed at ${ROUNDS} moments takes its container along, and no recorded exit code is lost`,
  async (box) => {
    box.crashed = true;
    const random = seededRandom(2);
    for (let round = 0; round < ROUNDS; round++) {
      const name = `mon-${round}`;
      await box.runs("-d", "--name", name, "busybox", ...MOMENT);
      const monitor = await monitorOf(box, name);
      await pause(random() * 60);
      const recorded = await box.inspect(name, "{{.State.Status}} {{.State.ExitCode}}");
      if (monitor !== undefined) kill(monitor);
      await eventually(
        "it has ended",
        async () => await box.inspect(name, "{{.State.Running}}") === "false",
      );
      const code = await box.inspect(name, "{{.State.ExitCode}}");
      if (recorded.startsWith("exited")) assertEquals(`exited ${code}`, recorded);
      assertEquals([String(EXIT_CODE), "137"].includes(code), true, code);
      assertEquals(await box.ok("wait", name), code);
    }
    await settle(box);
    await box.runs("-d", "--name", "forever", "busybox", "sleep", "1000");
    kill((await monitorOf(box, "forever"))!);
    await eventually("its processes are gone", () => box.processes().length === 0);
    assertEquals(
      await box.inspect("forever", "{{.State.Status}} {{.State.ExitCode}}"),
      "exited 137",
    );
    await box.ok("start", "forever");
    assertEquals(await box.inspect("forever", "{{.State.Status}}"), "running");
  },
);

containerTest(
  "a foreground run whose monitor is killed ends with 137, and --rm works",
  async (box) => {
    box.crashed = true;
    const command = ["--network", "none", "busybox", "sh", "-c", "echo up; sleep 1000"];
    const running = box.dhow("run", "--rm", "--name", "front", ...command);
    await eventually("it is up", async () => (await box.dhow("logs", "front")).out === "up");
    kill((await monitorOf(box, "front"))!);
    assertEquals(await running, { code: 137, out: "up", err: "" });
    assertEquals(await box.ok("ps", "-aq"), "");
    await box.ok("run", "-d", "--rm", "--name", "back", ...command);
    kill((await monitorOf(box, "back"))!);
    await eventually("it is gone", async () => await box.ok("ps", "-aq") === "");
  },
);

containerTest(
  "the name of a --rm container that nobody was left to remove can be taken",
  async (box) => {
    box.crashed = true;
    await box.ok(
      "run",
      "-d",
      "--rm",
      "--name",
      "name",
      "--network",
      "none",
      "busybox",
      "sleep",
      "1000",
    );
    kill((await monitorOf(box, "name"))!);
    await pause(2500);
    assertEquals(await box.runs("--rm", "--name", "name", "busybox", "echo", "mine"), "mine");
  },
);

containerTest("logs -f, wait, stop and exec end when the monitor is killed", async (box) => {
  await box.runs("-d", "--name", "watched", "busybox", "sh", "-c", "echo up; sleep 1000");
  const watching = [
    box.dhow("logs", "-f", "watched"),
    box.dhow("wait", "watched"),
    box.dhow("exec", "watched", "sleep", "1000"),
    box.dhow("stop", "-t", "100", "watched"),
  ];
  await pause(500);
  kill((await monitorOf(box, "watched"))!);
  const [logs, wait, exec, stop] = await Promise.all(watching);
  assertEquals([logs!.out, wait!.out, exec!.code, stop!.code], ["up", "137", 137, 0]);
});

containerTest(
  "a foreground run and wait know the exit code, whoever removes the container",
  async (box) => {
    const held = [
      "--network",
      "none",
      "busybox",
      "sh",
      "-c",
      "trap 'exit 7' TERM; sleep 1000 & wait",
    ];
    for (let round = 0; round < 5; round++) {
      const name = `gone-${round}`;
      const running = box.dhow("run", "--name", name, ...held);
      await eventually("it runs", async () => (await box.dhow("top", name)).out.includes("sleep"));
      const waiting = box.dhow("wait", name);
      await pause(200);
      await box.ok("rm", "-f", name);
      const { code, err } = await running;
      assertEquals({ code, err, waited: (await waiting).out }, {
        code: 137,
        err: "",
        waited: "137",
      });
    }
  },
);

containerTest(`the holder killed at ${ROUNDS} moments stops nothing`, async (box) => {
  box.crashed = true;
  const random = seededRandom(3);
  await box.runs("-d", "--name", "old", "busybox", "sleep", "1000");
  for (let round = 0; round < ROUNDS; round++) {
    box.processes(); // remembers the holder's namespace
    const holder = box.holder();
    const running = box.dhow("run", "--rm", "--network", "none", "busybox", ...MOMENT);
    await pause(random() * 80);
    if (holder !== undefined) kill(holder);
    const { code, out, err } = await running;
    assertEquals({ code, out, err }, { code: EXIT_CODE, out: "begin\nend", err: "" });
    assertEquals((await box.dhow("exec", "old", "echo", "there")).out, "there");
  }
  await box.ok("restart", "-t", "0", "old");
  assertEquals((await box.dhow("exec", "old", "echo", "there")).out, "there");
});

containerTest(`rm -f killed at ${ROUNDS} moments can be repeated`, async (box) => {
  box.crashed = true;
  const random = seededRandom(4);
  for (let round = 0; round < ROUNDS; round++) {
    await box.runs("-d", "--name", "victim", "-v", "/data", "busybox", "sleep", "1000");
    const child = box.command(["rm", "-fv", "victim"]).spawn();
    await pause(random() * 80);
    kill(child.pid);
    await child.output();
    const { code, err } = await box.dhow("rm", "-fv", "victim");
    if (code !== 0) assertEquals(err.includes("No such container"), true, err);
    assertEquals(await box.ok("ps", "-aq"), "");
  }
});

async function monitorOf(box: Sandbox, name: string): Promise<number | undefined> {
  const pid = Number(await box.inspect(name, "{{.State.Pid}}"));
  if (pid === 0) return undefined;
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}
