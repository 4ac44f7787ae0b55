import { assertEquals, assertStringIncludes } from "@std/assert";
import { encodeInit } from "./init_binary.ts";

const env = ["PATH=/nonexistent:/usr/bin:/bin"];

/** Runs init on `args`; as a subreaper is missing it is no pid 1, but all else is as in a container. */
async function runInit(
  args: string[],
  signal?: Deno.Signal,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, encodeInit({ args, env }));
  await Deno.chmod(path, 0o700);
  try {
    const child = new Deno.Command(path, {
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      clearEnv: true,
    }).spawn();
    if (signal !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      child.kill(signal);
    }
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("init runs the command with its arguments and environment, and ends as it does", async () => {
  const { code, stdout } = await runInit(["sh", "-c", 'echo "$0 $PATH"; exit 7', "zero"]);
  assertEquals([code, stdout], [7, `zero ${env[0]!.slice(5)}\n`]);
  assertEquals((await runInit(["sh", "-c", "kill -9 $$"])).code, 137);
});

Deno.test("init passes signals on", async () => {
  const { code, stdout } = await runInit(
    ["sh", "-c", 'trap "echo got; exit 3" TERM; while :; do sleep 0.05; done'],
    "SIGTERM",
  );
  assertEquals([code, stdout], [3, "got\n"]);
  assertEquals((await runInit(["sleep", "10"], "SIGINT")).code, 130);
});

Deno.test("init says what it cannot run", async () => {
  const missing = await runInit(["nosuchcommand"]);
  assertEquals(missing.code, 127);
  assertStringIncludes(missing.stderr, "exec nosuchcommand failed: No such file or directory");
  assertEquals((await runInit(["/etc/passwd"])).code, 126);
});
