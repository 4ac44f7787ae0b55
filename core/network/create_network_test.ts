import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { type StorePaths, storePaths } from "../host/paths.ts";
import { freeSubnet, routesV4, routesV6 } from "./address_pools.ts";
import { createNetwork } from "./create_network.ts";
import { pruneNetworks, removeNetwork } from "./remove_network.ts";
import { bridgeName, listNetworks, mtuOf, readNetwork } from "./record.ts";
import { formatSubnet, overlaps, parseSubnet } from "./subnet.ts";

async function withStore(fn: (paths: StorePaths) => void | Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "dhow-networks-" });
  try {
    await fn(storePaths(root));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("createNetwork() keeps any name that docker takes, and finds it again", async () => {
  await withStore(async (paths) => {
    const names = [
      "web",
      "a b",
      "..",
      "a/b",
      "-x",
      "\u00fcn\u00efc\u00f6de",
      "n".repeat(300),
      "%2e",
    ];
    const made = names.map((name) => createNetwork(paths, name));
    assertEquals(names.map((name) => readNetwork(paths, name)), made);
    assertEquals(readNetwork(paths, made[0]!.id.slice(0, 20)).name, "web");
    assertEquals(listNetworks(paths).length, names.length + 3);
    for (const name of names) {
      assertThrows(() => createNetwork(paths, name), DhowError, `${name} already exists`);
    }
    for (const { id } of made) await removeNetwork(paths, id, () => []);
    const left = await Array.fromAsync(Deno.readDir(`${paths.root}/networks`));
    assertEquals(left.map(({ name }) => name), [".lock"]);
    assertThrows(() => readNetwork(paths, "web"), DhowError, "network web not found");
  });
});

Deno.test("createNetwork() gives every network a subnet of its own", async () => {
  await withStore(async (paths) => {
    const all = Array.from({ length: 40 }, (_, i) => {
      try {
        return createNetwork(paths, `n${i}`, { EnableIPv6: true }).pools;
      } catch (error) {
        // The host may have routes to some of the pools.
        if (error instanceof DhowError && error.message.startsWith("all predefined")) return [];
        throw error;
      }
    }).flat().map(({ subnet }) => parseSubnet(subnet)!);
    all.push(parseSubnet(readNetwork(paths, "bridge").pools[0]!.subnet)!);
    const clashes = all.filter((a, i) => all.slice(i + 1).some((b) => overlaps(a, b)));
    assertEquals(clashes, []);
    assertThrows(() => createNetwork(paths, "more"), DhowError, "fully subnetted");
    assertEquals((await pruneNetworks(paths, () => [])).length, (all.length - 1) / 2);
  });
});

Deno.test("freeSubnet() goes round what is taken", async () => {
  await withStore((paths) => {
    const busy = ["172.16.0.0/12", "192.168.0.0/19", "192.168.40.0/24"]
      .map((text) => parseSubnet(text)!);
    assertEquals(formatSubnet(freeSubnet(paths, 4, busy)), "192.168.48.0/20");
    const first = freeSubnet(paths, 6, []), second = freeSubnet(paths, 6, [first]);
    assertEquals([formatSubnet(first).slice(0, 2), first.prefix], ["fd", 64]);
    assertEquals(second.base - first.base, 1n << 64n);
  });
});

Deno.test("the host's routes are read, the default route is none", () => {
  const v4 = [
    "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0",
    "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
    "",
  ];
  assertEquals(routesV4(v4).map(formatSubnet), ["172.17.0.0/16"]);
  const zero = "0".repeat(32);
  const v6 = [
    `fd000000000000000000000000000000 08 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0`,
    `${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0`,
    `${zero.slice(1)}1 80 ${zero} 00 ${zero} 00000000 00000002 00000000 80200001       lo`,
    "",
  ];
  assertEquals(routesV6(v6).map(formatSubnet), ["fd00::/8"]);
});

Deno.test("the default networks are there without having been made", async () => {
  await withStore((paths) => {
    const [bridge, host, none] = listNetworks(paths);
    assertEquals([bridge!.driver, host!.driver, none!.driver], ["bridge", "host", "null"]);
    assertEquals([bridgeName(bridge!), mtuOf(bridge!)], ["docker0", 65520]);
    assertEquals(bridge!.pools[0]!.gateway, "172.17.0.1");
    assertEquals(new Set([bridge!.id, host!.id, none!.id]).size, 3);
    assertEquals(readNetwork(paths, bridge!.id.slice(0, 12)), bridge);
    const ids = [bridge!, host!, none!].map(({ id }) => id.length);
    assertEquals(ids, [64, 64, 64]);
  });
});

Deno.test("a bridge cannot be called like what the router has already, nor like a rule", async () => {
  await withStore((paths) => {
    const name = (text: string) => ({ Options: { "com.docker.network.bridge.name": text } });
    for (
      const text of ["lo", "tap0", "veth1", "all", "%d", 'b"; x', "..", "a b", "0123456789abcdef"]
    ) {
      assertThrows(() => createNetwork(paths, "n", name(text)), DhowError, "invalid bridge name");
    }
    assertThrows(() => createNetwork(paths, "n", name("docker0")), DhowError, "same bridge name");
    const unnamed = createNetwork(paths, "n", name(""));
    assertEquals(bridgeName(unnamed), `br-${unnamed.id.slice(0, 12)}`);
  });
});

Deno.test("pruneNetworks() takes what a killed command has left, and nothing else", async () => {
  await withStore(async (paths) => {
    const { id } = createNetwork(paths, "used");
    const directory = `${paths.root}/networks`;
    for (
      const left of ["a".repeat(64), `${"b".repeat(64)}.removed`, readNetwork(paths, "bridge").id]
    ) {
      await Deno.mkdir(`${directory}/${left}`);
    }
    await Deno.writeTextFile(`${directory}/${"c".repeat(64)}.new`, "{");
    const user = { containerId: "x", containerName: "x", endpointId: "x" };
    assertEquals(await pruneNetworks(paths, () => [user]), []);
    const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
    const kept = [".lock", id, readNetwork(paths, "bridge").id, "used.json"];
    assertEquals(names.sort(), kept.sort());
  });
});
