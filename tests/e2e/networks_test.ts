/**
 * User-defined networks as a user meets them: several of them, connected and disconnected, full, removed, all at once.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readRun } from "../../core/container/state.ts";
import { containerTest, eventually, kill, type Sandbox } from "../helpers/sandbox.ts";

async function start(box: Sandbox, name: string, ...args: string[]): Promise<void> {
  await box.ok("run", "-d", "--name", name, ...args, "busybox", "sleep", "1000");
}

/** What `inspect` says of a container's networks. */
// deno-lint-ignore no-explicit-any
async function networksOf(box: Sandbox, name: string): Promise<any> {
  return JSON.parse(await box.inspect(name, "{{json .NetworkSettings.Networks}}"));
}

async function sh(box: Sandbox, name: string, command: string): Promise<string> {
  return await box.ok("exec", name, "sh", "-c", command);
}

containerTest("a container in several networks is where inspect says it is", async (box) => {
  await box.ok("network", "create", "--subnet", "10.71.0.0/24", "several-a");
  await box.ok("network", "create", "--subnet", "10.72.0.0/24", "several-b");
  await start(
    box,
    "several",
    ...["--network", "name=several-a,ip=10.71.0.50,mac-address=92:d0:c6:0a:29:33"],
    ...["--network", "several-b:ip=10.72.0.60,alias=x"],
  );
  assertMatch(await sh(box, "several", "ip -o addr show eth0"), /10\.71\.0\.50\/24/);
  assertMatch(await sh(box, "several", "cat /sys/class/net/eth0/address"), /92:d0:c6:0a:29:33/);
  assertMatch(await sh(box, "several", "ip -o addr show eth1"), /10\.72\.0\.60\/24/);
  assertMatch(await sh(box, "several", "ip route"), /default via 10\.71\.0\.1 dev eth0/);
  const running = await networksOf(box, "several");
  assertEquals(running["several-b"].IPAddress, "10.72.0.60");
  assertStringIncludes(String(running["several-b"].DNSNames), "several,x");
  assertEquals(
    await box.ok("ps", "--filter", "network=several-b", "--format", "{{.Networks}}"),
    "several-a,several-b",
  );

  // The default route is the network's with the highest priority, and moves with it.
  const priority = ["--gw-priority", "7"];
  await box.ok("network", "create", "--subnet", "10.73.0.0/24", "several-c");
  await box.ok("network", "connect", ...priority, "--alias", "y", "several-c", "several");
  assertMatch(await sh(box, "several", "ip route"), /default via 10\.73\.0\.1 dev eth2/);
  assertStringIncludes(await sh(box, "several", "cat /etc/hosts"), "10.73.0.2\t");
  await box.ok("network", "disconnect", "several-c", "several");
  assertMatch(await sh(box, "several", "ip route"), /default via 10\.71\.0\.1 dev eth0/);
  assertEquals((await sh(box, "several", "cat /etc/hosts")).includes("10.73.0.2"), false);
  await box.ok("network", "connect", "several-c", "several");

  // Nothing of it is held while it is stopped; all of it comes again.
  await box.ok("kill", "several");
  await box.ok("wait", "several");
  const stopped = await networksOf(box, "several");
  assertEquals(Object.keys(stopped), ["several-a", "several-b", "several-c"]);
  assertEquals(stopped["several-a"].IPAddress, "");
  assertEquals(await box.ok("network", "inspect", "-f", "{{.Containers}}", "several-a"), "map[]");
  await start(box, "several-2", "--network", "several-a", "--ip", "10.71.0.50");
  assertStringIncludes((await box.dhow("start", "several")).err, "Address already in use");
  await box.ok("rm", "-f", "several-2");
  await box.ok("start", "several");
  assertMatch(await sh(box, "several", "ip -o addr show eth2"), /10\.73\.0\.2\/24/);
});

