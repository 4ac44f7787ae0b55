// dist/build.js has everything that a build needs whose steps are all in the cache.
import { assertEquals } from "@std/assert";
import { containerTest } from "./helpers/sandbox.ts";

const root = new URL("../", import.meta.url).pathname;

containerTest("a build from the cache needs no source but its bundle", async (box) => {
  const context = `${box.directory}/context`;
  await Deno.mkdir(context);
  await Deno.writeTextFile(`${context}/file`, "x\n");
  const dockerfile =
    "FROM busybox AS a\nRUN echo 1 > /1\nCOPY file /\nFROM a\nCOPY --from=a /1 /2\n";
  await Deno.writeTextFile(`${context}/Dockerfile`, dockerfile);
  const id = await box.ok("build", "-q", "-t", "made", context);

  const copy = `${box.directory}/copy`;
  await Deno.mkdir(copy);
  const sources = ["cli", "core", "ffi"];
  const from = [...sources, "tools", "mod.ts", "deno.json"].map((name) => root + name);
  await run("cp", ["-R", ...from, copy]);
  const flags = ["run", "-A", "--no-config", "--no-lock", "--quiet"];
  await run(Deno.execPath(), [...flags, `${copy}/tools/bundle.ts`]);
  for (const name of sources) await Deno.remove(`${copy}/${name}`, { recursive: true });
  const build = [...flags, `${copy}/dist/build.js`, "build", "-q", "-t", "made", context];
  assertEquals(await run(Deno.execPath(), build, box.env), id);
});

async function run(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, env }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim();
}
