/**
 * dhow answers as docker does: the lines of scenarios/ against docker.json, recorded by record.ts.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { busyboxTar, findBusybox } from "../helpers/busybox.ts";
import { removeStore } from "../helpers/store.ts";
import { differences, scenarios } from "./scenarios/mod.ts";
import { type Answers, play } from "./play.ts";

const launcher = new URL("../../dhow", import.meta.url).pathname;
const recorded: Answers = JSON.parse(
  await Deno.readTextFile(new URL("docker.json", import.meta.url)),
);

for (const scenario of scenarios) {
  Deno.test({
    name: `docker's answers: ${scenario.name}`,
    ignore: findBusybox() === undefined && Deno.env.get("DHOW_MUST_WORK") !== "1",
    fn: async () => {
      const directory = await Deno.makeTempDir();
      const work = `${directory}/work`;
      const root = `${directory}/root`;
      await Deno.mkdir(work);
      try {
        await Deno.writeFile(`${directory}/busybox.tar`, await busyboxTar());
        await importImage(`${directory}/busybox.tar`, root);
        const docker = `'${launcher}' --root '${root}'`;
        const answers = await play(scenario, { docker, directory: work, env: environment() });
        const expected = recorded[scenario.name] ?? [];
        for (const answer of answers) if (differences[answer.line] !== undefined) answer.code = -1;
        const kept = answers.filter((answer) => answer.code !== -1);
        assertEquals(kept, expected.filter((answer) => differences[answer.line] === undefined));
      } finally {
        await removeStore(root);
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

Deno.test("docker.json is recorded from the scenarios as they are", () => {
  const lines = scenarios.map(({ name, lines }) => [name, lines]);
  const found = Object.entries(recorded)
    .map(([name, answers]) => [name, answers.map((answer) => answer.line)]);
  assertEquals(found, lines);
});

Deno.test("differences name lines that there are", () => {
  const lines = new Set(scenarios.flatMap((scenario) => scenario.lines));
  assertEquals(Object.keys(differences).filter((line) => !lines.has(line)), []);
});

async function importImage(tar: string, root: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(launcher, {
    args: ["--root", root, "import", "-c", 'CMD ["sh"]', tar, "busybox"],
    stdout: "null",
  }).output();
  if (!success) throw new Error(`Cannot import: ${new TextDecoder().decode(stderr)}`);
}

function environment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of ["HOME", "USER", "XDG_RUNTIME_DIR", "DENO_DIR"]) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}
