/**
 * `deno task fuzz [TARGET...]`: runs each fuzzer for FUZZ_SECONDS (60), from FUZZ_SEED (random; printed).
 *
 * Inputs are made from the seed and a number, so that a find can be made again: it is kept in `cases/TARGET/`, which
 * the tests run from then on. A find is an error that is not meant, an input that takes more than a second or does not
 * end, and memory beyond half a gigabyte.
 *
 * @module
 */
import { sha256Hex } from "../../core/lib/sha256.ts";
import { makeInput } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";
import { targets } from "./targets.ts";

/** After as long without a word, an input is held not to end. */
const SILENCE_MS = 10_000;

interface Find {
  index: number;
  fault: string;
}

/** What a worker says. */
interface Message {
  index: number;
  fault?: string;
  isDone?: boolean;
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.find((name) => !Object.hasOwn(targets, name));
  if (unknown !== undefined) {
    write(`No such target: ${unknown}; there are: ${Object.keys(targets).join(" ")}`);
    return 1;
  }
  const seconds = Number(Deno.env.get("FUZZ_SECONDS") ?? 60);
  const seed = Number(Deno.env.get("FUZZ_SEED") ?? Math.floor(Math.random() * 2 ** 31));
  write(`seed ${seed}`);
  let finds = 0;
  for (const target of Object.values(targets)) {
    if (names.length > 0 && !names.includes(target.name)) continue;
    const { count, find } = await fuzz(target, seed, seconds);
    write(`${target.name}: ${count} inputs${find === undefined ? "" : `, ${find.fault}`}`);
    if (find === undefined) continue;
    finds++;
    write(`kept as ${await keep(target, seed, find.index)}`);
  }
  return finds === 0 ? 0 : 1;
}

async function fuzz(
  target: FuzzTarget,
  seed: number,
  seconds: number,
): Promise<{ count: number; find?: Find }> {
  const last = await runWorker([target.name, `${seed}`, "0", `${seconds}`, "0"]);
  if (last.isDone) return { count: last.index };
  if (last.fault !== undefined) return { count: last.index, find: { ...last, fault: last.fault } };
  // It fell silent or died: slowly again from where it was last heard of, to see at which input.
  const again = await runWorker([target.name, `${seed}`, `${last.index}`, "60", "1"]);
  const fault = again.fault ?? "did not end, or took too much memory";
  return { count: again.index, find: { index: again.index, fault } };
}

/** @returns The last that was heard of it. */
async function runWorker(args: readonly string[]): Promise<Message> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--v8-flags=--max-old-space-size=512"],
      new URL("worker.ts", import.meta.url).pathname,
      ...args,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let last: Message = { index: Number(args[2]) };
  let timer = setTimeout(kill, SILENCE_MS);
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    clearTimeout(timer);
    timer = setTimeout(kill, SILENCE_MS);
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) last = JSON.parse(line);
  }
  clearTimeout(timer);
  await child.status;
  return last;

  function kill() {
    child.kill("SIGKILL");
  }
}

async function keep(target: FuzzTarget, seed: number, index: number): Promise<string> {
  const input = makeInput(target, target.seeds(), { seed, index });
  const directory = new URL(`cases/${target.name}/`, import.meta.url);
  await Deno.mkdir(directory, { recursive: true });
  const file = new URL(sha256Hex(input).slice(0, 16), directory);
  await Deno.writeFile(file, input);
  return file.pathname;
}

function write(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
