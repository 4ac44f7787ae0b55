/**
 * `deno task sbom [FILE]`: writes a CycloneDX bill of materials of dhow itself, from deno.lock, to `FILE` or stdout.
 *
 * What the program loads is `required`; what only its tests and examples load is `excluded`, in CycloneDX's words.
 *
 * @module
 * @see https://cyclonedx.org/docs/1.6/json/
 */
const ROOT = new URL("../", import.meta.url);
/** What users run; everything else is tests, examples and tools. */
const PROGRAM = ["cli/", "core/", "ffi/", "mod.ts"];

interface Lock {
  npm?: Record<string, { integrity: string; dependencies?: string[] }>;
}

const settings = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
const lock: Lock = JSON.parse(await Deno.readTextFile(new URL("deno.lock", ROOT)));
const packages = Object.entries(lock.npm ?? {});
const required = await requiredPackages();

const self = `pkg:generic/dhow@${settings.version}`;
const bill = {
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  version: 1,
  metadata: {
    component: {
      type: "application",
      "bom-ref": self,
      name: "dhow",
      version: settings.version,
      licenses: [{ license: { id: settings.license } }],
    },
  },
  components: packages.map(([key, { integrity }]) => ({
    type: "library",
    "bom-ref": purl(key),
    name: key.slice(0, key.lastIndexOf("@")),
    version: versionOf(key),
    scope: required.has(key) ? "required" : "excluded",
    purl: purl(key),
    hashes: [sha512(integrity)],
  })),
  dependencies: [
    { ref: self, dependsOn: packages.map(([key]) => purl(key)) },
    ...packages.map(([key, { dependencies = [] }]) => ({
      ref: purl(key),
      dependsOn: dependencies.map((name) => purl(resolve(name))),
    })),
  ],
};
const text = JSON.stringify(bill, null, 2) + "\n";
if (Deno.args[0] === undefined) await Deno.stdout.write(new TextEncoder().encode(text));
else await Deno.writeTextFile(Deno.args[0], text);

/** Those that a file of the program names, and what these depend on. */
async function requiredPackages(): Promise<Set<string>> {
  const found = new Set<string>();
  const add = (key: string): void => {
    if (found.has(key)) return;
    found.add(key);
    for (const name of lock.npm?.[key]?.dependencies ?? []) add(resolve(name));
  };
  for (const place of PROGRAM) {
    for await (const file of sources(place)) {
      const source = await Deno.readTextFile(new URL(file, ROOT));
      for (const [, key] of source.matchAll(/"npm:(@?[^@"]+@[^/"]+)/g)) {
        if (lock.npm?.[key!] === undefined) throw new Error(`${file}: ${key} is not in deno.lock`);
        add(key!);
      }
    }
  }
  return found;
}

/** The program's files below a place; tests are not of it. */
async function* sources(place: string): AsyncGenerator<string> {
  if (!place.endsWith("/")) return yield place;
  for await (const { name, isDirectory } of Deno.readDir(new URL(place, ROOT))) {
    if (isDirectory) yield* sources(`${place}${name}/`);
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) yield `${place}${name}`;
  }
}

/** The lock writes a dependency without its version where there is only one. */
function resolve(name: string): string {
  return packages.find(([key]) => key === name || key.startsWith(`${name}@`))?.[0] ?? name;
}

function versionOf(key: string): string {
  return key.slice(key.lastIndexOf("@") + 1);
}

function purl(key: string): string {
  return `pkg:npm/${key.replace(/^@/, "%40")}`;
}

function sha512(integrity: string): { alg: string; content: string } {
  const bytes = Uint8Array.fromBase64(integrity.replace(/^sha512-/, ""));
  return { alg: "SHA-512", content: bytes.toHex() };
}
