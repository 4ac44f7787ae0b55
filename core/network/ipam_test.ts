import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { O_RDWR } from "../../ffi/abi/constants.ts";
import { open } from "../../ffi/fd.ts";
import { tryLock } from "../../ffi/lock.ts";
import { DhowError } from "../errors.ts";
import { storePaths } from "../host/paths.ts";
import { createNetwork } from "./create_network.ts";
import { claimAddress, releaseAddresses } from "./ipam.ts";
import { removeNetwork } from "./remove_network.ts";

const subnet = (Subnet: string) => ({ IPAM: { Driver: "", Options: null, Config: [{ Subnet }] } });

/** A store, and containers in it that run as long as their locks are held. */
class Store implements Disposable {
  readonly root = Deno.makeTempDirSync({ prefix: "dhow-ipam-" });
  readonly paths = storePaths(this.root);
  readonly #stack = new DisposableStack();

  /** Starts a container, as far as addresses are concerned. Disposing kills it. */
  container(id: string): Disposable {
    Deno.mkdirSync(`${this.paths.containers}/${id}`, { recursive: true });
    Deno.writeTextFileSync(`${this.paths.containers}/${id}/lock`, "");
    const lock = this.#stack.use(open(`${this.paths.containers}/${id}/lock`, O_RDWR));
    tryLock(lock);
    return lock;
  }

  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
    Deno.removeSync(this.root, { recursive: true });
  }
}

Deno.test("claimAddress() gives the lowest that is free, and again what was given back", () => {
  using store = new Store();
  const network = createNetwork(store.paths, "n", subnet("10.0.0.0/29"));
  const pool = network.pools[0]!;
  for (const id of ["a", "b", "c"]) store.container(id);
  const claim = (id: string, wanted?: string) =>
    claimAddress(store.paths, network, pool, id, wanted);
  assertEquals(["a", "b"].map((id) => claim(id)), ["10.0.0.2", "10.0.0.3"]);
  assertThrows(() => claim("c", "10.0.0.2"), DhowError, "Address already in use");
  for (const never of ["10.0.0.0", "10.0.0.1", "10.0.0.7"]) {
    assertThrows(() => claim("c", never), DhowError, "Address already in use");
  }
  releaseAddresses(store.paths, network, "a");
  assertEquals(claim("c"), "10.0.0.2");
  assertEquals(claim("c", "10.0.0.2"), "10.0.0.2");
});

Deno.test("claimAddress() says that there is none left, and takes what the dead had", () => {
  using store = new Store();
  const network = createNetwork(store.paths, "n", subnet("10.0.0.0/30"));
  const pool = network.pools[0]!;
  const dead = store.container("dead");
  store.container("living");
  assertEquals(claimAddress(store.paths, network, pool, "dead"), "10.0.0.2");
  assertThrows(
    () => claimAddress(store.paths, network, pool, "living"),
    DhowError,
    `no available IPv4 addresses on this network's address pools: n (${network.id})`,
  );
  dead[Symbol.dispose]();
  assertEquals(claimAddress(store.paths, network, pool, "living", "10.0.0.2"), "10.0.0.2");
  releaseAddresses(store.paths, network, "dead"); // comes late
  assertThrows(() => claimAddress(store.paths, network, pool, "dead"), DhowError, "no available");
});

Deno.test("claimAddress() keeps to the range and leaves out what is reserved", () => {
  using store = new Store();
  for (const id of ["a", "b"]) store.container(id);
  const network = createNetwork(store.paths, "n", {
    IPAM: {
      Driver: "",
      Options: null,
      Config: [{
        Subnet: "10.0.0.0/16",
        IPRange: "10.0.5.0/30",
        AuxiliaryAddresses: { x: "10.0.5.1" },
      }],
    },
  });
  const pool = network.pools[0]!;
  const claim = (wanted?: string) => claimAddress(store.paths, network, pool, "a", wanted);
  assertEquals([pool.gateway, claim(), claim()], ["10.0.5.0", "10.0.5.2", "10.0.5.3"]);
  assertEquals(claim("10.0.9.9"), "10.0.9.9");
  assertThrows(() => claimAddress(store.paths, network, pool, "b"), DhowError, "no available");
});