containerTest(
  "a network in use stays; one that is gone can be made anew, otherwise",
  async (box) => {
    const bridge = ["-o", "com.docker.network.bridge.name=brx", "--subnet", "10.71.0.0/24"];
    await box.ok("network", "create", "--internal", ...bridge, "stays");
    await start(box, "stays-one", "--network", "stays");
    const refused = await box.dhow("network", "rm", "stays");
    assertMatch(refused.err, /network stays has active endpoints \(name:"stays-one" id:"\w{12}"\)/);
    assertEquals(await box.ok("network", "prune", "-f"), "");
    assertEquals(await sh(box, "stays-one", "ip route | grep -c default || :"), "0");
    await box.ok("rm", "-f", "stays-one");
    await box.ok("network", "rm", "stays");
    // The same bridge, with a way out: the filter has forgotten that it was internal.
    await box.ok("network", "create", "--ipv6", ...bridge, "stays");
    await start(box, "stays-one", "--network", "stays");
    await start(box, "stays-two", "--network", "stays");
    const { GlobalIPv6Address, IPAddress } = (await networksOf(box, "stays-two")).stays;
    await sh(box, "stays-one", `ping -c1 -W2 ${IPAddress} && ping -c1 -W2 10.71.0.1`);
    await eventually("IPv6 works", async () => {
      const ping = await box.dhow("exec", "stays-one", "ping", "-c1", "-W1", GlobalIPv6Address);
      return ping.code === 0;
    });
    // A stopped container keeps no network; without it it does not start until it is disconnected.
    await box.ok("kill", "stays-one", "stays-two");
    await box.ok("wait", "stays-one", "stays-two");
    await box.ok("network", "rm", "stays");
    const failed = await box.dhow("start", "stays-one");
    assertStringIncludes(
      failed.err,
      "failed to set up container networking: network stays not found",
    );
    await box.ok("network", "disconnect", "-f", "stays", "stays-one");
    await box.ok("network", "connect", "bridge", "stays-one");
    await box.ok("start", "stays-one");
  },
);

containerTest("containers that may not reach one another reach the rest", async (box) => {
  const option = ["-o", "com.docker.network.bridge.enable_icc=0"];
  await box.ok("network", "create", "--subnet", "10.71.0.0/24", ...option, "apart");
  await start(box, "apart-one", "--network", "apart");
  await start(box, "apart-two", "--network", "apart");
  await start(box, "apart-three");
  await box.ok("network", "connect", "apart", "apart-three");
  for (const address of ["10.71.0.3", "10.71.0.4"]) {
    assertEquals((await box.dhow("exec", "apart-one", "ping", "-c1", "-W1", address)).code, 1);
  }
  await sh(box, "apart-one", "ping -c1 -W2 10.71.0.1");
});

containerTest("a full network says so, and gives what the dead had", async (box) => {
  await box.ok("network", "create", "--subnet", "10.71.0.0/29", "full");
  const names = [1, 2, 3, 4, 5].map((i) => `full-${i}`);
  await Promise.all(names.map((name) => start(box, name, "--network", "full")));
  const addresses = await Promise.all(
    names.map(async (name) => (await networksOf(box, name)).full.IPAddress),
  );
  assertEquals(addresses.sort(), [2, 3, 4, 5, 6].map((i) => `10.71.0.${i}`));
  const more = ["run", "--rm", "--network", "full", "busybox", "ip", "-o", "addr", "show", "eth0"];
  const refused = await box.dhow(...more);
  assertEquals(refused.code, 125);
  assertStringIncludes(refused.err, "no available IPv4 addresses on this network's address pools");
  assertEquals(await box.ok("ps", "-aq", "--filter", "status=created"), "");
  // Its monitor and its init are killed: nobody gives anything back.
  const id = await box.inspect("full-3", "{{.Id}}");
  const run = readRun(`${box.root}/containers/${id}`)!;
  for (const pid of [run.monitorPid, run.initPid]) kill(pid);
  await eventually("it is dead", async () => {
    return await box.inspect("full-3", "{{.State.Running}}") === "false";
  });
  assertMatch(await box.ok(...more), /10\.71\.0\.[2-6]\/29/);
});

