/**
 * The networks of containers and what they stand on: the way out, what keeps networks apart, and how all of it mends.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { hostAddress } from "../../core/container/host_address.ts";
import { findProgram } from "../../core/network/uplink.ts";
import { containerTest, eventually, kill, type Sandbox } from "../helpers/sandbox.ts";

/** A server on the host that greets each client, and waits for it to end. */
function serveHost(): { port: number } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const greet = async (connection: Deno.Conn) => {
    await connection.write(new TextEncoder().encode("hello from the host\n"));
    while (await connection.read(new Uint8Array(64)) !== null);
    connection.close();
  };
  const done = (async () => {
    for await (const connection of listener) await greet(connection).catch(() => {});
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await done;
    },
  };
}

/** A shell command that prints what the host says on a port. */
function ask(address: string, port: number): string {
  return `sleep 0.3 | nc -w 3 ${address} ${port}`;
}

async function start(box: Sandbox, name: string, ...args: string[]): Promise<string> {
  await box.ok("run", "-d", "--name", name, ...args, "busybox", "sleep", "1000");
  const networks = JSON.parse(await box.inspect(name, "{{json .NetworkSettings.Networks}}"));
  return (Object.values(networks)[0] as { IPAddress: string }).IPAddress;
}

/** Whether a container gets an answer to a ping within a second. */
async function pings(box: Sandbox, name: string, address: string): Promise<boolean> {
  return (await box.dhow("exec", name, "ping", "-c1", "-W1", address)).code === 0;
}

containerTest(
  "a container on the default network has an address, and reaches the host",
  async (box) => {
    await using server = serveHost();
    const command = `ip -o addr show eth0; ip route; ${ask("host.docker.internal", server.port)}`;
    const output = await box.ok("run", "--rm", "busybox", "sh", "-c", command);
    assertMatch(output, /inet 172\.17\.0\.2\/16/);
    assertMatch(output, /default via 172\.17\.0\.1 dev eth0/);
    assertMatch(output, /mtu 65520|hello/);
    if (hostAddress() !== undefined) assertMatch(output, /hello from the host/);
    // What listens on the host's loopback interface alone is not for containers.
    const local = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = local.addr as Deno.NetAddr;
    const refused = await box.dhow(
      "run",
      "--rm",
      "busybox",
      "sh",
      "-c",
      `${ask("172.17.0.1", port)}; ${ask("host.docker.internal", port)}`,
    );
    local.close();
    assertNotEquals(refused.code, 0);
  },
);

containerTest("networks are kept apart, and internal ones in", async (box) => {
  await box.ok("network", "create", "blue");
  await box.ok("network", "create", "--internal", "inner");
  await start(box, "blue-one", "--network", "blue");
  const blue = await start(box, "blue-two", "--network", "blue");
  const plain = await start(box, "plain-one");
  const inner = await start(box, "inner-one", "--network", "inner");
  assert(await pings(box, "blue-one", blue));
  assertEquals(await pings(box, "blue-one", plain), false);
  assertEquals(await pings(box, "plain-one", inner), false);
  assertEquals(
    await box.ok("exec", "inner-one", "sh", "-c", "ip route | grep -c default || :"),
    "0",
  );
  await box.ok("network", "connect", "inner", "plain-one");
  assert(await pings(box, "plain-one", inner));
  assertMatch(await box.ok("exec", "plain-one", "cat", "/etc/hosts"), /172\.19\.0\.\d+\t/);
  await box.ok("network", "disconnect", "inner", "plain-one");
  assertEquals(await pings(box, "plain-one", inner), false);
  await box.ok("network", "disconnect", "bridge", "plain-one");
  assertEquals(await box.ok("exec", "plain-one", "ip", "route"), "");
});

containerTest(
  "what the network stands on may be killed: the next command mends it",
  async (box) => {
    await box.ok("network", "create", "blue");
    await start(box, "mend-one", "--network", "blue");
    const other = await start(box, "mend-two", "--network", "blue");
    assert(await pings(box, "mend-one", other));
    const router = box.router()!;
    kill(router);
    await eventually("the router is gone", () => box.router() === undefined || !exists(router));
    await box.ok("ps");
    assertNotEquals(box.router(), router);
    assert(await pings(box, "mend-one", other), "after the router was killed");
    // The uplink is the router's own to start again.
    const uplink = box.uplink()!;
    kill(uplink);
    await eventually("another uplink", () => box.uplink() !== undefined && box.uplink() !== uplink);
    await using server = serveHost();
    if (hostAddress() === undefined) return;
    await eventually("the host answers again", async () => {
      const command = ask("host.docker.internal", server.port);
      return (await box.dhow("exec", "mend-one", "sh", "-c", command)).out ===
        "hello from the host";
    });
  },
);

containerTest("an address is free again after its container", async (box) => {
  for (let round = 0; round < 3; round++) {
    const output = await box.ok("run", "--rm", "busybox", "ip", "-o", "addr", "show", "eth0");
    assertMatch(output, /inet 172\.17\.0\.2\/16/);
  }
});

containerTest("slirp4netns serves where pasta is not", async (box) => {
  if (findProgram("slirp4netns") === undefined) return;
  await using server = serveHost();
  const env = { DHOW_UPLINK: "slirp4netns" };
  const command = ask("host.docker.internal", server.port);
  const { out, err } = await box.run(["run", "--rm", "busybox", "sh", "-c", command], { env });
  if (hostAddress() !== undefined) assertEquals([out, err], ["hello from the host", ""]);
});

function exists(pid: number): boolean {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]?.[0] !== "Z";
  } catch {
    return false;
  }
}
