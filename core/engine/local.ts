/**
 * The engine that works in this process, on the user's own store.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import { type StorePaths, storePaths } from "../host/paths.ts";
import { LocalBuilder } from "./builder.ts";
import { LocalContainers } from "./containers.ts";
import type { Builder, Containers, Engine, Images, Networks, System, Volumes } from "./engine.ts";
import { LocalImages } from "./images.ts";
import { LocalNetworks } from "./networks.ts";
import { LocalSystem } from "./system.ts";
import { LocalVolumes } from "./volumes.ts";

/** How to open an engine. */
export interface LocalEngineOptions {
  /** Where the store is. @default `$DHOW_ROOT`, else `$XDG_DATA_HOME/dhow` */
  root?: string;
}

/** Opens an engine. Touches nothing before it is asked for something. */
export function openLocalEngine(options: LocalEngineOptions = {}): Promise<LocalEngine> {
  return Promise.resolve(new LocalEngine(storePaths(options.root)));
}

/** Everything is in the store: the object holds no state worth keeping. */
export class LocalEngine implements Engine {
  /** Where everything is. */
  readonly paths: StorePaths;
  /** `docker build`, `docker builder ...`. */
  readonly builder: Builder;
  /** `docker container ...`. */
  readonly containers: Containers;
  /** `docker image ...`. */
  readonly images: Images;
  /** `docker network ...`. */
  readonly networks: Networks;
  /** `docker system ...`. */
  readonly system: System;
  /** `docker volume ...`. */
  readonly volumes: Volumes;

  /** Touches nothing yet. */
  constructor(paths: StorePaths) {
    this.paths = paths;
    this.builder = new LocalBuilder(paths);
    const containers = new LocalContainers(paths);
    this.containers = containers;
    this.images = new LocalImages(paths, {
      users: () => containers.imageUsers(),
      emit: (event) => emit(paths, event),
    });
    this.networks = new LocalNetworks(paths);
    this.system = new LocalSystem(paths, this);
    this.volumes = new LocalVolumes(paths);
  }

  /** Nothing to let go of. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

async function emit(
  paths: StorePaths,
  event: Parameters<NonNullable<ConstructorParameters<typeof LocalImages>[1]["emit"]>>[0],
): Promise<void> {
  const { appendEvent, makeEvent } = await lazy<typeof import("../container/events.ts")>(
    "../container/events.ts",
    import.meta.url,
  );
  const { ID, Attributes } = event.Actor;
  try {
    appendEvent(
      paths.events,
      makeEvent(event.Type, event.Action, { id: ID, attributes: Attributes }),
    );
  } catch { /* an event is not worth failing for */ }
}
