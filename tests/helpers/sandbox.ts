/**
 * A store and a runtime directory for one test, with a busybox image, and the proof that nothing of it stays behind.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { storePaths } from "../../core/host/paths.ts";
import { openNamespaceWorker } from "../../core/image/namespace_worker.ts";
import { busyboxTar, findBusybox } from "./busybox.ts";

/** The program under test. */
export const launcher: string = new URL("../../dhow", import.meta.url).pathname;

/** What a command answered; trimmed. */
export interface Result {
  code: number;
  out: string;
  err: string;
}

/** How to run a command. */
export interface RunOptions {
  /** @default nothing */
  stdin?: string | Uint8Array<ArrayBuffer>;
  env?: Record<string, string>;
  /** Milliseconds after which it is killed. @default 60000 */
  timeoutMs?: number;
}

/** Why containers cannot be run here, if they cannot. */
function obstacle(): string | undefined {
  if (findBusybox() === undefined) return "busybox-static is not installed";
  if (Deno.uid() === 0) return undefined;
  try {
    const { success } = new Deno.Command("unshare", { args: ["-U", "true"] }).outputSync();
    return success ? undefined : "this machine gives ordinary users no user namespaces";
  } catch {
    return "unshare(1) is not installed";
  }
}

const missing = obstacle();

/**
 * A test that runs containers; skipped aloud where none can run, unless `DHOW_MUST_WORK=1`.
 *
 * @param options `lacks`: what else this machine lacks for it; `env`: variables for all that is run.
 */
export function containerTest(
  name: string,
  fn: (box: Sandbox) => Promise<void>,
  options: { lacks?: string | undefined; env?: Record<string, string> } = {},
): void {
  const isMissing = missing !== undefined && Deno.env.get("DHOW_MUST_WORK") !== "1";
  const ignore = isMissing || options.lacks !== undefined;
  Deno.test({
    name: ignore ? `${name} (skipped: ${options.lacks ?? missing})` : name,
    ignore,
    fn: async () => {
      const env = Object.entries(options.env ?? {});
      for (const [key, value] of env) Deno.env.set(key, value);
      try {
        await using box = await Sandbox.open();
        await fn(box);
      } finally {
        for (const [key] of env) Deno.env.delete(key);
      }
    },
  });
}

let tar: Promise<Uint8Array<ArrayBuffer>> | undefined;

/** A place of its own for a test: `dhow` there knows the image `busybox` and no containers. */
export class Sandbox implements AsyncDisposable {
  readonly directory: string = Deno.makeTempDirSync({ prefix: "dhow-e2e-" });
  readonly root: string = `${this.directory}/store`;

  /** Processes were killed: what they left half made goes with the next sweep, not before. */
  crashed = false;

  /** User namespaces of the holders seen so far, held open: the number of one that is gone is given to the next. */
  readonly #namespaces = new Map<string, Deno.FsFile>();

