/**
 * What the rows need: the tools under test, each ready to run the same image, and a clock.
 *
 * @module
 */
import { launcher, Sandbox } from "../helpers/sandbox.ts";
import { type Sample, sample } from "./row.ts";

/** A container tool: a command line and how it calls the image. */
export interface Tool {
  name: "dhow" | "podman";
  words: readonly string[];
  image: string;
}

const PODMAN_IMAGE = "localhost/dhow-bench:latest";

/** dhow in a store of its own and, where it is there, podman; both know the image. */
export class Bench implements AsyncDisposable {
  readonly box: Sandbox;
  readonly dhow: Tool = { name: "dhow", words: [launcher], image: "busybox" };
  readonly podman: Tool | undefined;
  readonly hasHyperfine: boolean;

  private constructor(box: Sandbox, podman: Tool | undefined, hasHyperfine: boolean) {
    this.box = box;
    this.podman = podman;
    this.hasHyperfine = hasHyperfine;
  }

  /** Imports the image everywhere. */
  static async open(): Promise<Bench> {
    const box = await Sandbox.open();
    // Everything that is started from here on finds dhow's store.
    Deno.env.set("DHOW_ROOT", box.root);
    try {
      const words = (Deno.env.get("PODMAN") || "podman").trim().split(/\s+/);
      let podman: Tool | undefined;
      if (await works([...words, "--version"])) {
        podman = { name: "podman", words, image: PODMAN_IMAGE };
        const tar = `${box.directory}/busybox.tar`;
        // It may run as another user.
        await Deno.chmod(box.directory, 0o755);
        await output([...words, "import", "-c", 'CMD ["sh"]', tar, PODMAN_IMAGE]);
      }
      await output(["sync"]); // what was imported is not to be written while something is timed
      return new Bench(box, podman, await works(["hyperfine", "--version"]));
    } catch (error) {
      await box[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** dhow, and podman if it is there. */
  get tools(): Tool[] {
    return this.podman === undefined ? [this.dhow] : [this.dhow, this.podman];
  }

  /**
   * How long a command line takes with each tool: hyperfine's answer if it is installed, else by taking turns.
   *
   * @param options.runs How often, each.
   */
  async compare(
    args: (tool: Tool) => readonly string[],
    options: { runs: number },
  ): Promise<Map<Tool["name"], Sample>> {
    const lines = this.tools.map((tool) => [...tool.words, ...args(tool)]);
    const times = this.hasHyperfine
      ? await withHyperfine(lines, `${this.box.directory}/hyperfine.json`, options.runs)
      : await inTurns(lines, options.runs);
    return new Map(this.tools.map((tool, i) => [tool.name, sample(times[i]!)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _ = this.box;
    if (this.podman === undefined) return;
    await output([...this.podman.words, "rmi", "-f", PODMAN_IMAGE]);
  }
}

/** Seconds, as hyperfine 1 and 2 write them. */
interface HyperfineResult {
  times?: number[];
  measurements?: { time_wall_clock: { value: number } }[];
}

async function withHyperfine(
  lines: readonly string[][],
  file: string,
  runs: number,
): Promise<number[][]> {
  const quoted = lines.map((words) => words.map((word) => `'${word}'`).join(" "));
  const flags = ["-N", "--style", "none", "--warmup", "3", "--runs", String(runs)];
  await output(["hyperfine", ...flags, "--export-json", file, ...quoted]);
  const { results }: { results: HyperfineResult[] } = JSON.parse(await Deno.readTextFile(file));
  return results.map(({ times, measurements }) =>
    (times ?? measurements!.map((one) => one.time_wall_clock.value)).map((value) => value * 1000)
  );
}

async function inTurns(lines: readonly string[][], runs: number): Promise<number[][]> {
  const times = lines.map((): number[] => []);
  for (let round = -2; round < runs; round++) {
    for (const [i, words] of lines.entries()) {
      const ms = await timed(() => output(words));
      if (round >= 0) times[i]!.push(ms);
    }
  }
  return times;
}

/** Milliseconds that something takes. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

/** What a command that must succeed prints; trimmed. */
export async function output(words: readonly string[]): Promise<string> {
  const [program, ...args] = words as [string, ...string[]];
  const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (success) return text(stdout);
  throw new Error(`${words.join(" ")}: ${text(stderr) || text(stdout)}`);
}

async function works(words: readonly string[]): Promise<boolean> {
  return await output(words).then(() => true, () => false);
}

/** Does `count` things, `width` at a time. @returns What the failed ones said. */
export async function inParallel(
  count: number,
  width: number,
  action: (index: number) => Promise<unknown>,
): Promise<string[]> {
  const failures: string[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      await action(next++).catch((error: Error) => failures.push(error.message));
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return failures;
}
