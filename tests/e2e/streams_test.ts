// Output and input: whole, in order, to everybody who looks.
import { assertEquals } from "@std/assert";
import { containerTest, eventually, type Sandbox } from "../helpers/sandbox.ts";

const MEGABYTES = 100;

/** Bytes that do not repeat soon. */
function pattern(megabytes: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(megabytes << 18);
  let state = 1;
  for (let i = 0; i < words.length; i++) words[i] = state = Math.imul(state, 1664525) + 1013904223;
  return new Uint8Array(words.buffer);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Feeds bytes to a command; its stdout and stderr, whole. */
async function pump(box: Sandbox, args: string[], input: Uint8Array<ArrayBuffer>) {
  const child = box.command(args, { stdin: "piped" }).spawn();
  const feeding = new Blob([input]).stream().pipeTo(child.stdin);
  const { code, stdout, stderr } = await child.output();
  await feeding;
  return { code, stdout, stderr: new TextDecoder().decode(stderr) };
}

containerTest(
  `${MEGABYTES} MB pass through stdin and stdout of run and exec intact, stderr apart`,
  async (box) => {
    const input = pattern(MEGABYTES);
    const expected = await sha256(input);
    const script = "echo begin >&2; cat; echo end >&2";
    const run = await pump(box, [
      "run",
      "-i",
      "--rm",
      "--network",
      "none",
      "busybox",
      "sh",
      "-c",
      script,
    ], input);
    assertEquals([run.code, run.stderr, await sha256(run.stdout)], [0, "begin\nend\n", expected]);
    await box.runs("-d", "--name", "ex", "busybox", "sleep", "1000");
    const exec = await pump(box, ["exec", "-i", "ex", "sh", "-c", script], input);
    assertEquals([exec.code, exec.stderr, await sha256(exec.stdout)], [
      0,
      "begin\nend\n",
      expected,
    ]);
  },
);

containerTest("two attached see the same; input reaches the container from both", async (box) => {
  await box.runs(
    "-d",
    "-i",
    "--name",
    "two",
    "busybox",
    "sh",
    "-c",
    'while read line; do echo "got $line"; [ "$line" = bye ] && exit 3; done',
  );
  const attach = () => {
    const child = box.command(["attach", "two"], { stdin: "piped" }).spawn();
    return { writer: child.stdin.getWriter(), done: child.output() };
  };
  const [first, second] = [attach(), attach()];
  await eventually("both attached", async () => {
    const until = String(Math.ceil(Date.now() / 1000));
    const seen = await box.ok(
      "events",
      "--since",
      "0",
      "--until",
      until,
      "--filter",
      "event=attach",
      "--format",
      "{{.Action}}",
    );
    return seen === "attach\nattach";
  });
  const say = (writer: WritableStreamDefaultWriter, text: string) =>
    writer.write(new TextEncoder().encode(text));
  await say(first.writer, "one\n");
  await eventually("the first line", async () => await box.ok("logs", "two") === "got one");
  await say(second.writer, "bye\n");
  for (const { done, writer } of [first, second]) {
    const { code, stdout } = await done;
    assertEquals([code, new TextDecoder().decode(stdout)], [3, "got one\ngot bye\n"]);
    await writer.abort().catch(() => {});
  }
});

containerTest("logs -f loses nothing while the log is rotated under it", async (box) => {
  const options = ["--log-opt", "max-size=64k", "--log-opt", "max-file=2"];
  const script = "sleep 0.5; i=0; while [ $i -lt 20000 ]; do echo line-$i; i=$((i+1)); done";
  await box.runs("-d", "--name", "rot", ...options, "busybox", "sh", "-c", script);
  const lines = (await box.ok("logs", "-f", "rot")).split("\n");
  assertEquals(lines.length, 20000);
  assertEquals(lines.findIndex((line, i) => line !== `line-${i}`), -1);
  const kept = (await box.ok("logs", "rot")).split("\n");
  assertEquals([kept.at(-1), kept.length < 20000], ["line-19999", true]);
  assertEquals(await box.ok("logs", "-n", "2", "rot"), "line-19998\nline-19999");
});

containerTest(
  "output that nobody reads does not stop a container, and nothing of it is lost",
  async (box) => {
    await box.runs(
      "-d",
      "--name",
      "much",
      "busybox",
      "sh",
      "-c",
      "yes | head -c 5000000; yes err | head -c 4000000 >&2",
    );
    assertEquals(await box.ok("wait", "much"), "0");
    const { stdout, stderr } = await box.command(["logs", "much"]).output();
    assertEquals([stdout.length, stderr.length], [5_000_000, 4_000_000]);
  },
);

containerTest("stdin ends where the caller's ends, also for a second attachment", async (box) => {
  const counted = await box.run(["run", "-i", "--rm", "--network", "none", "busybox", "wc", "-c"], {
    stdin: "12345",
  });
  assertEquals(counted.out, "5");
  const closed = await box.dhow("run", "--rm", "--network", "none", "busybox", "cat");
  assertEquals(closed, { code: 0, out: "", err: "" });
});

containerTest("signals to dhow run reach the container", async (box) => {
  const script = "trap 'echo got; exit 6' USR1; echo ready; while :; do sleep 0.05; done";
  const child = box.command([
    "run",
    "--rm",
    "--network",
    "none",
    "--name",
    "sig",
    "busybox",
    "sh",
    "-c",
    script,
  ]).spawn();
  await eventually("ready", async () => (await box.dhow("logs", "sig")).out === "ready");
  child.kill("SIGUSR1");
  const { code, stdout } = await child.output();
  assertEquals([code, new TextDecoder().decode(stdout)], [6, "ready\ngot\n"]);
});
