/**
 * What the steps of one build share: the store, the helper, the networks, who listens. What costs something is made when
 * it is needed: a build that finds everything in the cache needs none of it.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { DhowError } from "../errors.ts";
import { IdsChangedError } from "./build_error.ts";
import { lazy } from "../lib/lazy.ts";
import { forcedStorageDriver, readStorageChoice } from "../store/storage_driver.ts";
import type { OverlayKind } from "./build_jobs.ts";
import { currentIdMap, ensureUserNamespace, type UserNamespace } from "../runtime/userns.ts";
import { StepCache } from "./cache.ts";
import type { CacheImports } from "./cache_import.ts";
import type { ContextDigests } from "./file_digests.ts";
import type { BuildHelper } from "./helper.ts";
import type { LayerPlace } from "./layers.ts";
import type { BuildContext, BuildListener, BuildRequest } from "./request.ts";
import type { BuildNetworks } from "./run_network.ts";
import { Semaphore } from "./semaphore.ts";

/** One build. */
export class BuildSession implements AsyncDisposable {
  readonly paths: StorePaths;
  readonly request: BuildRequest;
  readonly mapping: string;
  readonly cache: StepCache;
  /** Is told what happens. */
  readonly emit: BuildListener;
  /** Aborted when a step fails, too. */
  readonly signal: AbortSignal;
  /** How many steps run at once. */
  readonly slots = new Semaphore(Math.max(6, 2 * navigator.hardwareConcurrency));
  /** How many steps were done and found. */
  readonly counts = { done: 0, cached: 0 };
  /** Caches of others. */
  imports: CacheImports | undefined;
  readonly #id = crypto.randomUUID();
  readonly #digests = new Map<BuildContext, ContextDigests>();
  readonly #trash: string[] = [];
  readonly #writes: Promise<unknown>[] = [];
  #tools: Promise<BuildTools> | undefined;
  #opened: BuildTools | undefined;
  #networks: BuildNetworks | undefined;
  #steps = 0;

  constructor(
    paths: StorePaths,
    request: BuildRequest,
    options: { emit: BuildListener; signal: AbortSignal },
  ) {
    this.paths = paths;
    this.request = request;
    this.mapping = currentIdMap(paths).name;
    this.cache = new StepCache(paths, this.mapping);
    this.emit = options.emit;
    this.signal = options.signal;
  }

  /** What mounts layers. @throws {DhowError} `unsupported` where neither works. */
  get overlay(): OverlayKind {
    const choice = readStorageChoice(this.paths);
    const obstacle = choice?.obstacles.overlay;
    if (forcedStorageDriver() === "fuse-overlayfs") return "fuse-overlayfs";
    if (obstacle === undefined) return "overlay";
    if (choice?.driver === "fuse-overlayfs") return choice.driver;
    throw new DhowError(
      "unsupported",
      `Cannot build: builds take overlays. The kernel's does not work here (${obstacle}); install fuse-overlayfs`,
    );
  }

  /** Where layers are. */
  get place(): LayerPlace {
    return { paths: this.paths, mapping: this.mapping };
  }

  /** Opens what doing a step takes. */
  async open(): Promise<BuildTools> {
    return this.#opened ??= await (this.#tools ??= this.#openTools());
  }

  async #openTools(): Promise<BuildTools> {
    const [{ BuildHelper }, namespace] = await Promise.all([
      lazy<typeof import("./helper.ts")>("./helper.ts", import.meta.url),
      ensureUserNamespace(this.paths),
    ]);
    if (namespace.map.name !== this.mapping) {
      namespace[Symbol.dispose]();
      throw new IdsChangedError();
    }
    const helper = new BuildHelper(namespace);
    helper.prepare();
    for (const part of ["l", "s"]) {
      await Deno.mkdir(`${this.paths.layers}/${this.mapping}/${part}`, {
        recursive: true,
        mode: 0o700,
      });
    }
    return { namespace, helper };
  }

  /** The helper; after {@linkcode open}. */
  get helper(): BuildHelper {
    return this.#opened!.helper;
  }

  /** Networks for RUN; after {@linkcode open}. */
  async networks(): Promise<BuildNetworks> {
    const { BuildNetworks } = await lazy<typeof import("./run_network.ts")>(
      "./run_network.ts",
      import.meta.url,
    );
    return this.#networks ??= new BuildNetworks(this.paths, this.#opened!.namespace);
  }

  /** A context's digests; one object for each context. */
  async digestsOf(context: BuildContext): Promise<ContextDigests> {
    const { ContextDigests } = await lazy<typeof import("./file_digests.ts")>(
      "./file_digests.ts",
      import.meta.url,
    );
    let digests = this.#digests.get(context);
    if (digests === undefined) {
      this.#digests.set(context, digests = new ContextDigests(this.paths, context));
    }
    return digests;
  }

  /** The path of a new directory of this build's; it is not made. It goes with the build. */
  newDirectory(): string {
    const base = this.directory;
    return `${base}/${this.#steps++}`;
  }

  /** The build's own directory. A sweep takes it away if the build cannot. */
  get directory(): string {
    const path = `${this.paths.tmp}/build-${this.#id}`;
    if (this.#steps === 0) {
      Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
      this.#steps++;
    }
    return path;
  }

  /** Has a tree removed at the end. */
  discard(tree: string): void {
    this.#trash.push(tree);
  }

  /** Something that must be over before the build is. */
  keep(work: Promise<unknown>): void {
    this.#writes.push(work.catch(() => {}));
  }

  /** Waits for what was kept. */
  async settle(): Promise<void> {
    for (let i = 0; i < this.#writes.length; i++) await this.#writes[i];
    this.#writes.length = 0;
  }

  async #removeTrash(tools: BuildTools | undefined): Promise<void> {
    if (this.#trash.length === 0) return;
    try {
      await tools?.helper.do({ kind: "remove", trees: this.#trash });
    } catch { /* it has been killed */ }
    const { removeTreesAnyhow } = await lazy<typeof import("../container/remove.ts")>(
      "../container/remove.ts",
      import.meta.url,
    );
    await removeTreesAnyhow(this.paths, this.#trash);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.settle();
    this.imports?.[Symbol.dispose]();
    this.#networks?.[Symbol.dispose]();
    for (const digests of this.#digests.values()) digests.close();
    if (this.#steps > 0) this.#trash.push(this.directory);
    const tools = this.#opened;
    try {
      await this.#removeTrash(tools);
    } finally {
      tools?.helper[Symbol.dispose]();
      tools?.namespace[Symbol.dispose]();
    }
  }
}

/** What doing a step takes. */
export interface BuildTools {
  namespace: UserNamespace;
  helper: BuildHelper;
}
