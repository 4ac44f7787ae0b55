/**
 * The picture of CONTRIBUTING.md as a test: who may import whom.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

const root = new URL("../", import.meta.url);

/** Ranks of core's folders: a file imports its own folder, a lower rank, or ffi/. */
const RANKS: Readonly<Record<string, number>> = {
  "errors.ts": 0,
  "version.ts": 0,
  spec: 0,
  lib: 0,
  host: 1,
  store: 2,
  registry: 2,
  cgroup: 2,
  layer: 2,
  network: 3,
  volume: 2,
  runtime: 2,
  image: 3,
  container: 4,
  build: 5,
  engine: 6,
  compose: 7,
  machine: 7,
  script: 7,
  registry_server: 7,
  api: 8,
  stack: 8,
  dashboard: 8,
};

interface Import {
  from: string;
  to: string;
  isTypeOnly: boolean;
}

Deno.test("files import downwards only", async () => {
  const imports = await readImports(await listSources());
  const wrong = imports.filter(({ from, to }) => !isAllowed(from, to));
  assertEquals(wrong.map(({ from, to }) => `${from} imports ${to}`), []);
});

Deno.test("no file imports itself in a circle", async () => {
  const imports = await readImports(await listSources());
  const graph = new Map<string, string[]>();
  for (const { from, to, isTypeOnly } of imports) {
    if (!isTypeOnly) graph.set(from, [...graph.get(from) ?? [], to]);
  }
  assertEquals(findCircle(graph), undefined);
});

Deno.test("every folder of core has a rank", async () => {
  const folders = (await listSources()).filter((path) => path.startsWith("core/"))
    .map((path) => path.split("/")[1]!);
  assertEquals([...new Set(folders)].filter((folder) => RANKS[folder] === undefined), []);
});

function isAllowed(from: string, to: string): boolean {
  const [fromTop, fromFolder] = from.split("/") as [string, string];
  const [toTop, toFolder] = to.split("/") as [string, string];
  switch (fromTop) {
    case "ffi":
      return toTop === "ffi";
    case "cli":
      return toTop === "cli" || toTop === "core" || to === "mod.ts" || to === "deno.json";
    case "core":
      if (toTop === "ffi" || to === "deno.json") return true;
      if (toTop !== "core") return false;
      return fromFolder === toFolder || RANKS[toFolder]! < RANKS[fromFolder]! ||
        RANKS[toFolder] === 0 && RANKS[fromFolder] === 0;
    default: // mod.ts
      return toTop === "core";
  }
}

/** Sources that are shipped: no tests, no examples. */
async function listSources(): Promise<string[]> {
  const found: string[] = [];
  async function walk(folder: string): Promise<void> {
    for await (const { name, isDirectory } of Deno.readDir(new URL(folder, root))) {
      if (isDirectory) await walk(`${folder}${name}/`);
      else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) found.push(folder + name);
    }
  }
  for (const folder of ["cli/", "core/", "ffi/"]) await walk(folder);
  try {
    await Deno.stat(new URL("mod.ts", root));
    found.push("mod.ts");
  } catch {
    // Not there yet.
  }
  return found.sort();
}

async function readImports(sources: string[]): Promise<Import[]> {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const lines = sources.map((path) => `import ${JSON.stringify(new URL(path, root).href)};`);
    await Deno.writeTextFile(entry, lines.join("\n"));
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", new URL("deno.json", root).pathname, entry],
      stderr: "inherit",
    }).output();
    return toImports(JSON.parse(new TextDecoder().decode(stdout)));
  } finally {
    await Deno.remove(entry);
  }
}

interface DenoInfo {
  modules: {
    specifier: string;
    dependencies?: { code?: { specifier?: string }; type?: { specifier?: string } }[];
  }[];
}

function toImports(info: DenoInfo): Import[] {
  const imports: Import[] = [];
  for (const { specifier, dependencies = [] } of info.modules) {
    if (!specifier.startsWith(root.href)) continue;
    for (const { code, type } of dependencies) {
      const to = code?.specifier ?? type?.specifier ?? "";
      if (!to.startsWith(root.href)) continue;
      imports.push({
        from: specifier.slice(root.href.length),
        to: to.slice(root.href.length),
        isTypeOnly: code === undefined,
      });
    }
  }
  return imports;
}

function findCircle(graph: ReadonlyMap<string, string[]>): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  function visit(file: string): string[] | undefined {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const circle = visit(next);
      if (circle !== undefined) return circle;
    }
    path.pop();
    done.add(file);
    return undefined;
  }
  for (const file of graph.keys()) {
    const circle = visit(file);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
