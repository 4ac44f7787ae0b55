/**
 * Images on their way out and in: commit, save, load, export, history, prune, df; and other tools that read what dhow
 * writes.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { storePaths } from "../../core/host/paths.ts";
import { leaseStore } from "../../core/store/layout.ts";
import { containerTest, type Sandbox } from "../helpers/sandbox.ts";
import { archive, hasProgram, member } from "../helpers/tar.ts";

const CAPABILITY = new Uint8Array([1, 0, 0, 2, 0, 4, 0, 0, ...new Uint8Array(12)]);

/** Everything a layer can say of a file, to be put into a container as an archive. */
function oddFiles(): Uint8Array<ArrayBuffer> {
  const common = { uid: 0, gid: 0, mtime: { seconds: 1_234_567_890, nanoseconds: 123_456_789 } };
  const xattrs = new Map([
    ["security.capability", CAPABILITY],
    ["user.note", new TextEncoder().encode("kept\0whole")],
  ]);
  const plain = { ...common, uid: 1, gid: 2, mode: 0o4751 };
  return archive(
    member("directory", "odd", { ...common, uid: 3, gid: 4, mode: 0o1770 }),
    member("file", "odd/plain", { ...plain, content: "x", xattrs }),
    member("hardlink", "odd/linked", { ...plain, linkPath: "odd/plain" }),
    member("symlink", "odd/symbolic", {
      ...common,
      uid: 5,
      gid: 6,
      mode: 0o777,
      linkPath: "/a/b",
    }),
    member("fifo", "odd/fifo", { ...common, mode: 0o640 }),
    member("file", "odd/na\udcffme \u{1f600}", { ...common, content: "bytes" }),
  );
}

/** Makes the image `odd:1` from busybox: a layer with odd files, holes, and things that are gone. */
async function makeOdd(box: Sandbox): Promise<void> {
  const holes = "dd if=/dev/zero of=/holes bs=1 count=1 seek=8M; printf end >> /holes";
  await box.runs("--name", "odd", "busybox", "sh", "-c", `${holes}; rm /bin/ls /bin/cat`);
  const result = await box.run(["cp", "-a", "-", "odd:/"], { stdin: oddFiles() });
  assertEquals(result.code, 0, result.err);
  await box.ok("commit", "-a", "somebody", "-m", "odd things", "-c", "ENV A=b", "odd", "odd:1");
}

/** What find(1) and getfattr(1) tell of a tree, as root of it: for comparing two unpackings. */
async function listing(box: Sandbox, directory: string): Promise<string> {
  // Without what a layer does not say: the root's own times, and those of whiteouts.
  const look = `cd '${directory}' && find . -mindepth 1 -not -type c ` +
    "-printf '%p %y %m %U %G %s %n %T@ %l\\n' | sort && " +
    "find . -type c -printf '%p %y\\n' | sort && getfattr -R -P -d -m - -e hex .";
  const { stdout } = await new Deno.Command(insideOf(box)[0]!, {
    args: [...insideOf(box).slice(1), "sh", "-c", look],
  }).output();
  return new TextDecoder().decode(stdout);
}

/** Layers of an ordinary user belong to subordinate ids: the holder's namespace can look at them. */
function insideOf(box: Sandbox): string[] {
  return Deno.uid() === 0
    ? ["env"]
    : ["nsenter", "-U", "--preserve-credentials", "-t", `${box.holder()}`];
}

async function topLayer(box: Sandbox, image: string): Promise<string> {
  const link = await box.ok("image", "inspect", "-f", "{{.GraphDriver.Data.UpperDir}}", image);
  return await Deno.realPath(link);
}

containerTest(
  "commit keeps owners, modes, times, attributes, links, holes and names",
  async (box) => {
    await makeOdd(box);
    const look = "cd /odd; stat -c '%n %a %u:%g %h %Y' . plain linked symbolic fifo; " +
      "stat -c %b /holes; wc -c < /holes; echo na*; test -e /bin/cat || echo gone";
    const lines = (await box.runs("--rm", "odd:1", "sh", "-c", look)).split("\n");
    assertEquals(lines.slice(0, 5), [
      ". 1770 3:4 2 1234567890",
      "plain 4751 1:2 2 1234567890",
      "linked 4751 1:2 2 1234567890",
      "symbolic 777 5:6 1 1234567890",
      "fifo 640 0:0 1 1234567890",
    ]);
    assert(Number(lines[5]) < 100, `the file of holes takes ${lines[5]} blocks`);
    assertEquals([lines[6], lines.at(-1)], [String((8 << 20) + 4), "gone"]);
    const layer = await topLayer(box, "odd:1");
    const committed = await listing(box, layer);
    assertStringIncludes(committed, `security.capability=0x01000002000400`);
    assertStringIncludes(committed, "user.note=0x6b6570740077686f6c65");
    assertStringIncludes(committed, "1234567890.1234567890");
    // What the blob says is what was placed when it was committed.
    const [id, tar] = [
      await box.ok("images", "-q", "--no-trunc", "odd:1"),
      `${box.directory}/o.tar`,
    ];
    await box.ok("save", "-o", tar, "odd:1");
    await box.ok("rm", "odd");
    await box.ok("rmi", "odd:1");
    assertEquals(await box.ok("load", "-i", tar), "Loaded image: odd:1");
    assertEquals(await listing(box, layer), committed);
    assertEquals(await box.ok("images", "-q", "--no-trunc", "odd:1"), id);
  },
);

