// Containers with a user namespace of their own.
import { assertEquals, assertMatch } from "@std/assert";
import { defaultIdMap } from "../../core/host/subid.ts";
import { containerTest, type Sandbox } from "../helpers/sandbox.ts";

const isRoot = Deno.uid() === 0;
const map = defaultIdMap();

/** A test for ordinary users with subordinate ids: root's ids cannot be kept. */
function userTest(name: string, fn: (box: Sandbox) => Promise<void>): void {
  if (!isRoot && !map.single) containerTest(name, fn);
}

userTest("with keep-id files on a bind mount are the caller's, and only they", async (box) => {
  const shared = `${box.directory}/shared`;
  await Deno.mkdir(shared);
  const run = ["--rm", "-v", `${shared}:/s`, "--userns"];
  const id = await box.runs(
    ...run,
    "keep-id",
    "busybox",
    "sh",
    "-c",
    "touch /s/mine; id -u; id -g",
  );
  assertEquals(id, `${Deno.uid()}\n${Deno.gid()}`);
  await box.runs(...run, "keep-id", "-u", "0", "busybox", "touch", "/s/roots");
  const five = await box.runs(
    ...[
      ...run,
      "keep-id:uid=5,gid=6",
      "busybox",
      "sh",
      "-c",
      "touch /s/five; stat -c %u:%g /s/mine",
    ],
  );
  assertEquals(five, "5:6");
  const owner = (name: string) => Deno.statSync(`${shared}/${name}`).uid;
  assertEquals([owner("mine"), owner("five")], [Deno.uid(), Deno.uid()]);
  assertEquals(owner("roots"), map.uids[1]!.hostID);
  await box.runs("--rm", "-v", `${shared}:/s`, "busybox", "rm", "/s/roots");
});

userTest(
  "with keep-id the image's files keep their owners, in commit, cp and export too",
  async (box) => {
    const prepare = "mkdir /v; chown 3:4 /v; touch /v/f /rootfile; chown 7:8 /rootfile";
    await box.runs("--name", "maker", "busybox", "sh", "-c", prepare);
    await box.ok("commit", "maker", "owned");
    await box.ok("rm", "maker");
    const first = await box.dhow(
      ...[
        "run",
        "-d",
        "--network",
        "none",
        "--name",
        "kept",
        "--userns",
        "keep-id",
        "-v",
        "vol:/v",
      ],
      ...["owned", "sh", "-c", "touch /tmp/mine; sleep 60"],
    );
    assertMatch(first.err, /Unpacking owned once more, for/);
    const look = (path: string) => box.ok("exec", "kept", "stat", "-c", "%u:%g", path);
    await box.until("kept", "{{.State.Running}}", "true");
    const own = `${Deno.uid()}:${Deno.gid()}`;
    assertEquals(await look("/"), "0:0");
    assertEquals(await look("/rootfile"), "7:8");
    assertEquals(await look("/v"), "3:4");
    assertEquals(await box.ok("exec", "kept", "id", "-u"), String(Deno.uid()));
    assertEquals(await box.ok("exec", "-u", "9", "kept", "id", "-u"), "9");
    assertEquals(await box.inspect("kept", "{{.HostConfig.UsernsMode}}"), "keep-id");
    const listing = new TextDecoder().decode(await tarOf(box, "export", "kept"));
    assertMatch(listing, / 7\/8 .* rootfile\n/);
    assertMatch(listing, new RegExp(` ${own.replace(":", "/")} .* tmp/mine\n`));
    await box.ok("commit", "kept", "again");
    await box.ok("kill", "kept");
    assertMatch(new TextDecoder().decode(await tarOf(box, "cp", "kept:/rootfile", "-")), / 7\/8 /);
    const owners = ["stat", "-c", "%u:%g", "/rootfile", "/tmp/mine"];
    assertEquals(await box.runs("--rm", "again", ...owners), `7:8\n${own}`);
    await box.ok("start", "kept");
    assertEquals(await look("/tmp/mine"), own);
    await box.ok("rm", "-fv", "kept");
    await box.ok("volume", "rm", "vol");
  },
);

async function tarOf(box: Sandbox, ...args: string[]): Promise<Uint8Array> {
  const { stdout } = await box.command(args).output();
  const tar = new Deno.Command("tar", {
    args: ["-tvn", "--numeric-owner"],
    stdin: "piped",
    stdout: "piped",
  });
  const child = tar.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(stdout);
  await writer.close();
  return (await child.output()).stdout;
}

userTest("with nomap the caller has no place in the container", async (box) => {
  await Deno.writeTextFile(`${box.directory}/file`, "x");
  const look = ["stat", "-c", "%u:%g", "/file", "/"];
  const mount = ["-v", `${box.directory}/file:/file`];
  const found = await box.runs("--rm", "--userns", "nomap", ...mount, "busybox", ...look);
  assertEquals(found, "65534:65534\n0:0");
});

if (!map.single) {
  containerTest(
    "with auto no two containers share ids; what one had the next gets",
    async (box) => {
      const create = (name: string) =>
        box.runs("-d", "--name", name, "--userns", "auto:size=2000", "busybox", "sleep", "60");
      await Promise.all([create("one"), create("two")]);
      const first = async (name: string) =>
        Number((await box.ok("exec", name, "cat", "/proc/self/uid_map")).trim().split(/ +/)[1]);
      const [one, two] = [await first("one"), await first("two")];
      assertEquals(Math.abs(one - two), 2000);
      await box.ok("rm", "-f", "one");
      await create("three");
      assertEquals(await first("three"), one);
      await box.ok("rm", "-f", "two", "three");
    },
  );
}

containerTest("what a mode is not, or cannot be, is said", async (box) => {
  const run = ["run", "--rm", "--network", "none", "--userns"];
  for (const mode of ["foo", "private", "keep-id:foo=1", "auto:size=x"]) {
    const { code, err } = await box.dhow(...run, mode, "busybox", "true");
    assertEquals(code, 125);
    assertMatch(err, /--userns: /);
  }
  if (!isRoot) return;
  const { err } = await box.dhow(...run, "keep-id", "busybox", "true");
  assertMatch(err, /keep-id is only supported in rootless mode/);
});

containerTest("a container of its own ids shares another's network, and is shared", async (box) => {
  const mode = isRoot || map.single ? "host" : "keep-id";
  const sleep = ["busybox", "sleep", "60"];
  await box.runs("-d", "--name", "plain", ...sleep);
  await box.runs("-d", "--name", "kept", "--userns", mode, ...sleep);
  const net = (name: string) => box.ok("exec", name, "readlink", "/proc/self/ns/net");
  const look = ["busybox", "readlink", "/proc/self/ns/net"];
  const joined = await box.ok(
    "run",
    "--rm",
    "--network",
    "container:plain",
    "--userns",
    mode,
    ...look,
  );
  assertEquals(joined, await net("plain"));
  const other = await box.ok("run", "--rm", "--network", "container:kept", ...look);
  assertEquals(other, await net("kept"));
  await box.ok("rm", "-f", "plain", "kept");
});
