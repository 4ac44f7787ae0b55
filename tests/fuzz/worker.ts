/**
 * `worker.ts TARGET SEED FIRST SECONDS TRACE`: makes inputs from number FIRST on and runs them, until something is found
 * or the time is over. Says on stdout, a JSON object a line, how far it is and what it has found.
 *
 * @module
 */
import { makeInput } from "./mutate.ts";
import type { Input } from "./target.ts";
import { targets } from "./targets.ts";

/** One input may take as long. */
const MAX_MS = 1000;

const [name, seed, first, seconds, trace] = Deno.args as [string, string, string, string, string];
const target = targets[name]!;
const seeds = target.seeds();
const end = performance.now() + Number(seconds) * 1000;
let told = 0;
let index = Number(first);
for (; performance.now() < end; index++) {
  if (trace === "1" || performance.now() - told > 200) {
    told = performance.now();
    say({ index });
  }
  const input = makeInput(target, seeds, { seed: Number(seed), index });
  let tookMs = await run(input);
  // A busy machine is no find: the best of three counts.
  for (let again = 0; again < 2 && tookMs > MAX_MS; again++) {
    tookMs = Math.min(tookMs, await run(input));
  }
  if (tookMs > MAX_MS) found(`took ${Math.round(tookMs)} ms`);
}
say({ index, isDone: true });

async function run(input: Input): Promise<number> {
  const started = performance.now();
  try {
    await target.run(input);
  } catch (error) {
    found(String(error instanceof Error ? error.stack : error));
  }
  return performance.now() - started;
}

function found(fault: string): never {
  say({ index, fault });
  Deno.exit(1);
}

function say(message: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
}
