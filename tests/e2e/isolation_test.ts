// What a container sees and may do: namespaces, mounts, identities, seccomp.
import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { containerTest } from "../helpers/sandbox.ts";

const NAMESPACES = "for name in pid net ipc uts; do readlink /proc/self/ns/$name; done";

containerTest("namespaces are the container's own, or those it is told to share", async (box) => {
  await box.runs(
    "-d",
    "--name",
    "one",
    "--hostname",
    "first",
    "--ipc",
    "shareable",
    "busybox",
    "sleep",
    "1000",
  );
  const see = (...args: string[]) =>
    box.ok(
      "run",
      "--rm",
      ...args,
      "busybox",
      "sh",
      "-c",
      NAMESPACES,
    );
  const first = (await box.ok(
    "exec",
    "one",
    "sh",
    "-c",
    NAMESPACES,
  )).split("\n");
  const own = (await see("--network", "none")).split("\n");
  for (const [i, name] of own.entries()) assertNotEquals(name, first[i]);
  assertEquals((await see("--network", "none", "--pid", "container:one")).split("\n")[0], first[0]);
  assertEquals((await see("--network", "container:one")).split("\n")[1], first[1]);
  assertEquals((await see("--network", "none", "--ipc", "container:one")).split("\n")[2], first[2]);
  assertEquals(await box.runs("--rm", "--uts", "host", "busybox", "hostname"), Deno.hostname());
  const net = await Deno.readLink("/proc/self/ns/net");
  assertEquals((await see("--network", "host")).split("\n")[1], net);
  assertEquals(await box.ok("exec", "one", "hostname"), "first");
  assertEquals(
    await box.runs("--rm", "busybox", "sh", "-c", "echo $$; ls /sys/class/net"),
    "1\nlo",
  );
});

containerTest(
  "volumes: named ones last and begin with the image's content, binds obey ro, others are shared",
  async (box) => {
    const mounted = ["-v", "data:/etc"];
    assertMatch(await box.runs("--rm", ...mounted, "busybox", "cat", "/etc/passwd"), /^root:/);
    await box.runs("--rm", ...mounted, "busybox", "sh", "-c", "echo kept > /etc/new");
    assertEquals(
      await box.runs("--rm", "--mount", "type=volume,src=data,dst=/d", "busybox", "cat", "/d/new"),
      "kept",
    );
    const host = `${box.directory}/host`;
    await Deno.mkdir(host);
    await box.runs("--rm", "-v", `${host}:/h`, "busybox", "sh", "-c", "echo seen > /h/file");
    assertEquals(await Deno.readTextFile(`${host}/file`), "seen\n");
    const refused = await box.dhow(
      "run",
      "--rm",
      "--network",
      "none",
      "-v",
      `${host}:/h:ro`,
      "busybox",
      "touch",
      "/h/x",
    );
    assertMatch(refused.err, /Read-only file system/);
    await box.runs(
      "-d",
      "--name",
      "from",
      "-v",
      "/anon",
      "-v",
      "data:/data",
      "busybox",
      "sleep",
      "1000",
    );
    await box.ok("exec", "from", "sh", "-c", "echo shared > /anon/f");
    assertEquals(
      await box.runs("--rm", "--volumes-from", "from", "busybox", "cat", "/anon/f", "/data/new"),
      "shared\nkept",
    );
    assertMatch(
      (await box.dhow(
        "run",
        "--rm",
        "--network",
        "none",
        "--volumes-from",
        "from:ro",
        "busybox",
        "touch",
        "/anon/g",
      )).err,
      /Read-only/,
    );
    await box.ok("rm", "-fv", "from");
    const entries = await Array.fromAsync(Deno.readDir(`${box.root}/volumes`));
    const volumes = entries.map(({ name }) => name);
    assertEquals(volumes, ["data"]);
  },
);

containerTest("--read-only, --tmpfs, --shm-size and mount propagation", async (box) => {
  const script =
    "touch /x 2>/dev/null && echo writable; touch /t/x && df -k /t | tail -1 | awk '{print $2}'; df -k /dev/shm | tail -1 | awk '{print $2}'";
  const seen = await box.runs(
    "--rm",
    "--read-only",
    "--tmpfs",
    "/t:size=1m,mode=1777",
    "--shm-size",
    "2m",
    "busybox",
    "sh",
    "-c",
    script,
  );
  assertEquals(seen, "1024\n2048");
  const options = await box.runs(
    "--rm",
    "--tmpfs",
    "/t",
    "busybox",
    "grep",
    " /t ",
    "/proc/mounts",
  );
  assertMatch(options, /tmpfs .*nosuid.*nodev.*noexec/);
  const host = `${box.directory}/h`;
  await Deno.mkdir(host);
  const propagation = await box.runs(
    "--rm",
    "-v",
    `${host}:/p:rslave`,
    "busybox",
    "grep",
    " /p ",
    "/proc/self/mountinfo",
  );
  assertMatch(propagation, / \/p /);
});