  /** Makes one. */
  static async open(): Promise<Sandbox> {
    const box = new Sandbox();
    try {
      await Deno.writeFile(`${box.directory}/busybox.tar`, await (tar ??= busyboxTar()));
      await box.ok("import", "-c", 'CMD ["sh"]', `${box.directory}/busybox.tar`, "busybox");
      return box;
    } catch (error) {
      await box[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The environment of commands. */
  get env(): Record<string, string> {
    return { DHOW_ROOT: this.root };
  }

  /** A command, not started. */
  command(args: readonly string[], options: Deno.CommandOptions = {}): Deno.Command {
    return new Deno.Command(launcher, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...options,
      env: { ...this.env, ...options.env },
    });
  }

  /** Runs a command to its end. */
  async dhow(...args: string[]): Promise<Result> {
    return await this.run(args);
  }

  /** Runs a command to its end, with input or an environment. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const { stdin, env, timeoutMs = 60_000 } = options;
    const child = this.command(args, {
      stdin: stdin === undefined ? "null" : "piped",
      ...env && { env },
    }).spawn();
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    if (stdin !== undefined) {
      const writer = child.stdin.getWriter();
      const bytes = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
      await writer.write(bytes).then(() => writer.close()).catch(() => {});
    }
    const { code, stdout, stderr } = await child.output();
    clearTimeout(timer);
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    return { code, out: text(stdout), err: text(stderr) };
  }

  /** Runs a command that must succeed. @returns What it printed. */
  async ok(...args: string[]): Promise<string> {
    const { code, out, err } = await this.run(args);
    if (code !== 0) throw new Error(`dhow ${args.join(" ")} exited with ${code}: ${err}`);
    return out;
  }

  /** `dhow run --network none ARGS`, which must succeed. */
  async runs(...args: string[]): Promise<string> {
    return await this.ok("run", "--network", "none", ...args);
  }

  /** A value of a container's inspection. */
  async inspect(name: string, format: string): Promise<string> {
    return await this.ok("inspect", "-f", format, name);
  }

  /** Waits until a container's inspection has this value. */
  async until(name: string, format: string, wanted: string, timeoutMs = 20_000): Promise<void> {
    let found = "";
    const end = Date.now() + timeoutMs;
    while (Date.now() < end) {
      found = await this.inspect(name, format);
      if (found === wanted) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${format} of ${name} is "${found}" after ${timeoutMs} ms, not "${wanted}"`);
  }

  /** The holder's pid, if one was started. */
  holder(): number | undefined {
    try {
      const file = `${storePaths(this.root).runtime}/holder.json`;
      return JSON.parse(Deno.readTextFileSync(file)).pid;
    } catch {
      return undefined;
    }
  }

  /** The router's pid, if one was started. */
  router(): number | undefined {
    try {
      const file = `${storePaths(this.root).runtime}/router.json`;
      return JSON.parse(Deno.readTextFileSync(file)).pid;
    } catch {
      return undefined;
    }
  }

  /** The pid of pasta or slirp4netns, if the router has started one. */
  uplink(): number | undefined {
    return this.#routerChildren().find((pid) => read(`/proc/${pid}/comm`) !== "dhow-router");
  }

  /** The router's children: the uplink, and the process by which that finds the router's namespaces. */
  #routerChildren(): number[] {
    const router = this.router();
    const children = router === undefined ? "" : read(`/proc/${router}/task/${router}/children`);
    return children === "" ? [] : children.split(" ").map(Number);
  }

  /** Processes that belong to this store: `pid name`. Those that outlive containers for a while are not among them. */
  processes(): string[] {
    const holder = this.holder();
    if (holder !== undefined) this.#remember(`/proc/${holder}/ns/user`);
    const stays = [holder, ...this.#routerChildren()].map(String);
    return [...Deno.readDirSync("/proc")].map(({ name }) => name)
      .filter((pid) => /^\d+$/.test(pid) && !stays.includes(pid))
      .filter((pid) =>
        link(`/proc/${pid}/cwd`)?.startsWith(this.root) ||
        this.#namespaces.has(link(`/proc/${pid}/ns/user`) ?? "")
      )
      .map((pid) => `${pid} ${read(`/proc/${pid}/cmdline`) || read(`/proc/${pid}/comm`)}`.trim());
  }

  #remember(path: string): void {
    try {
      const file = Deno.openSync(path);
      const namespace = link(path);
      if (namespace !== undefined && !this.#namespaces.has(namespace)) {
        this.#namespaces.set(namespace, file);
      } else file.close();
    } catch { /* it is gone */ }
  }

  /** Removes all containers and asserts that no process and no mount is left. */
  async assertClean(): Promise<void> {
    const ids = (await this.ok("ps", "-aq")).split("\n").filter((id) => id !== "");
    if (ids.length > 0) await this.ok("rm", "-fv", ...ids);
    for (let i = 0; i < 100 && this.processes().length > 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertEquals(this.processes(), []);
    const mounts = read("/proc/self/mountinfo").split("\n");
    assertEquals(mounts.filter((line) => line.includes(this.directory)), []);
    if (this.crashed) await this.ok("rmi", "-f", "busybox");
    assertEquals(entries(`${this.root}/containers`), []);
    assertEquals(entries(`${this.root}/names`), []);
    assertEquals(entries(`${this.root}/tmp`), []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.assertClean();
    } finally {
      for (const file of this.#namespaces.values()) file.close();
      const paths = storePaths(this.root);
      using worker = await openNamespaceWorker(paths);
      await worker.removeTrees([this.root]);
      const holder = this.holder();
      if (holder !== undefined) kill(holder);
      const children = this.#routerChildren();
      for (const pid of [this.router(), ...children]) if (pid !== undefined) kill(pid);
      for (const path of [paths.runtime, this.directory]) {
        await Deno.remove(path, { recursive: true }).catch(() => {});
      }
    }
  }
}

/** Waits until `check` holds. */
export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!await check()) {
    if (Date.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Kills a process that may be gone. */
export function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch { /* it is gone */ }
}

function link(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path).replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

function entries(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch {
    return [];
  }
}