containerTest("commit: settings, history, nothing changed, while it runs", async (box) => {
  await box.ok(
    "create",
    "--network",
    "none",
    "--name",
    "same",
    "-e",
    "X=1",
    "busybox",
    "sleep",
    "100",
  );
  const changes = ["-c", 'ENTRYPOINT ["e"]', "-c", "LABEL l=m", "-c", "EXPOSE 80"];
  await box.ok("commit", ...changes, "same", "same:1");
  const format = "{{json .Config.Cmd}} {{json .Config.Entrypoint}} {{json .Config.Env}} " +
    "{{json .Config.Labels}} {{len .RootFS.Layers}}";
  const shown = await box.ok("image", "inspect", "-f", format, "same:1");
  assertEquals(shown, 'null ["e"] ["X=1"] {"l":"m"} 1');
  const ids = await Promise.all(["same:1", "busybox"].map((name) => box.ok("images", "-q", name)));
  const history = await box.ok("history", "--format", "{{.ID}} {{.CreatedBy}}", "same:1");
  assertEquals(history.split("\n").map((line) => line.trim()), [`${ids[0]} sleep 100`, ids[1]]);
  await box.ok("start", "same");
  await box.ok("exec", "same", "touch", "/live");
  await box.ok("commit", "same", "live:1");
  assertEquals(await box.inspect("same", "{{.State.Status}}"), "running");
  assertEquals(await box.runs("--rm", "live:1", "ls", "/live"), "/live");
});

containerTest(
  "save: the same archive twice, all tags of a repository, several images",
  async (box) => {
    await box.ok("tag", "busybox", "mine:1");
    await box.ok("tag", "busybox", "mine:2");
    const [one, two] = [`${box.directory}/1.tar`, `${box.directory}/2.tar`];
    for (const path of [one, two]) await box.ok("save", "mine", "busybox", "-o", path);
    assertEquals(await Deno.readFile(one), await Deno.readFile(two));
    await box.ok("rmi", "-f", "mine:1", "mine:2", "busybox");
    assertEquals((await box.ok("load", "-i", one)).split("\n").sort(), [
      "Loaded image: busybox:latest",
      "Loaded image: mine:1",
      "Loaded image: mine:2",
    ]);
    const wrong = await box.dhow("save", "--platform", "linux/s390x", "busybox");
    assertEquals(wrong.err, "no suitable export target found for platform linux/s390x");
    const path = `${box.directory}/nowhere/x.tar`;
    assertMatch((await box.dhow("save", "-o", path, "busybox")).err, /invalid output path: stat/);
  },
);

containerTest("prune removes what nobody uses, and nothing else", async (box) => {
  await box.ok("create", "--network", "none", "--name", "user", "busybox");
  await box.runs("--name", "gone", "-v", "/anonymous", "-v", "named:/n", "busybox", "touch", "/x");
  await box.ok("commit", "gone", "unused:1");
  await box.ok("commit", "gone");
  assertMatch(
    await box.ok("image", "prune", "-f"),
    /^Deleted Images:\ndeleted: sha256:[0-9a-f]{64}\n\nTotal reclaimed space: /,
  );
  assertMatch(await box.ok("image", "prune", "-af"), /untagged: unused:1\ndeleted: sha256:/);
  assertEquals(await box.ok("images", "--format", "{{.Repository}}"), "busybox");
  const asked = await box.run(["system", "prune", "--volumes"], { stdin: "n\n" });
  assertMatch(asked.out, /^WARNING! This will remove:\n {2}- all stopped containers\n/);
  assertEquals((await box.ok("ps", "-aq")).split("\n").length, 2);
  await box.ok("system", "prune", "-f", "--volumes");
  assertEquals(await box.ok("ps", "-aq"), "");
  const volumes = await Array.fromAsync(Deno.readDir(`${box.root}/volumes`));
  assertEquals(volumes.map(({ name }) => name), ["named"]);
  assertEquals(await box.ok("images", "--format", "{{.Repository}}"), "busybox");
});

