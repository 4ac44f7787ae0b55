import { assertEquals } from "@std/assert";
import { makeInput } from "./mutate.ts";
import type { Input } from "./target.ts";
import { targets } from "./targets.ts";

// A test run makes always the same inputs.
for (const target of Object.values(targets)) {
  const { name, testInputs = 300 } = target;
  Deno.test(`fuzzer "${name}": what it once found, and ${testInputs} inputs more`, async () => {
    for (const input of keptCases(name)) await runInTime(input);
    const seeds = target.seeds();
    for (let index = 0; index < testInputs; index++) {
      await runInTime(makeInput(target, seeds, { seed: 1, index }));
    }

    async function runInTime(input: Input) {
      const started = performance.now();
      await target.run(input);
      assertEquals(performance.now() - started < 10_000, true, new TextDecoder().decode(input));
    }
  });
}

Deno.test("a fuzzer's inputs are the same for the same seed and number", () => {
  const target = targets.dockerfile!;
  const make = (seed: number, index: number) =>
    makeInput(target, target.seeds(), { seed, index }).join();
  assertEquals(make(7, 3), make(7, 3));
  assertEquals(make(7, 3) === make(7, 4) || make(7, 3) === make(8, 3), false);
});

function keptCases(name: string): Input[] {
  const directory = new URL(`cases/${name}/`, import.meta.url);
  try {
    return [...Deno.readDirSync(directory)].map((entry) =>
      Deno.readFileSync(new URL(entry.name, directory))
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
