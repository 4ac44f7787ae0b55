/**
 * `Networks`, done in this process. Each method loads what it needs when it is called.
 *
 * @module
 */
import { findContainer } from "../container/record.ts";
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { lazy } from "../lib/lazy.ts";
import { listNetworks, type NetworkRecord, readNetwork } from "../network/record.ts";
import type { EndpointConfig, NetworkCreate, NetworkInspect } from "../spec/docker_api.ts";
import type { Networks } from "./engine.ts";

/** The networks of one store. */
export class LocalNetworks implements Networks {
  readonly #paths: StorePaths;

  constructor(paths: StorePaths) {
    this.#paths = paths;
  }

  async create(
    name: string,
    request: NetworkCreate = {},
  ): Promise<{ id: string; warnings: string[] }> {
    const { createNetwork } = await lazy<typeof import("../network/create_network.ts")>(
      "../network/create_network.ts",
      import.meta.url,
    );
    const network = createNetwork(this.#paths, name, request);
    await this.#emit(network, "create");
    return { id: network.id, warnings: [] };
  }

  async list(options: { filters?: Record<string, string[]> } = {}): Promise<NetworkInspect[]> {
    const [{ filterNetworks }, { inspectNetwork }] = await Promise.all([
      lazy<typeof import("../network/list_networks.ts")>(
        "../network/list_networks.ts",
        import.meta.url,
      ),
      lazy<typeof import("../network/inspect_network.ts")>(
        "../network/inspect_network.ts",
        import.meta.url,
      ),
    ]);
    const { filters = {} } = options;
    // Who uses what is found out only where it is asked for.
    const users = filters.dangling === undefined ? undefined : await this.#users();
    const isUsed = (network: NetworkRecord) => (users?.(network).length ?? 0) > 0;
    return filterNetworks(listNetworks(this.#paths), filters, isUsed)
      .map((network) => inspectNetwork(network));
  }

  async inspect(name: string): Promise<NetworkInspect> {
    if (name.trim() === "") {
      throw new DhowError("invalid_argument", "invalid network name or ID: value is empty");
    }
    const network = readNetwork(this.#paths, name);
    const { inspectNetwork } = await lazy<typeof import("../network/inspect_network.ts")>(
      "../network/inspect_network.ts",
      import.meta.url,
    );
    return inspectNetwork(network, (await this.#users())(network));
  }

  async remove(name: string): Promise<void> {
    const { removeNetwork } = await lazy<typeof import("../network/remove_network.ts")>(
      "../network/remove_network.ts",
      import.meta.url,
    );
    const network = await removeNetwork(this.#paths, name, await this.#freshUsers());
    await this.#afterRemoval(network);
  }

  async prune(filters: Record<string, string[]> = {}): Promise<string[]> {
    const { pruneNetworks } = await lazy<typeof import("../network/remove_network.ts")>(
      "../network/remove_network.ts",
      import.meta.url,
    );
    const removed = await pruneNetworks(this.#paths, await this.#freshUsers(), filters);
    for (const network of removed) await this.#afterRemoval(network);
    return removed.map(({ name }) => name);
  }

  async connect(name: string, container: string, config: EndpointConfig = {}): Promise<void> {
    const [{ connectContainer }, { toEndpointRequest, assertEndpointConfig }] = await Promise.all([
      lazy<typeof import("../container/connect.ts")>("../container/connect.ts", import.meta.url),
      lazy<typeof import("../container/endpoint_config.ts")>(
        "../container/endpoint_config.ts",
        import.meta.url,
      ),
    ]);
    const network = readNetwork(this.#paths, name);
    const id = findContainer(this.#paths, container);
    assertEndpointConfig(network, config);
    await connectContainer(this.#paths, id, network.name, toEndpointRequest(config));
    await this.#emit(network, "connect", { container: id });
  }

  async disconnect(
    name: string,
    container: string,
    options: { force?: boolean } = {},
  ): Promise<void> {
    const { disconnectContainer } = await lazy<typeof import("../container/connect.ts")>(
      "../container/connect.ts",
      import.meta.url,
    );
    const { force = false } = options;
    const network = this.#tryRead(name, force);
    const id = this.#findContainer(container, force);
    await disconnectContainer(this.#paths, id, network?.name ?? name, { force });
    if (network !== undefined) await this.#emit(network, "disconnect", { container: id });
  }

  #findContainer(name: string, force: boolean): string {
    try {
      return findContainer(this.#paths, name);
    } catch (error) {
      if (!force || !(error instanceof DhowError) || error.code !== "not_found") throw error;
      throw new DhowError("not_found", `endpoint ${name} not found`, { cause: error });
    }
  }

  #tryRead(name: string, force: boolean): NetworkRecord | undefined {
    try {
      return readNetwork(this.#paths, name);
    } catch (error) {
      if (force && error instanceof DhowError && error.code === "not_found") return undefined;
      throw error;
    }
  }

  async #users() {
    const { findNetworkUsers } = await lazy<typeof import("../container/network_users.ts")>(
      "../container/network_users.ts",
      import.meta.url,
    );
    return findNetworkUsers(this.#paths);
  }

  /** Looks anew each time it is asked. */
  async #freshUsers() {
    const { findNetworkUsers } = await lazy<typeof import("../container/network_users.ts")>(
      "../container/network_users.ts",
      import.meta.url,
    );
    return (network: NetworkRecord) => findNetworkUsers(this.#paths)(network);
  }

  async #afterRemoval(network: NetworkRecord): Promise<void> {
    if (network.driver === "bridge") {
      const { dropBridge } = await lazy<typeof import("../network/drop_bridge.ts")>(
        "../network/drop_bridge.ts",
        import.meta.url,
      );
      // What is left of it in the router is an interface that nobody uses.
      await dropBridge(this.#paths, network).catch(() => {});
    }
    await this.#emit(network, "destroy");
  }

  async #emit(
    { id, name, driver }: NetworkRecord,
    action: string,
    attributes: Record<string, string> = {},
  ): Promise<void> {
    const { appendEvent, makeEvent } = await lazy<typeof import("../container/events.ts")>(
      "../container/events.ts",
      import.meta.url,
    );
    try {
      const actor = { id, attributes: { ...attributes, name, type: driver } };
      appendEvent(this.#paths.events, makeEvent("network", action, actor));
    } catch { /* an event is not worth failing for */ }
  }
}
