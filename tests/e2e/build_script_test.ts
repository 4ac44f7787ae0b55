// Images built from TypeScript: the same as those of a Dockerfile.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { type BuildEvent, DhowError, engine, image, type ImageBuilder } from "dhow";
import { containerTest, type Sandbox } from "../helpers/sandbox.ts";

async function inBox(box: Sandbox) {
  return { engine: await engine({ root: box.root }) };
}

containerTest("an image from TypeScript is that of its Dockerfile, layer by layer", async (box) => {
  const here = await inBox(box);
  const context = `${box.directory}/context`;
  await Deno.mkdir(context);
  await Deno.writeTextFile(`${context}/a b.txt`, "file\n");
  await Deno.writeTextFile(`${context}/skipped`, "");
  await Deno.writeTextFile(`${context}/.dockerignore`, "skipped\n");
  const tools = image("busybox").run(`
    set -e
    mkdir /made
    cat > /made/tool <<END
    #!/bin/sh
    echo "tool of $HOSTNAME"
    END
  `);
  const app = image("busybox")
    .arg("LEVEL", "1")
    .env({ WHO: "me and $LEVEL", PATH: "/opt:$PATH" })
    .copy(["a b.txt"], "/x/", { chmod: "600", chown: "1:2" })
    .copy("/made/", "/opt/", { from: tools })
    .copy(".", "/all/")
    .file("/etc/greeting", "ahoy $WHO\n")
    .run(["sh", "-c", 'echo "$WHO" > /who'])
    .workdir("/srv/deep").user("daemon").expose(80).volume("/data").label({ "a.b": 'say "hi"' })
    .healthcheck(["true"], { interval: "5s", retries: 2 }).stopSignal("SIGINT")
    .entrypoint(["cat"]).cmd(["/etc/greeting", "/who"]);
  const built = await app.build({ ...here, tag: "app", context, buildArgs: { LEVEL: "2" } });
  await using container = await built.run();
  assertEquals(await container.text(), "ahoy $WHO\nme and 2");
  assertEquals(await box.runs("--rm", "--entrypoint", "ls", "app", "/all"), "a b.txt");

  const file = `${box.directory}/Dockerfile`;
  await Deno.writeTextFile(file, app.dockerfile);
  const id = await box.ok("build", "-q", "-f", file, "--build-arg", "LEVEL=2", context);
  assertEquals(id, built.id);
  const { Config, RootFS } = await built.inspect();
  assertStringIncludes(JSON.stringify(Config!.Env), '"WHO=me and 2"');
  assertEquals([Config!.User, Config!.WorkingDir, Config!.Labels], ["daemon", "/srv/deep", {
    "a.b": 'say "hi"',
  }]);
  // A later build finds everything.
  const again = await app.build({ ...here, context, buildArgs: { LEVEL: "2" } });
  assertEquals([again.id, again.steps.done], [built.id, 0]);
  assertEquals((await again.inspect()).RootFS, RootFS);
});

containerTest("build() tells what happens and takes secrets", async (box) => {
  const here = await inBox(box);
  const events: BuildEvent[] = [];
  await Deno.writeTextFile(`${box.directory}/key`, "twelve bytes");
  const secret = { type: "secret", id: "key", env: "KEY" } as const;
  const file = { type: "secret", id: "file", target: "/key" } as const;
  const { steps } = await image("busybox")
    .run('echo "${#KEY} $(wc -c < /key)"', { mounts: [secret, file], network: "none" })
    .build({
      ...here,
      secrets: { key: { value: "hush" }, file: { file: `${box.directory}/key` } },
      onEvent: (event) => events.push(event),
    });
  assertEquals(steps.done, 1);
  const logs = events.flatMap((event) => event.kind === "log" ? [event.bytes] : []);
  assertEquals(logs.map((bytes) => new TextDecoder().decode(bytes)).join(""), "4 12\n");
  const run = events.find((event) => event.kind === "start" && event.name.includes("RUN"));
  assert(run?.kind === "start" && run.range !== undefined);
});

containerTest("build() fails with an error that says where, and leaves nothing", async (box) => {
  const here = await inBox(box);
  const failing = async (made: ImageBuilder): Promise<DhowError> => {
    const error = await assertRejects(() => made.build({ ...here, tag: "never" }));
    assertInstanceOf(error, DhowError);
    return error;
  };
  const before = await box.ok("images", "-aq");
  assertStringIncludes((await failing(image("busybox").run("exit 3"))).message, "exit code: 3");
  assertStringIncludes((await failing(image("busybox").copy("a", "b"))).message, "context");
  await failing(image("busybox").as("x").copy("/nope", "/", { from: image("busybox") }));
  await failing(image("UPPER"));
  assertEquals([await box.ok("images", "-aq"), await box.ok("ps", "-aq")], [before, ""]);
});

containerTest("an abort ends build() and keeps what was finished", async (box) => {
  const here = await inBox(box);
  const reason = new Error("enough");
  const controller = new AbortController();
  const made = image("busybox").run("echo once > /once").run("sleep 60; true");
  const start = Date.now();
  const building = made.build({
    ...here,
    signal: controller.signal,
    onEvent: (event) => {
      if (event.kind === "start" && event.name.includes("sleep")) {
        setTimeout(() => controller.abort(reason), 100);
      }
    },
  });
  assertEquals(await assertRejects(() => building), reason);
  assert(Date.now() - start < 20_000);
  const { steps } = await image("busybox").run("echo once > /once").run("true").build(here);
  assertEquals(steps, { ...steps, done: 1 });
  const early = await assertRejects(() =>
    made.build({ ...here, signal: AbortSignal.abort(reason) })
  );
  assertEquals(early, reason);
});
