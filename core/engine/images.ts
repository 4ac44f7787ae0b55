/**
 * `Images`, done in this process.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import type { StorePaths } from "../host/paths.ts";
import type { ImageUser } from "../image/image_users.ts";
import { resolveImageId } from "../image/resolve.ts";
import { readConfig } from "../image/stored_image.ts";
import {
  canonicalReference,
  familiarName,
  familiarReference,
  parseReference,
} from "../lib/reference.ts";
import { currentIdMap } from "../runtime/userns.ts";
import type {
  EventMessage,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
} from "../spec/docker_api.ts";
import type {
  CallOptions,
  Images,
  PruneReport,
  PulledImage,
  PushedImage,
  SaveOptions,
  TransferOptions,
} from "./engine.ts";

/** What images need of the rest of the engine. */
export interface LocalImagesOptions {
  /** All containers, as their images see them. */
  users(): ImageUser[];
  /** Writes an event. */
  emit?(event: Pick<EventMessage, "Type" | "Action" | "Actor">): void | Promise<void>;
}

/** The images of one store. Each method loads what it needs when it is called. */
export class LocalImages implements Images {
  readonly #paths: StorePaths;
  readonly #options: LocalImagesOptions;

  constructor(paths: StorePaths, options: LocalImagesOptions) {
    this.#paths = paths;
    this.#options = options;
  }