containerTest("whoever is at networks at once gets one of his own", async (box) => {
  const results = await Promise.all(
    Array.from({ length: 8 }, (_, i) => box.dhow("network", "create", `once-${i % 4}`)),
  );
  assertEquals(results.filter(({ code }) => code === 0).length, 4);
  assertEquals(
    results.filter(({ err }) => /^network with name once-\d already exists$/.test(err)).length,
    4,
  );
  const subnets = await box.ok(
    ...["network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}"],
    ...[0, 1, 2, 3].map((i) => `once-${i}`),
  );
  assertEquals(new Set(subnets.split("\n")).size, 4);
  await start(box, "once");
  const networks = [0, 1, 2, 3].map((i) => `once-${i}`);
  await Promise.all(networks.map((name) => box.ok("network", "connect", name, "once")));
  assertEquals(Object.keys(await networksOf(box, "once")), ["bridge", ...networks]);
  assertEquals(await sh(box, "once", "ls /sys/class/net"), "eth0\neth1\neth2\neth3\neth4\nlo");
  await Promise.all(networks.map((name) => box.ok("network", "disconnect", name, "once")));
  assertEquals(await sh(box, "once", "ls /sys/class/net"), "eth0\nlo");
  assertEquals((await box.ok("network", "prune", "-f")).split("\n").length, 5);
  // One that is removed while containers are started on it is either gone or in use, for all of them.
  await box.ok("network", "create", "race");
  const race = await Promise.all([
    ...[1, 2, 3].map((i) =>
      box.dhow("run", "-d", "--name", `race-${i}`, "--network", "race", "busybox", "sleep", "9")
    ),
    box.dhow("network", "rm", "race"),
  ]);
  const isRemoved = race.pop()!.code === 0;
  assert(race.every(({ code, err }) => code === 0 || isRemoved && /race not found/.test(err)));
});

containerTest("interfaces are called and set up as asked", async (box) => {
  const prefix = "com.docker.network.container_iface_prefix=vv";
  await box.ok("network", "create", "-o", prefix, "one");
  const option = (text: string) => `name=one,driver-opt=com.docker.network.endpoint.${text}`;
  const run = (network: string, ...command: string[]) =>
    box.dhow("run", "--rm", "--network", network, "busybox", ...command);
  assertMatch((await run("one", "ip", "-o", "addr")).out, / vv0 /);
  assertMatch((await run(option("ifname=foo0"), "ip", "-o", "addr")).out, / foo0 /);
  const martians = "sysctls=net.ipv4.conf.IFNAME.log_martians=1";
  const file = "/proc/sys/net/ipv4/conf/vv0/log_martians";
  assertEquals((await run(option(martians), "cat", file)).out, "1");
  const missing = await run(option("sysctls=net.ipv4.conf.IFNAME.nothing=1"), "true");
  assertEquals(missing.code, 125);
  assertMatch(missing.err, /failed to set the sysctl net.ipv4.conf.vv0.nothing=1: .*ENOENT/);
  assertMatch((await run(option("sysctls=bad"), "true")).err, /unrecognised network interface/);
  assertMatch((await run(option("ifname=a/b"), "true")).err, /invalid interface name "a\/b"/);
  assertEquals(await box.ok("ps", "-aq"), "");
  await box.ok("network", "rm", "one");
});

containerTest("events tell of networks in docker's order", async (box) => {
  await box.ok("network", "create", "one");
  await box.ok("network", "create", "two");
  const flags = ["--rm", "--network", "two", "--network", "one"];
  await box.ok("run", ...flags, "busybox", "true");
  await box.ok("run", "--rm", "--network", "none", "busybox", "true");
  const format = '{{.Type}} {{.Action}} {{if eq .Type "network"}}{{.Actor.Attributes.name}}{{end}}';
  const events = await box.ok("events", "--since", "1m", "--until", "0s", "--format", format);
  const lines = events.split("\n").map((line) => line.trim());
  assertEquals(lines.slice(lines.indexOf("container create")), [
    ...["container create", "container attach", "network connect two", "network connect one"],
    ...["container start", "network disconnect two", "network disconnect one"],
    ...["container die", "container destroy"],
    ...["container create", "container attach", "network connect none", "container start"],
    ...["network disconnect none", "container die", "container destroy"],
  ]);
  await box.ok("network", "rm", "one", "two");
});
