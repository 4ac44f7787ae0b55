/**
 * `build -f build.ts`: a user's TypeScript module, run in a Deno of its own with all of the user's rights.
 *
 * @module
 */
import { DhowError } from "../../core/errors.ts";

/** How to run a module. */
export interface BuildScriptRunOptions {
  /** Kills it; the promise rejects with its reason. */
  signal: AbortSignal;
  /** What the module prints. */
  onOutput(stream: "stdout" | "stderr", bytes: Uint8Array): void;
}

/** An import map, as Deno takes it. */
interface ImportMap {
  imports?: Record<string, string>;
  scopes?: Record<string, Record<string, string>>;
}

/**
 * The Dockerfile that a module's default export is. In the module the name `dhow` means this program's mod.ts; other names
 * are those of the nearest deno.json.
 *
 * @throws {DhowError} `not_found`, or `invalid_argument` if the module fails or exports no image.
 */
export async function runBuildScript(
  path: string,
  { signal, onOutput }: BuildScriptRunOptions,
): Promise<string> {
  if (Deno.build.standalone) {
    throw new DhowError(
      "unsupported",
      `Cannot run "${path}": this dhow is one file without a Deno; use a checkout of dhow`,
    );
  }
  let real: string;
  try {
    real = await Deno.realPath(path);
  } catch (cause) {
    throw new DhowError(
      "not_found",
      `failed to solve: failed to read dockerfile: open ${path}: no such file or directory`,
      { cause },
    );
  }
  const result = await Deno.makeTempFile({ prefix: "dhow-build-" });
  try {
    const map = new TextEncoder().encode(JSON.stringify(await importMap(real)));
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--quiet", "--no-lock", "--no-config"],
        `--import-map=data:application/json;base64,${map.toBase64()}`,
        new URL("../../core/script/evaluate_build.ts", import.meta.url).href,
        new URL(`file://${encodeURI(real)}`).href,
        result,
      ],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal,
    }).spawn();
    const forward = async (stream: "stdout" | "stderr") => {
      for await (const bytes of child[stream]) onOutput(stream, bytes);
    };
    const [{ success }] = await Promise.all([child.status, forward("stdout"), forward("stderr")]);
    signal.throwIfAborted();
    if (!success) throw new DhowError("invalid_argument", `build script "${path}" failed`);
    return await Deno.readTextFile(result);
  } finally {
    await Deno.remove(result);
  }
}

/** Names of the user's configuration, if there is one, and ours. */
async function importMap(script: string): Promise<ImportMap> {
  const own = { dhow: new URL("../../mod.ts", import.meta.url).href };
  const config = await findConfig(script.slice(0, script.lastIndexOf("/")));
  if (config === undefined) return { imports: own };
  const { imports, scopes } = config.map;
  const resolve = (names: Record<string, string> = {}) =>
    Object.fromEntries(
      Object.entries(names).map(([name, value]) => [
        name,
        /^\.{0,2}\//.test(value) ? new URL(value, config.url).href : value,
      ]),
    );
  return {
    imports: { ...own, ...resolve(imports) },
    scopes: Object.fromEntries(
      Object.entries(scopes ?? {}).map(([scope, names]) => [scope, resolve(names)]),
    ),
  };
}

async function findConfig(
  directory: string,
): Promise<{ url: URL; map: ImportMap } | undefined> {
  for (const name of ["deno.json", "deno.jsonc"]) {
    const path = `${directory}/${name}`;
    let text: string;
    try {
      text = await Deno.readTextFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw error;
    }
    return { url: new URL(`file://${encodeURI(path)}`), map: parseJsonc(text, path) };
  }
  return directory === "" ? undefined : findConfig(directory.slice(0, directory.lastIndexOf("/")));
}

function parseJsonc(text: string, path: string): ImportMap {
  // Strings first, so that what looks like a comment in one stays.
  const plain = text.replace(
    /("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[^]*?\*\//g,
    (_, string?: string) => string ?? "",
  ).replace(/,(\s*[}\]])/g, "$1");
  try {
    return JSON.parse(plain);
  } catch (cause) {
    throw new DhowError("invalid_argument", `Cannot read "${path}": ${(cause as Error).message}`, {
      cause,
    });
  }
}
