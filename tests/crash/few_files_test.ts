// A limit on open files: 64 are enough; with fewer nothing is left half made.
import { assertEquals, assertMatch } from "@std/assert";
import { Project } from "../helpers/project.ts";
import { containerTest, launcher, type Result, type Sandbox } from "../helpers/sandbox.ts";

/** Runs dhow with so many descriptors. */
async function limited(box: Sandbox, files: number, args: readonly string[]): Promise<Result> {
  const script = 'ulimit -n "$0"; exec "$@"';
  const child = new Deno.Command("sh", {
    args: ["-c", script, String(files), launcher, ...args],
    env: box.env,
    stdin: "null",
  });
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, out: text(stdout), err: text(stderr) };
}

containerTest("64 open files are enough, and with 28 nothing is half made", async (box) => {
  const project = await Project.make(box, {
    Dockerfile: "FROM busybox\nCOPY . /context\nRUN --network=none echo 1 > /one\n",
  });
  const build = ["build", "-q", "--no-cache", "-t", "app", project.directory];
  const run = ["run", "--rm", "busybox", "echo", "ran"];
  assertEquals((await limited(box, 28, run)).out, "");
  for (const args of [run, build, ["import", `${box.directory}/busybox.tar`, "other"]]) {
    const { code, err } = await limited(box, 28, args);
    if (code === 0) continue;
    assertMatch(err, /too many open files/i);
    assertEquals(/ at (async )?\S+ \(file:/.test(err), false, err);
  }
  assertEquals(await box.ok("ps", "-aq"), "");
  assertEquals((await Array.fromAsync(Deno.readDir(`${box.root}/tmp`))).map((e) => e.name), []);
  assertEquals((await limited(box, 64, run)).out, "ran");
  assertEquals((await limited(box, 64, build)).err, "");
  const ran = await limited(box, 64, ["run", "--rm", "--network", "none", "app", "cat", "/one"]);
  assertEquals(ran, { code: 0, out: "1", err: "" });
});