Deno.test("addresses of a network that is removed cannot be had", async () => {
  using store = new Store();
  const network = createNetwork(store.paths, "n", subnet("10.0.0.0/24"));
  const pool = network.pools[0]!;
  const running = store.container("a");
  claimAddress(store.paths, network, pool, "a");
  // It is about to start: nobody sees it run yet.
  const removal = removeNetwork(store.paths, "n", () => []);
  assertEquals(claimAddress(store.paths, network, pool, "a"), "10.0.0.3");
  await assertRejects(() => removal, DhowError, "is being started");
  running[Symbol.dispose]();
  await removeNetwork(store.paths, "n", () => []);
  assertThrows(
    () => claimAddress(store.paths, network, pool, "a"),
    DhowError,
    "network n not found",
  );
});

/** One of several processes: claims addresses until none is left, giving some back and taking what the dead have. */
const CLAIMER = `
import { storePaths } from ${JSON.stringify(import.meta.resolve("../host/paths.ts"))};
import { claimAddress, releaseAddresses } from ${JSON.stringify(import.meta.resolve("./ipam.ts"))};
import { readNetwork } from ${JSON.stringify(import.meta.resolve("./record.ts"))};
const [root, ...ids] = Deno.args;
const paths = storePaths(root);
const network = readNetwork(paths, "n");
const claim = (id) => claimAddress(paths, network, network.pools[0], id);
console.log("ready");
await Deno.stdin.read(new Uint8Array(1));
const claimed = ids.map((id) => {
  for (let i = 0; i < 10; i++) {
    claim(id);
    releaseAddresses(paths, network, id);
  }
  return claim(id);
});
console.log(claimed.join(" "));
`;

Deno.test("claimAddress() never gives one address twice, whoever is at it at once", async () => {
  using store = new Store();
  // 120 addresses for 120 containers, and 40 of them still have names of the dead on them.
  const network = createNetwork(store.paths, "n", {
    IPAM: {
      Driver: "",
      Options: null,
      Config: [{ Subnet: "10.0.0.0/25", AuxiliaryAddresses: spares(121, 125) }],
    },
  });
  const dead = Array.from({ length: 40 }, (_, i) => `dead${i}`);
  for (const id of dead) claimAddress(store.paths, network, network.pools[0]!, id);
  const groups = Array.from(
    { length: 8 },
    (_, process) => Array.from({ length: 15 }, (_, i) => `p${process}x${i}`),
  );
  for (const id of groups.flat()) store.container(id);
  const script = `${store.root}/claimer.ts`;
  await Deno.writeTextFile(script, CLAIMER);
  const children = groups.map((ids) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", "--no-lock", script, store.root, ...ids],
      stdin: "piped",
      stdout: "piped",
    }).spawn()
  );
  const outputs = children.map((child) => child.stdout.pipeThrough(new TextDecoderStream()));
  const readers = outputs.map((output) => output.getReader());
  for (const reader of readers) assertEquals((await reader.read()).value, "ready\n");
  await Promise.all(children.map(({ stdin }) => new Blob(["x"]).stream().pipeTo(stdin)));
  const claimed = await Promise.all(readers.map(async (reader) => {
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
    return text.trim().split(" ");
  }));
  for (const child of children) assertEquals((await child.status).success, true);
  assertEquals(claimed.flat().length, 120);
  assertEquals(new Set(claimed.flat()).size, 120);
});

function spares(from: number, to: number): Record<string, string> {
  const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return Object.fromEntries(numbers.map((n) => [`x${n}`, `10.0.0.${n + 1}`]));
}
