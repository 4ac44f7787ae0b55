// Volumes and mounts, as a user meets them.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { containerTest } from "../helpers/sandbox.ts";

containerTest("data in a named volume survives rm and run; anonymous volumes go", async (box) => {
  await box.runs(
    "--name",
    "writer",
    "-v",
    "data:/d",
    "-v",
    "/anon",
    "busybox",
    "sh",
    "-c",
    [
      "echo kept > /d/file; chown 33:50 /d/file",
    ].join(),
  );
  assertEquals((await box.ok("volume", "ls", "-q")).split("\n").length, 2);
  const taken = await box.dhow("volume", "rm", "data");
  assertMatch(taken.err, /^remove data: volume is in use - \[[0-9a-f]{64}\]$/);
  await box.ok("rm", "-v", "writer");
  assertEquals(await box.ok("volume", "ls", "-q"), "data");
  const read = ["sh", "-c", "cat /x/file; stat -c %u:%g /x/file"];
  assertEquals(await box.runs("--rm", "-v", "data:/x:ro", "busybox", ...read), "kept\n33:50");
  assertEquals(await box.ok("volume", "prune", "-f"), "Total reclaimed space: 0B");
  assertMatch(await box.ok("volume", "prune", "-af"), /^Deleted Volumes:\ndata\n/);
});

containerTest(
  "a volume taken over by --volumes-from stays as long as somebody has it",
  async (box) => {
    await box.runs("--name", "first", "-v", "/anon", "busybox", "touch", "/anon/f");
    await box.ok(
      "create",
      "--name",
      "second",
      "--volumes-from",
      "first:ro",
      "busybox",
      "ls",
      "/anon",
    );
    await box.ok("rm", "-v", "first");
    assertEquals(await box.ok("start", "-a", "second"), "f");
    const [name] = (await box.ok("volume", "ls", "-q")).split("\n");
    await box.ok("rm", "-v", "second");
    assertEquals(await box.ok("volume", "ls", "-qf", "dangling=true"), name);
    await box.ok("volume", "prune", "-f");
  },
);

containerTest(
  "a new volume gets what the image has there, once, unless told not to",
  async (box) => {
    await box.runs(
      "--name",
      "maker",
      "busybox",
      "sh",
      "-c",
      [
        "mkdir -p /seed/sub; echo a > /seed/sub/a; chown 7:8 /seed; chmod 750 /seed",
      ].join(),
    );
    await box.ok("commit", "maker", "seeded");
    await box.ok("rm", "maker");
    const look = ["sh", "-c", "stat -c '%u:%g %a' /seed; find /seed | wc -l"];
    assertEquals(await box.runs("--rm", "-v", "full:/seed", "seeded", ...look), "7:8 750\n3");
    assertEquals(
      await box.runs("--rm", "-v", "bare:/seed:nocopy", "seeded", ...look),
      "0:0 755\n1",
    );
    await box.runs("--rm", "-v", "used:/other", "busybox", "touch", "/other/mine");
    const names = ["run", "--rm", "--network", "none", "-v", "used:/seed", "seeded", "ls", "/seed"];
    assertEquals(await box.ok(...names), "mine");
    await box.ok("volume", "rm", "full", "bare", "used");
  },
);

containerTest(
  "removing and using a volume at once loses neither data nor containers",
  async (box) => {
    await box.ok("volume", "create", "shared");
    const users = Array.from(
      { length: 6 },
      (_, i) => box.dhow("create", "--name", `user${i}`, "-v", "shared:/v", "busybox", "ls", "/v"),
    );
    const removals = Array.from({ length: 6 }, () => box.dhow("volume", "rm", "-f", "shared"));
    for (const { code, err } of await Promise.all(users)) assertEquals([code, err], [0, ""]);
    await Promise.all(removals);
    // Whoever was made has the volume that is there.
    assertEquals(await box.ok("volume", "ls", "-q"), "shared");
    assertEquals((await box.dhow("volume", "rm", "shared")).code, 1);
    for (let i = 0; i < 6; i++) await box.ok("start", "-a", `user${i}`);
  },
);

