/**
 * The benchmark's rows, each with what it has to reach.
 *
 * @module
 */
import {
  BUILD_SIZES,
  measureCached,
  measureCopy,
  measureNode,
  measureParallel,
  measureSteps,
} from "./build.ts";
import { benchUnpack } from "./unpack.ts";
import { measureCommit, measureImages, SIZES } from "./images.ts";
import { measurePorts, PORT_BYTES } from "./ports.ts";
import { type Row, type Sample, sample } from "./row.ts";
import { measureTransfers } from "./transfer.ts";
import { measureBetween, measureOut, TRAFFIC_MB } from "./traffic.ts";
import { type Bench, inParallel, output, timed, type Tool } from "./tools.ts";

/** Every row by its name on the command line. */
export const rows: Readonly<Record<string, (bench: Bench) => Promise<Row>>> = {
  run,
  "run-bridge": runBridge,
  exec,
  ps,
  parallel,
  memory,
  unpack,
  pull,
  "pull-again": pullAgain,
  push,
  commit,
  images,
  port,
  "port-memory": portMemory,
  between,
  out,
  "build-run10": buildSteps,
  "build-cached": buildCached,
  "build-copy": buildCopy,
  "build-node": buildNode,
  "build-parallel": buildParallel,
};

const RUN = ["run", "--rm", "--network", "none"];

async function run(bench: Bench): Promise<Row> {
  const samples = await bench.compare(({ image }) => [...RUN, image, "true"], { runs: 30 });
  return row("run --rm --network none IMAGE true", samples, { kind: "ratio", max: 0.3 });
}

/** On a bridge network, which for podman as an ordinary user is not the default. */
async function runBridge(bench: Bench): Promise<Row> {
  const network = ({ name }: Tool) => name === "podman" ? "podman" : "bridge";
  const samples = await bench.compare(
    (tool) => ["run", "--rm", "--network", network(tool), tool.image, "true"],
    { runs: 20 },
  );
  return row("run --rm IMAGE true, bridge network", samples, { kind: "ratio", max: 0.35 });
}

async function exec(bench: Bench): Promise<Row> {
  await using running = await Running.start(bench.tools, 1);
  const [name] = running.names as [string];
  const samples = await bench.compare(() => ["exec", name, "true"], { runs: 30 });
  return row("exec IMAGE true", samples, { kind: "ratio", max: 0.4 });
}

async function ps(bench: Bench): Promise<Row> {
  await using _ = await Running.start(bench.tools, 1);
  const samples = await bench.compare(() => ["ps"], { runs: 40 });
  return row("ps, one container", samples, { kind: "ratio", max: 0.9 });
}

async function parallel(bench: Bench): Promise<Row> {
  const times = new Map(bench.tools.map((tool) => [tool.name, [] as number[]]));
  const failures: string[] = [];
  for (let round = 0; round < 3; round++) {
    for (const { name, words, image } of bench.tools) {
      const start = async () => {
        const failed = await inParallel(32, 8, () => output([...words, ...RUN, image, "true"]));
        if (name === "dhow") failures.push(...failed);
      };
      times.get(name)!.push(await timed(start));
    }
  }
  const samples = new Map([...times].map(([name, values]) => [name, sample(values)]));
  return { ...row("32 starts, 8 at a time", samples, { kind: "ratio", max: 0.3 }), failures };
}

async function memory(bench: Bench): Promise<Row> {
  const samples = new Map<Tool["name"], Sample>();
  for (const tool of bench.tools) {
    await using running = await Running.start([tool], 50);
    const pids = await output([
      ...tool.words,
      "inspect",
      "--format",
      "{{.State.Pid}}",
      ...running.names,
    ]);
    samples.set(tool.name, sample(pids.split("\n").map((pid) => pssOf(parentOf(Number(pid))))));
  }
  return row("PSS beside an idle container, of 50", samples, { kind: "value", max: 100 }, "kB");
}

async function unpack(): Promise<Row> {
  const { dhowMs, tarMs, entries, sizeBytes } = await benchUnpack(Deno.env.get("ROOTFS"));
  return {
    name: `unpack ${(sizeBytes / 1e6).toFixed(0)} MB, ${entries} entries`,
    unit: "ms",
    dhow: { median: dhowMs, min: dhowMs },
    peer: { name: "tar", median: tarMs, min: tarMs },
    target: { kind: "ratio", max: 1 },
  };
}

async function pull(bench: Bench): Promise<Row> {
  const { pull, plainBytes, compressedBytes } = await measureTransfers(bench);
  const size = `${(plainBytes / 1e6).toFixed(0)} MB (${(compressedBytes / 1e6).toFixed(0)})`;
  return row(`pull ${size}, 3 layers`, pull, { kind: "ratio", max: 0.35 });
}

async function pullAgain(bench: Bench): Promise<Row> {
  const { pullAgain } = await measureTransfers(bench);
  return row("pull, all layers present", pullAgain, { kind: "value", max: 150 });
}