  async list(options: {
    all?: boolean;
    filters?: Record<string, string[]>;
    digests?: boolean;
  } = {}): Promise<ImageSummary[]> {
    const { listImages } = await lazy<typeof import("../image/list_images.ts")>(
      "../image/list_images.ts",
      import.meta.url,
    );
    return listImages(this.#paths, options.filters ?? {}, this.#options.users());
  }

  async inspect(name: string): Promise<ImageInspect> {
    const { inspectImage } = await lazy<typeof import("../image/inspect_image.ts")>(
      "../image/inspect_image.ts",
      import.meta.url,
    );
    return inspectImage(this.#paths, name, currentIdMap(this.#paths).name);
  }

  async import(
    tar: ReadableStream<Uint8Array>,
    options: CallOptions & {
      reference?: string;
      message?: string;
      changes?: string[];
      platform?: string;
    } = {},
  ): Promise<string> {
    await this.#prepare();
    const { importImage } = await lazy<typeof import("../image/import_image.ts")>(
      "../image/import_image.ts",
      import.meta.url,
    );
    using worker = await this.#openWorker(options.signal);
    const id = await importImage(this.#paths, tar, options, worker);
    if (options.reference !== undefined) await this.#emit("tag", id, shown(options.reference));
    await this.#emit("import", id, id);
    return id;
  }

  async pull(name: string, options: TransferOptions = {}): Promise<PulledImage[]> {
    await this.#prepare();
    const { pull } = await this.#transfers();
    return await pull(this.#paths, name, options, async ({ id, reference }) => {
      const shownName = familiarReference(parseReference(reference));
      await this.#options.emit?.({
        Type: "image",
        Action: "pull",
        Actor: {
          ID: shownName,
          Attributes: { ...this.#labels(id), name: familiarName(parseReference(reference)) },
        },
      });
    });
  }

  async push(name: string, options: TransferOptions = {}): Promise<PushedImage[]> {
    const { push } = await this.#transfers();
    return await push(this.#paths, name, options, async ({ reference }) => {
      const parsed = parseReference(reference);
      await this.#options.emit?.({
        Type: "image",
        Action: "push",
        Actor: { ID: familiarReference(parsed), Attributes: { name: familiarName(parsed) } },
      });
    });
  }

  async #transfers() {
    return await lazy<typeof import("./transfers.ts")>("./transfers.ts", import.meta.url);
  }

  async load(
    tar: ReadableStream<Uint8Array>,
    options: CallOptions & { onProgress?: (line: string) => void; platform?: string } = {},
  ): Promise<{ id: string; references: string[] }[]> {
    await this.#prepare();
    const { loadImages } = await lazy<typeof import("../image/load_image.ts")>(
      "../image/load_image.ts",
      import.meta.url,
    );
    using worker = await this.#openWorker(options.signal);
    const loaded = await loadImages(this.#paths, tar, options, worker);
    for (const { id } of loaded) await this.#emit("load", id, id);
    return loaded;
  }

  async transfer(
    verb: "pull" | "push",
    address: string,
    options: TransferOptions & { remoteDhow?: string } = {},
  ): Promise<{ id: string; references: string[] }[]> {
    const { pullOverSsh, pushOverSsh } = await lazy<typeof import("../image/ssh_transfer.ts")>(
      "../image/ssh_transfer.ts",
      import.meta.url,
    );
    if (verb === "push") return await pushOverSsh(this.#paths, address, options);
    await this.#prepare();
    using worker = await this.#openWorker(options.signal);
    const images = await pullOverSsh(this.#paths, address, worker, options);
    for (const { id } of images) await this.#emit("pull", id, id);
    return images;
  }

  async history(name: string): Promise<ImageHistoryItem[]> {
    const { imageHistory } = await lazy<typeof import("../image/history.ts")>(
      "../image/history.ts",
      import.meta.url,
    );
    return imageHistory(this.#paths, name, currentIdMap(this.#paths).name);
  }

  async save(
    names: readonly string[],
    options: SaveOptions = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const { saveImages } = await lazy<typeof import("../image/save_images.ts")>(
      "../image/save_images.ts",
      import.meta.url,
    );
    const ids = names.map((name) => resolveAny(this.#paths, name));
    const stream = saveImages(this.#paths, names, options);
    for (const id of ids) if (id !== undefined) await this.#emit("save", id, id);
    return stream;
  }

  async prune(
    options: { all?: boolean; filters?: Record<string, string[]> } = {},
  ): Promise<PruneReport> {
    const { pruneImages } = await lazy<typeof import("../image/prune_images.ts")>(
      "../image/prune_images.ts",
      import.meta.url,
    );
    const { removed, reclaimedBytes } = await pruneImages(this.#paths, {
      ...options,
      users: () => this.#options.users(),
      openWorker: () => this.#openWorker(),
      mapping: currentIdMap(this.#paths).name,
    });
    for (const item of removed) {
      if ("deleted" in item) await this.#emit("delete", item.deleted, item.deleted);
    }
    return {
      removed: removed.map((item) =>
        "untagged" in item ? `untagged: ${item.untagged}` : `deleted: ${item.deleted}`
      ),
      reclaimedBytes,
    };
  }

  async tag(source: string, target: string): Promise<void> {
    const { tagImage } = await lazy<typeof import("../image/tag_image.ts")>(
      "../image/tag_image.ts",
      import.meta.url,
    );
    tagImage(this.#paths, source, target);
    await this.#emit("tag", resolveImageId(this.#paths, target), shown(target));
  }

  async remove(
    name: string,
    options: { force?: boolean; noPrune?: boolean } = {},
  ): Promise<({ untagged: string } | { deleted: string })[]> {
    const { removeImage } = await lazy<typeof import("../image/remove_image.ts")>(
      "../image/remove_image.ts",
      import.meta.url,
    );
    const id = resolveImageId(this.#paths, name);
    const removed = await removeImage(this.#paths, name, {
      force: options.force ?? false,
      users: () => this.#options.users(),
      openWorker: () => this.#openWorker(),
    });
    for (const item of removed) {
      if ("untagged" in item) await this.#emit("untag", id, id);
      else if (item.deleted === id) await this.#emit("delete", id, id);
    }
    return removed;
  }

  /** Before anything is put into the store. */
  async #prepare(): Promise<void> {
    const { prepareStore } = await lazy<typeof import("../container/store_place.ts")>(
      "../container/store_place.ts",
      import.meta.url,
    );
    await prepareStore(this.#paths);
  }

  async #openWorker(signal?: AbortSignal) {
    const { openNamespaceWorker } = await lazy<typeof import("../image/namespace_worker.ts")>(
      "../image/namespace_worker.ts",
      import.meta.url,
    );
    return await openNamespaceWorker(this.#paths, signal);
  }

  /** Waits: the process may end as soon as the call has. */
  async #emit(action: string, id: string, name: string): Promise<void> {
    await this.#options.emit?.({
      Type: "image",
      Action: action,
      Actor: { ID: id, Attributes: { ...this.#labels(id), name } },
    });
  }

  /** Docker puts an image's labels beside its name, while it is there. */
  #labels(id: string): Record<string, string> {
    try {
      return readConfig(this.#paths, id).config?.Labels ?? {};
    } catch {
      return {};
    }
  }
}

function resolveAny(paths: StorePaths, name: string): string | undefined {
  try {
    return resolveImageId(paths, name);
  } catch {
    return undefined; // a repository without the tag `latest`, or none at all
  }
}

/** A reference as docker shows it, tag and all. */
function shown(text: string): string {
  return familiarReference(parseReference(canonicalReference(parseReference(text))));
}
