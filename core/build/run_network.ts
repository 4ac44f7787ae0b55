/**
 * Networks for RUN: namespaces on the default bridge, made when one is needed and used again by later steps of the same
 * build, one step at a time.
 *
 * @module
 */
import { O_CREAT, O_RDWR } from "../../ffi/abi/constants.ts";
import { type Fd, open } from "../../ffi/fd.ts";
import { tryLock } from "../../ffi/lock.ts";
import {
  defaultNetwork,
  makeEndpoint,
  networkFacts,
  reachRouter,
} from "../container/networking.ts";
import type { NetworkFacts } from "../container/network_files.ts";
import type { ContainerRecord } from "../container/record.ts";
import type { StorePaths } from "../host/paths.ts";
import { attachEndpoint, CONTAINER_SYSCTLS, prepareNamespace } from "../network/endpoint.ts";
import { changeGeneration } from "../network/generation.ts";
import { releaseAddresses } from "../network/ipam.ts";
import { makeNamespace, openNetlinkIn } from "../network/namespace.ts";
import { readNetwork } from "../network/record.ts";
import type { UserNamespace } from "../runtime/userns.ts";

/** A namespace with an address on the default bridge. */
export interface BuildNetwork {
  readonly namespace: Fd;
  /** To be kept open by who uses the namespace. */
  readonly alive: Fd;
  readonly facts: NetworkFacts;
}

/** The networks of a build. */
export class BuildNetworks implements Disposable {
  readonly #paths: StorePaths;
  readonly #namespace: UserNamespace;
  readonly #idle: BuildNetwork[] = [];
  readonly #stack = new DisposableStack();

  constructor(paths: StorePaths, namespace: UserNamespace) {
    this.#paths = paths;
    this.#namespace = namespace;
  }

  /** Runs `work` in a network that nobody else uses meanwhile. */
  async use<T>(work: (network: BuildNetwork) => Promise<T>): Promise<T> {
    const network = this.#idle.pop() ?? await this.#make();
    try {
      return await work(network);
    } finally {
      this.#idle.push(network);
    }
  }

  async #make(): Promise<BuildNetwork> {
    const paths = this.#paths;
    const stack = new DisposableStack();
    try {
      const id = crypto.getRandomValues(new Uint8Array(32)).toHex();
      // Addresses of those whose lock nobody holds are free.
      const directory = `${paths.tmp}/build-${id}`;
      Deno.mkdirSync(directory, { mode: 0o700 });
      stack.defer(() => Deno.removeSync(directory, { recursive: true }));
      const lock = stack.use(open(`${directory}/lock`, O_RDWR | O_CREAT));
      tryLock(lock);
      const network = readNetwork(paths, "bridge");
      const router = stack.use(await reachRouter(paths, this.#namespace));
      const made = stack.use(makeNamespace(this.#namespace.fd.number, CONTAINER_SYSCTLS));
      using link = openNetlinkIn(this.#namespace.fd.number, router.netns.number);
      prepareNamespace(made.inside);
      const access = { namespace: this.#namespace, router, link };
      stack.defer(() => releaseAddresses(paths, network, id));
      const endpoint = makeEndpoint(paths, { id } as ContainerRecord, network, {}, []);
      const there = { netns: made.fd.number, inside: made.inside };
      const isRouted = defaultNetwork([network], {}) === network;
      await attachEndpoint(access, network, endpoint, there, isRouted);
      changeGeneration(paths);
      this.#stack.use(stack);
      const facts = networkFacts(router.record, [network], [endpoint]);
      return { namespace: made.fd, alive: router.alive, facts };
    } catch (error) {
      stack[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
  }
}