containerTest(
  "what somebody is about to use is not swept; what is left over goes later",
  async (box) => {
    await box.ok("create", "--network", "none", "--name", "user", "busybox");
    await box.runs("--name", "other", "busybox", "touch", "/x");
    await box.ok("commit", "other", "gone:1");
    await box.ok("rm", "other");
    const blobs = () => Array.fromAsync(Deno.readDir(`${box.root}/blobs/sha256`));
    const before = (await blobs()).length;
    {
      using _lease = leaseStore(storePaths(box.root));
      await box.ok("rmi", "gone:1");
      assertEquals((await blobs()).length, before);
    }
    assertMatch(await box.ok("image", "prune", "-f"), /^Total reclaimed space: \d.*kB$/);
    assertEquals((await blobs()).length, before - 3);
    // A container keeps its layers, whatever becomes of its image.
    await box.ok("rmi", "-f", "busybox");
    await box.ok("image", "prune", "-af");
    assertEquals((await box.dhow("start", "-a", "user")).code, 0);
  },
);

containerTest("system df says what du says", async (box) => {
  await box.runs("--name", "one", "busybox", "sh", "-c", "head -c 100000 /dev/zero > /zeros");
  await box.ok("commit", "one", "two:1");
  await box.ok("tag", "two:1", "three:1");
  const shown = JSON.parse((await box.ok("system", "df", "--format", "json")).split("\n")[0]!);
  const bytes = await du(box, "blobs") + await du(box, "layers");
  assertEquals(shown, {
    Active: "1",
    Reclaimable: shown.Reclaimable,
    Size: `${Number((bytes / 1e6).toPrecision(4))}MB`,
    TotalCount: "2",
    Type: "Images",
  });
  const verbose = await box.ok("system", "df", "-v");
  assertMatch(verbose, /two +1 .* 1\.98MB|two +1 .* 2\.08MB/);
});

async function du(box: Sandbox, below: string): Promise<number> {
  const { stdout } = await new Deno.Command(insideOf(box)[0]!, {
    args: [...insideOf(box).slice(1), "du", "-sB1", `${box.root}/${below}`],
  }).output();
  return parseInt(new TextDecoder().decode(stdout));
}

containerTest("skopeo and umoci read the store as it is", async (box) => {
  if (!await mayUse("skopeo", "umoci")) return;
  await makeOdd(box);
  const source = `${box.root}:docker.io/library/odd:1`;
  const inspected = JSON.parse(await output("skopeo", "inspect", "--config", `oci:${source}`));
  assertEquals(inspected.config.Env, ["A=b"]);
  assertEquals([inspected.author, inspected.history.at(-1).comment], ["somebody", "odd things"]);
  const copy = `${box.directory}/copy`;
  await output("skopeo", "copy", `oci:${source}`, `oci:${copy}:odd`);
  const tar = `${box.directory}/odd.tar`;
  await box.ok("save", "-o", tar, "odd:1");
  await output("skopeo", "copy", `docker-archive:${tar}:odd:1`, `dir:${box.directory}/dir`);
  const bundle = `${box.directory}/bundle`;
  const rootless = Deno.uid() === 0 ? [] : ["--rootless"];
  await output("umoci", "unpack", ...rootless, "--image", source, bundle);
  const { size, blocks } = await Deno.stat(`${bundle}/rootfs/holes`);
  assertEquals(size, (8 << 20) + 4);
  assert(blocks !== null);
  assertEquals((await Deno.lstat(`${bundle}/rootfs/odd/plain`)).mtime?.getTime(), 1234567890123);
  const linked = ["plain", "linked"].map((name) =>
    Deno.statSync(`${bundle}/rootfs/odd/${name}`).ino
  );
  assertEquals(linked[0], linked[1]);
  assert(
    !(await Array.fromAsync(Deno.readDir(`${bundle}/rootfs/bin`))).some((e) => e.name === "cat"),
  );
  await output("chmod", "-R", "u+rwX", bundle);
});

async function mayUse(...programs: string[]): Promise<boolean> {
  const found = await Promise.all(programs.map(hasProgram));
  return Deno.env.get("DHOW_MUST_WORK") === "1" || found.every((isThere) => isThere);
}

async function output(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) {
    throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
  return new TextDecoder().decode(stdout);
}