containerTest("read-only is recursive; a file and a socket can be mounted", async (box) => {
  const source = `${box.directory}/source`;
  await Deno.mkdir(`${source}/inner`, { recursive: true });
  await Deno.writeTextFile(`${source}/one`, "one\n");
  using listener = Deno.listen({ transport: "unix", path: `${source}/socket` });
  // A mount below the source: a tmpfs of the mount namespace that dhow is started in.
  const script =
    `mount -t tmpfs none "$1/inner" || exit 77; touch "$1/inner/f"; exec "$2" run --rm --network none ` +
    `-v "$1:/v:ro" busybox sh -c 'ls /v/inner; touch /v/x; touch /v/inner/x'`;
  if (Deno.uid() === 0) {
    const launcher = new URL("../../dhow", import.meta.url).pathname;
    const command = new Deno.Command("unshare", {
      args: ["-m", "sh", "-c", script, "sh", source, launcher],
      env: box.env,
    });
    const { code, stdout, stderr } = await command.output();
    const errors = new TextDecoder().decode(stderr);
    // Where even root may not mount, there is nothing to look at, but it must have been that.
    if (code === 77) assertMatch(errors, /mount: .*(permission denied|not permitted)/i);
    else {
      assertEquals(new TextDecoder().decode(stdout), "f\n");
      assertEquals(errors.match(/Read-only file system/g)?.length, 2, errors);
    }
  }
  const mounts = ["-v", `${source}/one:/etc/one:ro`, "-v", `${source}/socket:/run/s`];
  const look = "cat /etc/one; test -S /run/s && echo socket; touch /etc/one";
  const { out, err } = await box.dhow(
    ...["run", "--rm", "--network", "none", ...mounts, "busybox", "sh", "-c", look],
  );
  assertEquals(out, "one\nsocket");
  assertMatch(err, /Read-only file system/);
  assertEquals(listener.addr.transport, "unix");
});

containerTest("a volume's subpath never leads out of it, whatever links are in it", async (box) => {
  const links = "mkdir -p /v/in/er; ln -s / /v/root; ln -s ../../../.. /v/up; " +
    "ln -s /proc/self/root /v/magic; ln -s in /v/fine; ln -s ../up /v/in/loop; echo hi > /v/in/f";
  await box.runs("--rm", "-v", "vol:/v", "busybox", "sh", "-c", links);
  const mount = (subpath: string, ...command: string[]) =>
    box.dhow(
      ...[
        "run",
        "--rm",
        "--network",
        "none",
        "--mount",
        `src=vol,dst=/v,volume-subpath=${subpath}`,
      ],
      ...["busybox", ...command],
    );
  for (const subpath of ["root", "root/etc", "up", "magic", "in/loop", "fine/../../up"]) {
    const { code, err } = await mount(subpath, "ls", "/v");
    assertEquals(code, 125, `${subpath}: ${err}`);
    assertMatch(err, /escapes the base directory|must be a relative path/);
  }
  assertEquals((await mount("fine", "cat", "/v/f")).out, "hi");
  assertEquals((await mount("fine/f", "cat", "/v")).out, "hi");
  const missing = await mount("in/none", "true");
  assertEquals(missing.code, 127);
  assertMatch(missing.err, /cannot access path .*\/in\/none: .* no such file or directory/);

  // cp into a container that does not run sees the same part of the volume.
  const at = ["--mount", "src=vol,dst=/root,volume-subpath=in"];
  await box.ok("create", "--name", "stopped", ...at, "busybox", "cat", "/root/copied");
  await Deno.writeTextFile(`${box.directory}/copied`, "copied");
  await box.ok("cp", `${box.directory}/copied`, "stopped:/root/copied");
  assertEquals(await box.ok("start", "-a", "stopped"), "copied");
  assertEquals((await mount("copied", "true")).code, 127);
  await box.ok("rm", "stopped");
  await box.ok("volume", "rm", "vol");
});

