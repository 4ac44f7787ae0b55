/**
 * Records what other builders make of the Dockerfiles here: `expected.json` of each.
 *
 * `deno run -A tests/dockerfiles/record.ts buildah|docker [NAME...]` records those that go by that builder. `PREFIX` in
 * the environment comes before the command, for a builder in a place of its own: it must see /tmp.
 *
 * @module
 */
import { BASE_ENVIRONMENT, baseTar } from "./base.ts";
import { type Case, prepareContext, readCases } from "./cases.ts";
import { changesFrom, readFlatImages } from "./image_archive.ts";

type Builder = "buildah" | "docker";

const [builder, ...names] = Deno.args as [Builder, ...string[]];
const prefix = Deno.env.get("PREFIX")?.split(" ") ?? [];
const all = Deno.env.has("RECORD_ALL");
const cases = readCases(names).filter(({ options }) =>
  all || (options.oracle ?? "buildah") === builder
);
const work = await Deno.makeTempDir({ prefix: "dhow-record-" });
try {
  await Deno.chmod(work, 0o777);
  await Deno.writeFile(`${work}/base.tar`, await baseTar());
  for (const entry of cases) await prepareContext(entry, `${work}/${entry.name}`);
  await Deno.writeTextFile(`${work}/script`, script(builder, cases));
  const [program, ...args] = [...prefix, "sh", `${work}/script`];
  const { success } = await new Deno.Command(program!, { args, stdin: "null", stdout: "null" })
    .spawn().status;
  const images = await readFlatImages(`${work}/images.tar`);
  const base = images.get("base")!;
  for (const { name, directory } of cases) {
    const image = images.get(`corpus-${name}`);
    if (image === undefined) {
      // deno-lint-ignore no-console
      console.error(`${name}: not built`);
      // deno-lint-ignore no-console
      console.error(await Deno.readTextFile(`${work}/${name}.log`).catch(() => ""));
      continue;
    }
    const expected = { config: image.config, ...changesFrom(base, image) };
    const file = new URL(all ? `expected.${builder}.json` : "expected.json", directory);
    await Deno.writeTextFile(file, `${JSON.stringify(expected, null, 2)}\n`);
  }
  if (!success) Deno.exit(1);
} finally {
  await Deno.remove(work, { recursive: true });
}

/** Builds all, and saves what was built. */
function script(builder: Builder, cases: readonly Case[]): string {
  const isDocker = builder === "docker";
  const tool = isDocker ? "docker" : "podman";
  const build = isDocker ? "docker build" : "podman build --format docker --pull=never";
  const lines = [
    `umask 022; cd ${quote(work)}`,
    `${tool} import -c ${quote(`ENV ${BASE_ENVIRONMENT}`)} base.tar base:latest`,
    "built=base:latest",
  ];
  for (const { name, options } of cases) {
    const flags = [
      ...Object.entries(options.buildArgs ?? {}).map(([key, value]) =>
        `--build-arg=${key}=${value}`
      ),
      ...Object.entries(options.labels ?? {}).map(([key, value]) => `--label=${key}=${value}`),
      ...options.target === undefined ? [] : [`--target=${options.target}`],
      "--no-cache",
      `--tag=corpus-${name}`,
      name,
    ];
    lines.push(
      `${build} ${flags.map(quote).join(" ")} >${name}.log 2>&1 && built="$built corpus-${name}"`,
    );
  }
  const save = isDocker ? "docker save" : "podman save -m";
  lines.push(`${save} -o images.tar $built && chmod 644 images.tar`, `${tool} rmi -f $built`);
  return lines.join("\n");
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
