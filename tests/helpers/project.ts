/**
 * A directory to build from.
 *
 * @module
 */
import type { Result, RunOptions, Sandbox } from "./sandbox.ts";

/** A build context of its own, made of texts. */
export class Project {
  readonly #box: Sandbox;
  /** Where it is. */
  readonly directory: string;

  constructor(box: Sandbox, directory: string) {
    this.#box = box;
    this.directory = directory;
  }

  /** Makes one. @param files By path; the one without which nothing is built is `Dockerfile`. */
  static async make(box: Sandbox, files: Record<string, string>): Promise<Project> {
    const directory = `${box.directory}/${crypto.randomUUID()}`;
    const project = new Project(box, directory);
    await Deno.mkdir(directory);
    for (const [path, text] of Object.entries(files)) await project.write(path, text);
    return project;
  }

  /** Writes a file, and the directories above it. */
  async write(path: string, content: string | Uint8Array): Promise<void> {
    const whole = `${this.directory}/${path}`;
    await Deno.mkdir(whole.slice(0, whole.lastIndexOf("/")), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(whole, content);
    else await Deno.writeFile(whole, content);
  }

  /** `dhow build --progress plain -t NAME ARGS .`; everything it says is in `err`. */
  async build(
    name: string,
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<Result> {
    const words = ["build", "--progress", "plain", "-t", name, ...args, this.directory];
    return await this.#box.run(words, options);
  }

  /** As {@linkcode build}, which must succeed. @returns What it says. */
  async builds(name: string, ...args: string[]): Promise<string> {
    const { code, err } = await this.build(name, args);
    if (code !== 0) throw new Error(`dhow build ${args.join(" ")} exited with ${code}: ${err}`);
    return err;
  }
}