containerTest(
  "an image of several layers is mounted to be read, and kept meanwhile",
  async (box) => {
    await box.runs("--name", "maker", "busybox", "sh", "-c", "echo new > /added; rm /etc/passwd");
    await box.ok("commit", "maker", "other");
    await box.ok("rm", "maker");
    const look = "cat /img/added; test ! -e /img/etc/passwd && echo gone; touch /img/x";
    const mount = ["--mount", "type=image,src=other,dst=/img"];
    const { out, err } = await box.dhow(
      ...["run", "--rm", "--network", "none", ...mount, "busybox", "sh", "-c", look],
    );
    assertEquals(out, "new\ngone");
    assertMatch(err, /Read-only file system/);
    const file = "type=image,src=other,dst=/f,image-subpath=added";
    await box.ok(
      "create",
      "--name",
      "user",
      "--network",
      "none",
      "--mount",
      file,
      "busybox",
      "cat",
      "/f",
    );
    assertEquals((await box.dhow("rmi", "other")).code, 1);
    assertEquals(await box.ok("start", "-a", "user"), "new");
    await box.ok("rm", "user");
    await box.ok("rmi", "other");
  },
);

containerTest("what cannot be mounted says why, and nothing is left", async (box) => {
  const cases = [
    ["nfs", "o=addr=192.0.2.1", ":/export", /lets no user namespace mount "nfs".*o=bind/],
    ["cifs", "o=user=x", "//192.0.2.1/x", /lets no user namespace mount "cifs"/],
    ["none", "o=bind", "/nonexistent/x", /mount \/nonexistent\/x:.*no such file or directory/],
  ] as const;
  for (const [type, o, device, message] of cases) {
    const options = ["-o", `type=${type}`, "-o", o, "-o", `device=${device}`];
    await box.ok("volume", "create", ...options, "vol");
    const run = [
      "run",
      "--rm",
      "--network",
      "none",
      "-v",
      "vol:/v",
      "-v",
      "/anon",
      "busybox",
      "true",
    ];
    const { code, err } = await box.dhow(...run);
    assert(code === 125 || code === 127, err);
    assertMatch(err, message);
    assertEquals(await box.ok("ps", "-aq"), "");
    assertEquals(await box.ok("volume", "ls", "-q"), "vol");
    await box.ok("volume", "rm", "vol");
  }
});

containerTest(
  "a tmpfs volume is one for all that have it at a time, each as it asked for it",
  async (box) => {
    const options = ["-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m,mode=1777"];
    await box.ok("volume", "create", ...options, "fast");
    const sleeper = (name: string, mount: string) =>
      box.ok(
        "run",
        "-d",
        "--name",
        name,
        "--network",
        "none",
        "-v",
        mount,
        "busybox",
        "sleep",
        "99",
      );
    await sleeper("first", "fast:/one:ro");
    await sleeper("second", "fast:/other/place");
    await box.ok("exec", "second", "sh", "-c", "echo hello > /other/place/f");
    assertEquals(await box.ok("exec", "first", "cat", "/one/f"), "hello");
    const { code } = await box.dhow("exec", "first", "touch", "/one/g");
    assertEquals(code, 1);
    const big = await box.dhow(
      "exec",
      "second",
      "dd",
      "if=/dev/zero",
      "of=/other/place/g",
      "bs=1M",
      "count=2",
    );
    assertMatch(big.err, /No space left on device/);
    await box.ok("rm", "-f", "first");
    await sleeper("third", "fast:/three");
    assertEquals(await box.ok("exec", "third", "cat", "/three/f"), "hello");
    await box.ok("rm", "-f", "second", "third");
    const ls = ["run", "--rm", "--network", "none", "-v", "fast:/v", "busybox", "ls", "/v"];
    assertEquals(await box.ok(...ls), "");
    await box.ok("volume", "rm", "fast");
  },
);
