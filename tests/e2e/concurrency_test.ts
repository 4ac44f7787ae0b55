// Many at once: nobody waits for ever, nobody fails for the others.
import { assertEquals, assertMatch } from "@std/assert";
import { containerTest, type Result, type Sandbox } from "../helpers/sandbox.ts";

containerTest("32 runs, 8 at a time: none fails", async (box) => {
  let next = 0;
  const results: Result[] = [];
  const worker = async () => {
    while (next < 32) {
      const i = next++;
      results[i] = await box.dhow("run", "--rm", "--network", "none", "busybox", "echo", String(i));
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  assertEquals(results, results.map((_, i) => ({ code: 0, out: String(i), err: "" })));
});

containerTest("the first runs at once start one holder", async (box) => {
  const holder = box.holder();
  if (holder !== undefined) Deno.kill(holder, "SIGKILL");
  const runs = Array.from(
    { length: 6 },
    () => box.ok("run", "--rm", "--network", "none", "busybox", "readlink", "/proc/self/ns/user"),
  );
  assertEquals(new Set(await Promise.all(runs)).size, 1);
});

containerTest("one of several creates of the same name wins", async (box) => {
  const results = await Promise.all(
    Array.from(
      { length: 6 },
      () => box.dhow("create", "--network", "none", "--name", "same", "busybox", "true"),
    ),
  );
  const won = results.filter(({ code }) => code === 0);
  assertEquals(won.length, 1);
  for (const { code, err } of results) {
    if (code !== 0) assertMatch(err, /The container name "\/same" is already in use by container/);
  }
  assertEquals(await box.inspect("same", "{{.Id}}"), won[0]!.out);
  assertEquals((await box.ok("ps", "-aq")).split("\n").length, 1);
});

containerTest("two starts at once start it once; two stops both succeed", async (box) => {
  await box.ok(
    "create",
    "--network",
    "none",
    "--name",
    "twice",
    "busybox",
    "sh",
    "-c",
    "echo started; exec sleep 1000",
  );
  const both = async (...args: string[]) => {
    const results = await Promise.all([box.dhow(...args), box.dhow(...args), box.dhow(...args)]);
    assertEquals(results.map(({ code, err }) => [code, err]), [[0, ""], [0, ""], [0, ""]]);
  };
  await both("start", "twice");
  assertEquals(await box.ok("logs", "twice"), "started");
  await both("stop", "-t", "0", "twice");
  assertEquals(await box.inspect("twice", "{{.State.ExitCode}}"), "137");
});

containerTest("rm -f while it starts, ends, or is removed: gone, and nothing left", async (box) => {
  for (let i = 0; i < 8; i++) {
    await box.ok("create", "--network", "none", "--name", "torn", "busybox", "sh", "-c", "exit 3");
    const results = await Promise.all([
      box.dhow("start", "torn"),
      remove(box, i * 8),
      remove(box, i * 8),
    ]);
    for (const { err } of results) {
      assertMatch(err, /^$|No such container|already in progress|is being removed/);
    }
    assertEquals(await box.ok("ps", "-aq"), "");
  }
});

async function remove(box: Sandbox, delayMs: number): Promise<Result> {
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  return await box.dhow("rm", "-f", "torn");
}
