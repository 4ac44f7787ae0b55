/**
 * Traffic of containers: from one to another, and out to the host. The clock is the container's own.
 *
 * @module
 */
import { hostAddress } from "../../core/container/host_address.ts";
import { findProgram } from "../../core/network/uplink.ts";
import { findBusybox } from "../helpers/busybox.ts";
import { type Sample, sample } from "./row.ts";
import { type Bench, output, type Tool } from "./tools.ts";

const ROUNDS = 5;
const SINK = ["nc", "-ll", "-p", "80", "-e", "sh", "-c", "cat >/dev/null; echo done"];

/** How much is sent, in MB: the way out is much slower. */
export const TRAFFIC_MB = { between: 1000, out: 100 };

/** Sends `megabytes` and prints how long it took, in seconds; the receiver answers at the end. */
function sender(address: string, port: number, megabytes: number): string {
  const now = "cut -d' ' -f1 /proc/uptime";
  const send = `dd if=/dev/zero bs=1000000 count=${megabytes} 2>/dev/null | nc ${address} ${port}`;
  return `a=$(${now}); ${send} >/dev/null; b=$(${now}); echo $b $a`;
}

function milliseconds(printed: string): number {
  const [end, start] = printed.split(" ").map(Number) as [number, number];
  return (end - start) * 1000;
}

function networkOf({ name }: Tool): string {
  return name === "podman" ? "podman" : "bridge";
}

/** Containers of a tool, removed at the end. */
class Containers implements AsyncDisposable {
  readonly #tool: Tool;
  readonly #names: string[] = [];

  constructor(tool: Tool) {
    this.#tool = tool;
  }

  async start(command: readonly string[]): Promise<string> {
    const name = `dhow-bench-${crypto.randomUUID().slice(0, 8)}`;
    const { words, image } = this.#tool;
    const flags = ["run", "-d", "--network", networkOf(this.#tool), "--name", name];
    await output([...words, ...flags, image, ...command]);
    this.#names.push(name);
    return name;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const flags = this.#tool.name === "podman" ? ["rm", "-f", "-t", "0"] : ["rm", "-f"];
    for (const name of this.#names) await output([...this.#tool.words, ...flags, name]);
  }
}

/** How long a gigabyte takes from one container to another: the tools take turns. */
export async function measureBetween(bench: Bench): Promise<Map<Tool["name"], Sample>> {
  await using stack = new AsyncDisposableStack();
  const senders: { name: Tool["name"]; words: string[]; times: number[] }[] = [];
  for (const tool of bench.tools) {
    const containers = stack.use(new Containers(tool));
    const server = await containers.start(SINK);
    const client = await containers.start(["sleep", "1000"]);
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    const address = await output([...tool.words, "inspect", "-f", format, server]);
    const command = ["sh", "-c", sender(address, 80, TRAFFIC_MB.between)];
    senders.push({
      name: tool.name,
      words: [...tool.words, "exec", client, ...command],
      times: [],
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 500)); // until they listen
  for (let round = 0; round < ROUNDS; round++) {
    for (const { words, times } of senders) times.push(milliseconds(await output(words)));
  }
  return new Map(senders.map(({ name, times }) => [name, sample(times)]));
}

/** How long it takes out to the host: from a container of ours, and by the uplink alone. */
export async function measureOut(
  bench: Bench,
): Promise<{ dhow: Sample; peer?: Sample & { name: string } }> {
  const address = hostAddress();
  if (address === undefined) throw new Error("this machine has no address");
  await using sink = openSink();
  const text = sender(address, sink.port, TRAFFIC_MB.out);
  await using containers = new Containers(bench.dhow);
  const client = await containers.start(["sleep", "1000"]);
  const ours = [...bench.dhow.words, "exec", client, "sh", "-c", text];
  const pasta = findProgram("pasta");
  const alone = pasta === undefined
    ? undefined
    : [...pastaWords(pasta), findBusybox()!, "sh", "-c", text];
  const times = { dhow: [] as number[], pasta: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.dhow.push(milliseconds(await output(ours)));
    if (alone !== undefined) times.pasta.push(milliseconds(await output(alone)));
  }
  const peer = alone && { ...sample(times.pasta), name: "pasta" };
  return { dhow: sample(times.dhow), ...peer && { peer } };
}

function pastaWords(program: string): string[] {
  const address = ["-a", "10.213.0.2", "-n", "24", "-g", "10.213.0.1", "--no-map-gw"];
  return [
    program,
    "--quiet",
    "--config-net",
    ...address,
    ..."-t none -u none -T none -U none".split(" "),
  ];
}

function openSink(): { port: number } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const swallow = async (connection: Deno.Conn) => {
    const piece = new Uint8Array(1 << 20);
    while (await connection.read(piece) !== null);
    await connection.write(new TextEncoder().encode("done\n"));
    connection.close();
  };
  const done = (async () => {
    for await (const connection of listener) await swallow(connection).catch(() => {});
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await done;
    },
  };
}
