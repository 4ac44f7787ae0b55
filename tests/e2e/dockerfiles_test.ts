// Every Dockerfile of tests/dockerfiles, built, beside what another builder has made of it.
import { assertEquals } from "@std/assert";
import { parseDockerfile } from "../../core/build/dockerfile/parse.ts";
import type { BuildRequest } from "../../core/build/request.ts";
import { type LocalEngine, openLocalEngine } from "../../core/engine/local.ts";
import { canonicalReference, parseReference } from "../../core/lib/reference.ts";
import { BASE_ENVIRONMENT, baseTar } from "../dockerfiles/base.ts";
import {
  type Case,
  type Expected,
  prepareContext,
  readCases,
  readExpected,
} from "../dockerfiles/cases.ts";
import { changesFrom, readFlatImages } from "../dockerfiles/image_archive.ts";
import { containerTest, type Sandbox } from "../helpers/sandbox.ts";

/** Builds that run at once. */
const PARALLEL = 4;

/** `DHOW_CASES=name,name` looks at these only. */
const wanted = Deno.env.get("DHOW_CASES")?.split(",") ?? [];

containerTest("each Dockerfile makes the image that other builders make of it", async (box) => {
  const cases = readCases(wanted);
  const engine = await openLocalEngine({ root: box.root });
  await importBase(box);
  const faults: string[] = [];
  const built: Case[] = [];
  await inParallel(cases, async (entry) => {
    try {
      await build(engine, box, entry);
      built.push(entry);
    } catch (error) {
      faults.push(`${entry.name}: ${(error as Error).message}`);
    }
  });
  const archive = `${box.directory}/images.tar`;
  const names = ["base", ...built.map(({ name }) => `corpus-${name}`)];
  await Deno.writeFile(archive, await engine.images.save(names));
  const images = await readFlatImages(archive);
  const base = images.get("base")!;
  for (const entry of built) {
    const image = images.get(`corpus-${entry.name}`)!;
    const made = { config: image.config, ...changesFrom(base, image) };
    faults.push(...differences(entry.name, made, readExpected(entry)));
  }
  assertEquals(faults.sort(), []);
});

Deno.test("the Dockerfiles cover every instruction and flag", () => {
  const cases = readCases();
  assertEquals(cases.length >= 120, true);
  const text = cases.map(({ directory }) =>
    Deno.readTextFileSync(new URL("context/Dockerfile", directory))
  ).join("\n");
  const words = [
    ...["FROM", "RUN", "CMD", "LABEL", "MAINTAINER", "EXPOSE", "ENV", "ADD", "COPY", "ENTRYPOINT"],
    ...["VOLUME", "USER", "WORKDIR", "ARG", "ONBUILD", "STOPSIGNAL", "HEALTHCHECK", "SHELL"],
    ...["--platform=", "--mount=type=bind", "--mount=type=cache", "--mount=type=tmpfs"],
    ...["--mount=type=secret", "--mount=type=ssh", "--network=", "--from=", "--chown=", "--chmod="],
    ...["--link", "--parents", "--exclude=", "--unpack=", "--interval=", "--timeout="],
    ...["--start-period=", "--start-interval=", "--retries=", "<<", "<<-", "# escape=", "# check="],
  ];
  assertEquals(words.filter((word) => !text.includes(word)), []);
});

async function importBase(box: Sandbox): Promise<void> {
  const tar = `${box.directory}/base.tar`;
  await Deno.writeFile(tar, await baseTar());
  await box.ok("import", "-c", `ENV ${BASE_ENVIRONMENT}`, tar, "base");
}

async function build(engine: LocalEngine, box: Sandbox, entry: Case): Promise<void> {
  const directory = `${box.directory}/${entry.name}`;
  await prepareContext(entry, directory);
  const text = await Deno.readTextFile(`${directory}/Dockerfile`);
  const { buildArgs = {}, labels = {}, target } = entry.options;
  const request: BuildRequest = {
    dockerfile: parseDockerfile(text).dockerfile,
    context: { directory, ignore: (await readIgnore(directory)).split("\n") },
    namedContexts: new Map(),
    buildArgs: new Map(Object.entries(buildArgs)),
    ...(target !== undefined && { target }),
    labels,
    tags: [canonicalReference(parseReference(`corpus-${entry.name}:latest`))],
    secrets: [],
    ssh: [],
    noCache: false,
    pull: false,
    cacheFrom: [],
    cacheTo: [],
    network: "none",
    addHosts: [],
    ulimits: [],
    squash: false,
    entitlements: [],
  };
  await engine.builder.build(request);
}

async function readIgnore(directory: string): Promise<string> {
  try {
    return await Deno.readTextFile(`${directory}/.dockerignore`);
  } catch {
    return "";
  }
}

/** Runs `work` on all entries, some at a time. */
async function inParallel<T>(entries: readonly T[], work: (entry: T) => Promise<void>) {
  const open = entries.values();
  await Promise.all(Array.from({ length: PARALLEL }, async () => {
    for (const entry of open) await work(entry);
  }));
}

/** What is not as it should be, a line each. */
function differences(name: string, made: Expected, expected: Expected | undefined): string[] {
  if (expected === undefined) return [`${name}: nothing was recorded`];
  const lines: string[] = [];
  compare("config", made.config, expected.config);
  compare("file", made.files, expected.files);
  for (const path of new Set([...made.removed, ...expected.removed])) {
    const [is, should] = [made.removed.includes(path), expected.removed.includes(path)];
    if (is !== should) lines.push(`${name}: ${path} is ${is ? "" : "not "}removed`);
  }
  return lines;

  function compare(what: string, made: object, expected: object) {
    const [is, should] = [made, expected] as [Record<string, unknown>, Record<string, unknown>];
    for (const key of new Set([...Object.keys(is), ...Object.keys(should)])) {
      const [found, wanted] = [JSON.stringify(is[key]), JSON.stringify(should[key])];
      if (found !== wanted) lines.push(`${name}: ${what} ${key}: ${found}, not ${wanted}`);
    }
  }
}
