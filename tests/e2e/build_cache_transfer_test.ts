// The build cache between stores: --cache-to and --cache-from.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { Project } from "../helpers/project.ts";
import { registryTest, startRegistry } from "../helpers/registry.ts";
import { containerTest, Sandbox } from "../helpers/sandbox.ts";

const DOCKERFILE = `FROM busybox AS one
RUN cat /proc/sys/kernel/random/uuid > /id
FROM busybox
COPY --from=one /id /id
COPY file /file
RUN cat /file /id > /both && rm /bin/vi
RUN true
`;

/** Another store with the same base image. */
async function openOther(box: Sandbox): Promise<Sandbox> {
  const other = await Sandbox.open();
  const { stdout } = await box.command(["save", "busybox"]).output();
  const { code, err } = await other.run(["load"], { stdin: new Uint8Array(stdout) });
  assertEquals(code, 0, err);
  return other;
}

/** Builds in a store; which steps were found. */
async function build(box: Sandbox, project: Project, ...args: string[]): Promise<number> {
  const words = ["build", "--progress", "plain", "-t", "app", ...args, project.directory];
  const { code, err } = await box.run(words);
  assertEquals(code, 0, err);
  // Two stages that begin with an image, which is told as cached too.
  return (err.match(/CACHED/g)?.length ?? 0) - 2;
}

async function both(box: Sandbox): Promise<string> {
  return await box.runs("--rm", "app", "sh", "-c", "cat /both; test ! -e /bin/vi");
}

containerTest("a cache in a directory serves other stores", async (box) => {
  const project = await Project.make(box, { Dockerfile: DOCKERFILE, file: "file\n" });
  const [all, few] = [`${box.directory}/all`, `${box.directory}/few`];
  const to = [
    "--cache-to",
    `type=local,dest=${all},mode=max`,
    "--cache-to",
    `type=local,dest=${few}`,
  ];
  await build(box, project, ...to);
  for (const [cache, found] of [[all, 5], [few, 0]] as const) {
    await using other = await openOther(box);
    assertEquals(await build(other, project, "--cache-from", `type=local,src=${cache}`), found);
    if (found === 5) assertEquals(await both(other), await both(box));
    // What was taken over is there for the next build.
    assertEquals(await build(other, project), 5);
    await other.ok("rmi", "app");
    await other.ok("builder", "prune", "-af");
  }
  // What is broken or missing is done here.
  const blobs = `${all}/blobs/sha256`;
  for await (const { name } of Deno.readDir(blobs)) {
    const { size } = await Deno.stat(`${blobs}/${name}`);
    if (size < 200) await Deno.writeTextFile(`${blobs}/${name}`, "x");
  }
  await using other = await openOther(box);
  await build(other, project, "--cache-from", `type=local,src=${all}`);
  assertStringIncludes(await both(other), "file\n");
});

registryTest("a cache in a registry, or in an image there, serves other stores", async () => {
  await using registry = await startRegistry();
  await using box = await Sandbox.open();
  const project = await Project.make(box, { Dockerfile: DOCKERFILE, file: "file\n" });
  const cache = `type=registry,ref=${registry.host}/cache`;
  const image = `${registry.host}/app`;
  await build(box, project, "--cache-to", `${cache},mode=max`, "--cache-to", "type=inline");
  await box.ok("tag", "app", image);
  await box.ok("push", image);
  {
    await using other = await openOther(box);
    assertEquals(await build(other, project, "--cache-from", cache), 5);
    assertEquals(await both(other), await both(box));
  }
  // An image knows the steps of its last stage: that its first is done again makes no difference but where it is seen.
  const simple = await Project.make(box, {
    Dockerfile: "FROM busybox\nCOPY file /file\nRUN cat /proc/sys/kernel/random/uuid > /both\n",
    file: "file",
  });
  await box.ok("build", "-t", image, "--cache-to", "type=inline", simple.directory);
  await box.ok("push", image);
  await using other = await openOther(box);
  const words = ["build", "--progress", "plain", "-t", "app", "--cache-from", image];
  const { code, err } = await other.run([...words, simple.directory]);
  assertEquals(code, 0, err);
  assertEquals(err.match(/CACHED/g)?.length, 3);
  assertEquals(
    await other.runs("--rm", "app", "cat", "/both"),
    await box.runs("--rm", image, "cat", "/both"),
  );
  // One that is not there is no reason to fail.
  const missing = ["--cache-from", `${registry.host}/nothing`];
  assertEquals((await other.run(["build", ...missing, simple.directory])).code, 0);
});
