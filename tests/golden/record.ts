/**
 * Records docker's answers: `deno run -A tests/golden/record.ts BUSYBOX`, with a docker of one's own at hand, for it removes
 * every container. BUSYBOX is a static busybox.
 *
 * @module
 */
import { busyboxTar } from "../helpers/busybox.ts";
import { scenarios } from "./scenarios/mod.ts";
import { type Answers, play } from "./play.ts";

const work = await Deno.makeTempDir();
const tar = `${work}/busybox.tar`;
await Deno.writeFile(tar, await busyboxTar(Deno.args[0]));
const image = new Deno.Command("docker", {
  args: ["import", "-c", 'CMD ["sh"]', tar, "busybox"],
  stdout: "null",
});
if (!(await image.output()).success) throw new Error("Cannot import the image");

const env: Record<string, string> = {};
for (const name of ["DOCKER_HOST", "XDG_RUNTIME_DIR", "HOME"]) {
  const value = Deno.env.get(name);
  if (value !== undefined) env[name] = value;
}
const answers: Answers = {};
for (const scenario of scenarios) {
  const directory = await Deno.makeTempDir();
  answers[scenario.name] = await play(scenario, { docker: "command docker", directory, env });
}
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(answers, undefined, 2) + "\n"));
