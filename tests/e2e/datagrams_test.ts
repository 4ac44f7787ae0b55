import { assertEquals, assertMatch } from "@std/assert";
import { containerTest, type Sandbox } from "../helpers/sandbox.ts";
import { mirrorClient, writeDatagramMirror } from "../helpers/datagram_mirror.ts";

/** An address of the host's that is not the loopback interface's. */
const host = Deno.networkInterfaces()
  .find(({ family, address }) => family === "IPv4" && !address.startsWith("127."))?.address;

async function serve(box: Sandbox, ...flags: string[]): Promise<number> {
  writeDatagramMirror(`${box.directory}/mirror`, 53);
  const volume = ["-v", `${box.directory}/mirror:/mirror:ro`];
  await box.ok("run", "-d", "--name", "dns", ...flags, ...volume, "busybox", "/mirror");
  const [place] = (await box.ok("port", "dns", "53/udp")).split("\n");
  return Number(place!.slice(place!.lastIndexOf(":") + 1));
}

containerTest("published UDP ports keep the client's address and port", async (box) => {
  if (host === undefined) return;
  const port = await serve(box, "-p", "53/udp");
  const clients = await Promise.all(Array.from({ length: 50 }, () => mirrorClient()));
  try {
    const seen = await Promise.all(clients.map((client) => client.ask(host, port)));
    assertEquals(seen, clients.map((client) => `${host}:${client.port}`));
    const gateway = await box.inspect("dns", "{{.NetworkSettings.Gateway}}");
    const [first] = clients;
    assertMatch(await first!.ask("127.0.0.1", port), new RegExp(`^${gateway}:`));
    // The first flow is still what it was.
    assertEquals(await first!.ask(host, port), `${host}:${first!.port}`);
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
});

containerTest("a published UDP port answers in a container of two networks", async (box) => {
  if (host === undefined) return;
  await box.ok("network", "create", "aa-net");
  await box.ok("network", "create", "zz-net");
  const port = await serve(box, "-p", "53/udp", "--network", "zz-net", "--network", "aa-net");
  using client = await mirrorClient();
  assertEquals(await client.ask(host, port), `${host}:${client.port}`);
});

containerTest(
  "datagrams a container sends of its own from a published port go out",
  async (box) => {
    if (host === undefined) return;
    const port = await serve(box, "-p", "53/udp");
    using client = await mirrorClient();
    assertEquals(await client.ask(host, port), `${host}:${client.port}`);
    // From another container, which is no client of the proxy's.
    writeDatagramMirror(`${box.directory}/other`, 53);
    const address = await box.inspect("dns", "{{.NetworkSettings.IPAddress}}");
    const script =
      `timeout 1 nslookup -type=a x.test ${address} >/dev/null 2>&1; cat /proc/net/snmp`;
    const counters = await box.ok("run", "--rm", "busybox", "sh", "-c", script);
    const [names, values] = counters.split("\n").filter((line) => line.startsWith("Udp:"))
      .map((line) => line.split(" "));
    assertEquals(Number(values![names!.indexOf("InDatagrams")]) > 0, true, counters);
  },
);
