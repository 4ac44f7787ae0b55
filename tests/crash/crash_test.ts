// Each kind of work, with SIGKILL at random moments: in short what `deno task stress` does at length.
import { assertEquals } from "@std/assert";
import { containerTest } from "../helpers/sandbox.ts";
import { playRounds } from "./harness.ts";
import { KINDS } from "./kinds.ts";

const ROUNDS = Number(Deno.env.get("DHOW_CRASH_ROUNDS") ?? 20);

for (const kind of KINDS) {
  containerTest(`${kind.name}: ${ROUNDS} rounds of kill -9 break and leak nothing`, async (box) => {
    box.crashed = true;
    const options = { rounds: ROUNDS, clients: 2, checkEvery: 5, sweepEvery: 20 };
    const { findings } = await playRounds(box, kind, options);
    assertEquals(findings, []);
  });
}