async function push(bench: Bench): Promise<Row> {
  const { push } = await measureTransfers(bench);
  return row("push of it", push, { kind: "ratio", max: 0.7 });
}

async function commit(bench: Bench): Promise<Row> {
  const name = `commit one file on ${SIZES.bigBytes / 1e6} MB`;
  return row(name, await measureCommit(bench), { kind: "value", max: 300 });
}

async function images(bench: Bench): Promise<Row> {
  const name = `images, ${SIZES.images} of them`;
  return row(name, await measureImages(bench), { kind: "ratio", max: 1.2 });
}

async function port(bench: Bench): Promise<Row> {
  const { times } = await measurePorts(bench);
  const name = `${PORT_BYTES / 1e9} GB from host to published port`;
  return row(name, times, { kind: "ratio", max: 1 });
}

async function between(bench: Bench): Promise<Row> {
  const name = `${TRAFFIC_MB.between / 1000} GB from container to container`;
  return row(name, await measureBetween(bench), { kind: "ratio", max: 1 });
}

async function out(bench: Bench): Promise<Row> {
  const name = `${TRAFFIC_MB.out} MB from a container to the host`;
  return { name, unit: "ms", ...await measureOut(bench), target: { kind: "ratio", max: 1.11 } };
}

async function buildSteps(bench: Bench): Promise<Row> {
  const name = `build, ${BUILD_SIZES.steps} RUN steps`;
  return row(name, await measureSteps(bench), { kind: "ratio", max: 0.5 });
}

async function buildCached(bench: Bench): Promise<Row> {
  const name = `build, ${BUILD_SIZES.steps} RUN steps cached`;
  return row(name, await measureCached(bench), { kind: "ratio", max: 0.2 });
}

async function buildCopy(bench: Bench): Promise<Row> {
  const name = `build, COPY of ${BUILD_SIZES.files} files`;
  return row(name, await measureCopy(bench), { kind: "ratio", max: 0.6 });
}

async function buildNode(bench: Bench): Promise<Row> {
  const name = "build, apt-get nodejs and npm ci";
  const samples = await measureNode(bench);
  const missing = { median: NaN, min: NaN };
  return row(name, samples ?? new Map([["dhow", missing]]), { kind: "ratio", max: 0.9 });
}

async function buildParallel(bench: Bench): Promise<Row> {
  const { five, one } = await measureParallel(bench);
  return {
    name: `build, ${BUILD_SIZES.stages} stages of a second`,
    unit: "ms",
    dhow: five,
    peer: { name: "one stage", ...one },
    target: { kind: "ratio", max: 2 },
  };
}

async function portMemory(bench: Bench): Promise<Row> {
  const { proxyKb } = await measurePorts(bench);
  return {
    name: "PSS of a published port's proxy",
    unit: "kB",
    dhow: { median: proxyKb, min: proxyKb },
    target: { kind: "value", max: 40 },
  };
}

function row(
  name: string,
  samples: ReadonlyMap<Tool["name"], Sample>,
  target: Row["target"],
  unit: Row["unit"] = "ms",
): Row {
  const podman = samples.get("podman");
  return {
    name,
    unit,
    dhow: samples.get("dhow")!,
    ...podman && { peer: { name: "podman", ...podman } },
    target,
  };
}

/** Containers that do nothing, until the end of the block. */
class Running implements AsyncDisposable {
  readonly names: readonly string[];
  readonly #tools: readonly Tool[];

  private constructor(tools: readonly Tool[], names: readonly string[]) {
    this.#tools = tools;
    this.names = names;
  }

  static async start(tools: readonly Tool[], count: number): Promise<Running> {
    const stem = `dhow-bench-${crypto.randomUUID().slice(0, 8)}`;
    const names = Array.from({ length: count }, (_, i) => `${stem}-${i}`);
    await using running = new AsyncDisposableStack();
    const result = running.use(new Running(tools, names));
    for (const { words, image } of tools) {
      const flags = ["run", "-d", "--network", "none", "--name"];
      const failures = await inParallel(
        count,
        4,
        (i) => output([...words, ...flags, names[i]!, image, "sleep", "3600"]),
      );
      if (failures[0] !== undefined) throw new Error(failures[0]);
    }
    running.move();
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { name, words } of this.#tools) {
      // podman's way to say: without the ten seconds of grace.
      const flags = name === "podman" ? ["rm", "-f", "-t", "0"] : ["rm", "-f"];
      await output([...words, ...flags, ...this.names]);
    }
  }
}

/** The process that looks after a container's init: its parent, for all of these tools. */
function parentOf(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]);
}

/** Proportional set size in kB: shared pages count for each who shares them in part. */
function pssOf(pid: number): number {
  const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return Number(/^Pss:\s*(\d+) kB/m.exec(rollup)?.[1]);
}
