/**
 * An image that a script has built.
 *
 * @module
 */
import type { BuildWarning } from "../build/dockerfile/ast.ts";
import type { BuildResult } from "../build/request.ts";
import type { Engine } from "../engine/engine.ts";
import type { ImageInspect } from "../spec/docker_api.ts";
import type { PushedImage } from "../spec/progress.ts";
import { type Container, run, type RunOptions } from "./container.ts";

/** An image in the store. */
export class BuiltImage {
  /** `sha256:...`. */
  readonly id: string;
  /** What was given as `tag`, in full. */
  readonly tags: readonly string[];
  /** How many steps ran, and how many were found in the cache. */
  readonly steps: { done: number; cached: number };
  /** What BuildKit's checks find fault with. */
  readonly warnings: readonly BuildWarning[];
  readonly #engine: Engine;

  /** Takes hold of what a build has made. */
  constructor(engine: Engine, result: BuildResult, tags: readonly string[]) {
    this.id = result.imageId;
    this.tags = tags;
    this.steps = result.steps;
    this.warnings = result.warnings;
    this.#engine = engine;
  }

  /** Starts a container of it. */
  run(options: Omit<RunOptions, "engine"> = {}): Promise<Container> {
    return run(this.id, { ...options, engine: this.#engine });
  }

  /** Sends it to the registries that its tags say. */
  async push(options: { signal?: AbortSignal } = {}): Promise<PushedImage[]> {
    const pushed: PushedImage[] = [];
    for (const tag of this.tags) pushed.push(...await this.#engine.images.push(tag, options));
    return pushed;
  }

  /** An archive of it, as `docker save`. */
  save(): Promise<ReadableStream<Uint8Array>> {
    return this.#engine.images.save(this.tags.length > 0 ? this.tags : [this.id]);
  }

  /** What docker inspect shows. */
  inspect(): Promise<ImageInspect> {
    return this.#engine.images.inspect(this.id);
  }
}
