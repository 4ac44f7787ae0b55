/**
 * `deno task stress [KIND...]`: kills processes of dhow at random moments, 200 rounds of each kind with 8 clients at once.
 *
 * `DHOW_CRASH_ROUNDS`, `DHOW_CRASH_CLIENTS` and `DHOW_CRASH_SEED` change that. Exits with 1 if it finds anything.
 *
 * @module
 */
import { Sandbox } from "../helpers/sandbox.ts";
import { playRounds } from "./harness.ts";
import { KINDS } from "./kinds.ts";

const print = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
const number = (name: string, otherwise: number) => Number(Deno.env.get(name) ?? otherwise);

const wanted = KINDS.filter(({ name }) => Deno.args.length === 0 || Deno.args.includes(name));
let total = 0;
for (const kind of wanted) {
  const started = Date.now();
  const box = await Sandbox.open();
  box.crashed = true;
  const report = await playRounds(box, kind, {
    rounds: number("DHOW_CRASH_ROUNDS", 200),
    clients: number("DHOW_CRASH_CLIENTS", 8),
    seed: number("DHOW_CRASH_SEED", 1),
  });
  await box[Symbol.asyncDispose]().catch((error) => {
    report.findings.push(`${kind.name}: at the end: ${error.message}`);
  });
  const killed = [...report.killed].sort().map(([name, count]) => `${count} ${name}`).join(", ");
  const seconds = Math.round((Date.now() - started) / 1000);
  for (const finding of report.findings) print(finding);
  print(
    `${kind.name}: ${report.rounds} rounds, ${report.findings.length} findings (${seconds} s; killed: ${killed})`,
  );
  total += report.findings.length;
}
Deno.exit(total === 0 ? 0 : 1);
