/**
 * Published ports: how long a gigabyte takes from the host into a container, and what it costs to have one.
 *
 * @module
 */
import { storePaths } from "../../core/host/paths.ts";
import { type Sample, sample } from "./row.ts";
import { type Bench, output, timed, type Tool } from "./tools.ts";

/** What is sent, and how often. */
export const PORT_BYTES = 1_000_000_000;
const ROUNDS = 5;
/** Swallows what comes and says so at its end. */
const SINK = ["nc", "-ll", "-p", "80", "-e", "sh", "-c", "cat >/dev/null; echo done"];

/** Times of a transfer, and the memory of dhow's proxy in kB. */
export interface PortFigures {
  times: Map<Tool["name"], Sample>;
  proxyKb: number;
}

/** Measures both, the tools taking turns. */
export async function measurePorts(bench: Bench): Promise<PortFigures> {
  const name = `dhow-bench-${crypto.randomUUID().slice(0, 8)}`;
  const times = new Map(bench.tools.map((tool) => [tool.name, [] as number[]]));
  const started: Tool[] = [];
  try {
    const ports = new Map<Tool["name"], number>();
    for (const tool of bench.tools) {
      const flags = ["run", "-d", "--network", "bridge", "--name", name, "-p", "127.0.0.1::80"];
      await output([...tool.words, ...flags, tool.image, ...SINK]);
      started.push(tool);
      const place = await output([...tool.words, "port", name, "80"]);
      ports.set(tool.name, Number(place.slice(place.lastIndexOf(":") + 1)));
    }
    await new Promise((resolve) => setTimeout(resolve, 500)); // until they listen
    const proxyKb = proxyMemory(
      bench,
      await output([...bench.dhow.words, "ps", "-q", "--no-trunc"]),
    );
    for (let round = -1; round < ROUNDS; round++) {
      for (const { name } of bench.tools) {
        const ms = await timed(() => send(ports.get(name)!));
        if (round >= 0) times.get(name)!.push(ms);
      }
    }
    return { times: new Map([...times].map(([name, values]) => [name, sample(values)])), proxyKb };
  } finally {
    for (const tool of started) {
      const flags = tool.name === "podman" ? ["rm", "-f", "-t", "0"] : ["rm", "-f"];
      await output([...tool.words, ...flags, name]);
    }
  }
}

function proxyMemory(bench: Bench, id: string): number {
  const file = `${storePaths(bench.box.root).runtime}/ports/${id}`;
  const { pid } = JSON.parse(Deno.readTextFileSync(file));
  const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return Number(/^Pss:\s*(\d+) kB/m.exec(rollup)?.[1]);
}

async function send(port: number): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const piece = new Uint8Array(1_000_000);
  for (let sent = 0; sent < PORT_BYTES;) sent += await connection.write(piece);
  await connection.closeWrite();
  const answer = new Uint8Array(8);
  const n = await connection.read(answer);
  if (n !== 5) throw new Error("the container did not get it all");
}
