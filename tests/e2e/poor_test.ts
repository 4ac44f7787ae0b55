// Machines that lack something: helpers, room, permission.
import { assertEquals, assertMatch } from "@std/assert";
import { storePaths } from "../../core/host/paths.ts";
import { Project } from "../helpers/project.ts";
import { containerTest, kill, type Sandbox } from "../helpers/sandbox.ts";

/** A PATH with all that dhow needs but newuidmap. */
async function poorPath(box: Sandbox): Promise<string> {
  const directory = `${box.directory}/bin`;
  await Deno.mkdir(directory);
  await Deno.symlink(Deno.execPath(), `${directory}/deno`);
  for (const name of ["sh", "readlink"]) await Deno.symlink(`/bin/${name}`, `${directory}/${name}`);
  return directory;
}

containerTest("without newuidmap one id is mapped, and that is said once", async (box) => {
  if (Deno.uid() === 0) return; // root needs no helper
  const env = { PATH: await poorPath(box), DHOW_ROOT: `${box.directory}/poor` };
  const tar = `${box.directory}/busybox.tar`;
  const imported = await box.run(["import", tar, "busybox"], { env });
  assertEquals(imported.code, 0, imported.err);
  assertMatch(
    imported.err,
    /^dhow: Only one id is mapped \(newuidmap is not installed \(Debian package uidmap/,
  );
  const run = (...args: string[]) =>
    box.run(["run", "--rm", "--network", "none", ...args], { env });
  assertEquals(await run("busybox", "id", "-u"), { code: 0, out: "0", err: "" });
  // Another user is one in name, without root's capabilities.
  const caps = ["sh", "-c", "id -u; grep CapEff /proc/self/status"];
  assertEquals((await run("-u", "7", "busybox", ...caps)).out, "0\nCapEff:\t0000000000000000");
  assertMatch((await box.run(["info"], { env })).out, /User ids: one \(newuidmap is not installed/);
  await new Deno.Command("rm", { args: ["-rf", env.DHOW_ROOT] }).output();
});

containerTest("a store that may not be written is named in the error", async (box) => {
  if (Deno.uid() === 0) return; // may write everything
  await box.runs("--name", "kept", "busybox", "true");
  for (const part of ["tmp", "containers"]) await Deno.chmod(`${box.root}/${part}`, 0o500);
  try {
    assertEquals(await box.ok("ps", "-a", "--format", "{{.Names}}"), "kept");
    const run = await box.dhow("run", "--rm", "--network", "none", "busybox", "true");
    assertEquals(run.code, 125);
    assertMatch(run.err, /Cannot create a container in ".*\/store": permission denied/);
  } finally {
    for (const part of ["tmp", "containers"]) await Deno.chmod(`${box.root}/${part}`, 0o700);
  }
});

containerTest("builds work with one id, though nobody knows before that it is one", async (box) => {
  if (Deno.uid() === 0) return;
  const env = { PATH: await poorPath(box), DHOW_ROOT: `${box.directory}/poor` };
  await box.run(["import", `${box.directory}/busybox.tar`, "busybox"], { env });
  const project = await Project.make(box, {
    Dockerfile: "FROM busybox\nCOPY file /file\nRUN --network=none cat /file > /read\n",
    file: "file",
  });
  const { runtime } = storePaths(env.DHOW_ROOT);
  kill(JSON.parse(await Deno.readTextFile(`${runtime}/holder.json`)).pid);
  const built = await project.build("app", [], { env });
  assertEquals(built.code, 0, built.err);
  const read = ["run", "--rm", "--network", "none", "app", "cat", "/read"];
  assertEquals((await box.run(read, { env })).out, "file");
  await new Deno.Command("rm", { args: ["-rf", env.DHOW_ROOT] }).output();
});

containerTest("a full disk fails the build, and leaves nothing half made", async (box) => {
  if (Deno.uid() !== 0) return; // only root can mount a small file system
  const root = `${box.directory}/small`;
  await Deno.mkdir(root);
  const mount = (...args: string[]) => new Deno.Command("mount", { args }).output();
  if (!(await mount("-t", "tmpfs", "-o", "size=24m", "dhow-test", root)).success) return;
  try {
    const env = { DHOW_ROOT: root };
    const imported = await box.run(["import", `${box.directory}/busybox.tar`, "busybox"], { env });
    if (imported.code !== 0) return; // a tmpfs of old kernels has no attributes
    const project = await Project.make(box, {
      Dockerfile: "FROM busybox\nRUN echo 1 > /one\nRUN head -c 11000000 /dev/urandom > /big\n",
    });
    // There is room for the file, and not for the layer beside it.
    const { code, err } = await project.build("app", ["--network", "none"], { env });
    assertEquals(code, 1);
    assertMatch(err, /no space left on the file system/);
    const images = await box.run(["images", "--format", "{{.Repository}}"], { env });
    assertEquals(images.out, "busybox");
    assertEquals(await Array.fromAsync(Deno.readDir(`${root}/tmp`)), []);
    await project.write("Dockerfile", "FROM busybox\nRUN echo 1 > /one\n");
    assertEquals((await project.build("app", ["--network", "none"], { env })).code, 0);
  } finally {
    await new Deno.Command("umount", { args: ["-l", root] }).output();
  }
});

containerTest("a full disk fails the import, and leaves nothing half made", async (box) => {
  if (Deno.uid() !== 0) return; // only root can mount a small file system
  const root = `${box.directory}/small`;
  await Deno.mkdir(root);
  const mount = (...args: string[]) => new Deno.Command("mount", { args }).output();
  if (!(await mount("-t", "tmpfs", "-o", "size=3m", "dhow-test", root)).success) return;
  const env = { DHOW_ROOT: root };
  try {
    const { code, err } = await box.run(["import", `${box.directory}/busybox.tar`, "busybox"], {
      env,
    });
    assertEquals(code, 1);
    assertMatch(err, /no space left|disk is full|ENOSPC/i);
    const { stdout } = await new Deno.Command("find", {
      args: [
        root,
        "-type",
        "f",
        "-size",
        "+0",
        "-path",
        "*/*/*",
        "-not",
        "-name",
        "*.lock",
        "-not",
        "-name",
        "*.json",
        "-not",
        "-name",
        "oci-layout",
      ],
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "");
    assertEquals((await box.run(["images", "-q"], { env })).out, "");
  } finally {
    await new Deno.Command("umount", { args: ["-l", root] }).output();
  }
});
