/**
 * Bridges: each bridge network's in the router namespace, made when a container is first attached to it.
 *
 * @module
 */
import {
  addAddress,
  addBridge,
  findLink,
  type Link,
  linkUp,
  removeLink,
  setMtu,
} from "../../ffi/netlink/route.ts";
import type { NetlinkSocket } from "../../ffi/netlink/socket.ts";
import type { UserNamespace } from "../runtime/userns.ts";
import { allowNetworks } from "./firewall.ts";
import { ipBytes } from "./ip_bytes.ts";
import { bridgeName, mtuOf, type NetworkRecord } from "./record.ts";
import type { Router } from "./router.ts";

/** What is needed to work on the router. */
export interface RouterAccess {
  namespace: UserNamespace;
  router: Router;
  /** A netlink socket in the router namespace. */
  link: NetlinkSocket;
}

/**
 * The bridge of a network, made if it is not there.
 *
 * A bridge counts as there once it has its name: that it gets last. Who is late finds it.
 */
export async function ensureBridge(access: RouterAccess, network: NetworkRecord): Promise<Link> {
  const name = bridgeName(network);
  const there = findLink(access.link, name);
  if (there?.isUp) return there;
  const { router, namespace } = access;
  await allowNetworks(namespace, router.netns.number, [network]);
  makeBridge(access.link, network);
  return findLink(access.link, name)!;
}

function makeBridge(link: NetlinkSocket, network: NetworkRecord): void {
  const name = bridgeName(network);
  const [made] = link.tryRequest(addBridge(name, { mac: macOf(network) }));
  if (made !== undefined && made.code !== "EEXIST") throw made;
  const { index } = findLink(link, name)!;
  link.request(
    setMtu(index, mtuOf(network)),
    ...network.pools.map(({ subnet, gateway }) =>
      addAddress(index, ipBytes(gateway), Number(subnet.slice(subnet.indexOf("/") + 1)))
    ),
    linkUp(index),
  );
}

/**
 * The bridge's own hardware address. Without one a bridge takes the lowest of its ports': with the port that address goes,
 * and those who know the gateway by it wait until they ask again.
 */
function macOf({ id }: NetworkRecord): string {
  return ["02", ...id.slice(0, 10).match(/../g)!].join(":");
}

/** Removes a network's bridge. @returns Whether there was one. */
export function removeBridge(link: NetlinkSocket, network: NetworkRecord): boolean {
  const [error] = link.tryRequest(removeLink(bridgeName(network)));
  if (error !== undefined && error.code !== "ENODEV") throw error;
  return error === undefined;
}