containerTest(
  "users by name, capabilities, no_new_privs, ulimits, sysctls, environment",
  async (box) => {
    const id = await box.runs("--rm", "-u", "daemon", "--group-add", "staff", "busybox", "id");
    assertMatch(id, /uid=1\(daemon\) gid=1\(daemon\) groups=.*50\(staff\)/);
    const unknown = await box.dhow(
      "run",
      "--rm",
      "--network",
      "none",
      "-u",
      "nobody-here",
      "busybox",
      "true",
    );
    assertEquals(unknown.code, 125);
    assertMatch(unknown.err, /unable to find user nobody-here/);
    const caps = (...args: string[]) =>
      box.runs("--rm", ...args, "busybox", "grep", "CapBnd", "/proc/self/status");
    assertMatch(await caps(), /00000000a80425fb$/);
    assertMatch(await caps("--cap-drop", "all"), /0000000000000000$/);
    assertMatch(await caps("--cap-drop", "all", "--cap-add", "chown"), /0000000000000001$/);
    const privileges = await box.runs(
      "--rm",
      "--security-opt",
      "no-new-privileges",
      "busybox",
      "grep",
      "NoNewPrivs",
      "/proc/self/status",
    );
    assertMatch(privileges, /1$/);
    assertEquals(
      await box.runs("--rm", "--ulimit", "nofile=99:99", "busybox", "sh", "-c", "ulimit -n"),
      "99",
    );
    assertEquals(
      await box.runs(
        "--rm",
        "--sysctl",
        "net.ipv4.ip_forward=1",
        "busybox",
        "cat",
        "/proc/sys/net/ipv4/ip_forward",
      ),
      "1",
    );
    assertEquals(
      await box.runs("--rm", "-e", "A=b", "-w", "/new/dir", "busybox", "sh", "-c", "echo $A $PWD"),
      "b /new/dir",
    );
  },
);

containerTest("seccomp and masked paths deny what docker denies", async (box) => {
  const tries = async (...args: string[]) => {
    const script =
      "unshare -U true; echo $?; mount -t tmpfs x /mnt 2>/dev/null || mount -t tmpfs x /tmp; echo $?; cat /proc/timer_list | wc -c; ls /sys/firmware | wc -l; echo 1 > /proc/sys/kernel/printk; echo $?";
    return (await box.run([
      "run",
      "--rm",
      "--network",
      "none",
      ...args,
      "busybox",
      "sh",
      "-c",
      script,
    ])).out.split("\n");
  };
  const [unshare, mount, timers, firmware, sysctl] = await tries();
  assertNotEquals(unshare, "0");
  assertNotEquals(mount, "0");
  assertEquals([timers, firmware], ["0", "0"]);
  assertNotEquals(sysctl, "0");
  const open = await tries("--security-opt", "seccomp=unconfined", "--cap-add", "SYS_ADMIN");
  assertEquals([open[0], open[1]], ["0", "0"]);
  assertMatch(await box.runs("--rm", "busybox", "grep", "Seccomp:", "/proc/self/status"), /2$/);
});

containerTest("--explain prints the program and starts nothing", async (box) => {
  const text = await box.ok(
    "run",
    "--explain",
    "--network",
    "none",
    "--name",
    "never",
    "-v",
    "vol:/data",
    "busybox",
    "true",
  );
  for (const part of ["clone", "setns", "pivot_root", "execve", "/data", '"true"']) {
    assertEquals(text.includes(part), true, part);
  }
  assertEquals(await box.ok("ps", "-aq"), "");
  assertEquals(box.processes(), []);
});

containerTest("a start that fails names what failed, and leaves nothing running", async (box) => {
  const missing = await box.dhow(
    "run",
    "--network",
    "none",
    "--name",
    "bad",
    "-v",
    `${box.directory}/no:/x:ro`,
    "--mount",
    "type=bind,src=/nonexistent,dst=/y",
    "busybox",
    "true",
  );
  assertEquals(missing.code, 125);
  assertMatch(missing.err, /\/nonexistent/);
  const device = await box.dhow(
    "run",
    "--rm",
    "--network",
    "none",
    "--device",
    "/dev/none",
    "busybox",
    "true",
  );
  assertEquals(device.code, 125);
  assertMatch(device.err, /\/dev\/none/);
  assertEquals(box.processes(), []);
});

containerTest("nothing may be mounted over /proc, whatever leads there", async (box) => {
  const file = `${box.directory}/uptime`;
  await Deno.writeTextFile(file, "1 2\n");
  const refused = async (target: string, image = "busybox") => {
    const flags = ["--rm", "--network", "none", "-v", `${box.directory}:${target}`];
    const { code, err } = await box.dhow("run", ...flags, image, "true");
    assertEquals(code, 125, err);
    assertMatch(err, /cannot be mounted because it is inside \/proc/);
  };
  for (const target of ["/proc", "/proc/sys/net", "/proc/self/attr"]) await refused(target);
  await box.ok(
    "run",
    "--name",
    "link",
    "--network",
    "none",
    "busybox",
    "ln",
    "-s",
    "/proc/sys",
    "/to",
  );
  await box.ok("commit", "link", "linked");
  await refused("/to", "linked");
  await refused("/to/kernel", "linked");
  const flags = ["--rm", "--network", "none", "-v", `${file}:/proc/uptime`];
  assertEquals(await box.ok("run", ...flags, "busybox", "cat", "/proc/uptime"), "1 2");
  await box.ok("rm", "link");
});
