/**
 * Attaching a network namespace to a network: a pair of virtual Ethernet interfaces, an address, the routes.
 *
 * @module
 */
import {
  addAddress,
  addMarkRule,
  addRoute,
  addVeth,
  findLink,
  isolatePort,
  linkUp,
  removeLink,
  setMtu,
} from "../../ffi/netlink/route.ts";
import type { NetlinkSocket } from "../../ffi/netlink/socket.ts";
import type { Request } from "../../ffi/netlink/message.ts";
import { sha256Hex } from "../lib/sha256.ts";
import { ensureBridge, type RouterAccess } from "./bridge.ts";
import { writeInterfaceSysctls } from "./endpoint_options.ts";
import { ipBytes } from "./ip_bytes.ts";
import { PROXY_MARK } from "./proxy_context.ts";
import { allowsBetween, type Endpoint, mtuOf, type NetworkRecord } from "./record.ts";

/** The routing table for what has that mark. */
const PROXY_TABLE = 100;

/** Settings of a container's network namespace. The proxy's connections come from addresses that are not there. */
export const CONTAINER_SYSCTLS = {
  "net.ipv4.conf.all.rp_filter": "0",
  "net.ipv4.conf.default.rp_filter": "0",
  "net.ipv4.conf.lo.rp_filter": "0",
  "net.ipv4.tcp_fwmark_accept": "1",
};

/**
 * The name of an endpoint's interface in the router namespace; at most 15 characters, the same for the same address: a
 * namespace may outlive its container for minutes, as long as the kernel has something left to send from it, and must not
 * answer for an address that somebody else has by then.
 */
export function vethName({ networkId, ipv4, ipv6, endpointId }: Endpoint): string {
  const text = `${networkId} ${ipv4 ?? ipv6 ?? endpointId}`;
  return `veth${sha256Hex(new TextEncoder().encode(text)).slice(0, 11)}`;
}

/** Brings a fresh namespace's loopback interface up, and sends back what the proxy's clients are answered. */
export function prepareNamespace(inside: NetlinkSocket): void {
  inside.request(linkUp("lo"));
  const v4 = [
    addMarkRule(PROXY_MARK, PROXY_TABLE, 4),
    addRoute({ link: 1, local: true, table: PROXY_TABLE, version: 4 }),
  ];
  const v6 = [
    addMarkRule(PROXY_MARK, PROXY_TABLE, 6),
    addRoute({ link: 1, local: true, table: PROXY_TABLE, version: 6 }),
  ];
  // Without policy routing or IPv6 the proxy makes plain connections.
  inside.tryRequest(...v4, ...v6);
}

/**
 * Attaches a container to a network.
 *
 * @param there Its namespace, and a netlink socket in it.
 * @param isDefaultRoute Whether what goes elsewhere goes this way.
 */
export async function attachEndpoint(
  access: RouterAccess,
  network: NetworkRecord,
  endpoint: Endpoint,
  there: { netns: number; inside: NetlinkSocket },
  isDefaultRoute: boolean,
): Promise<void> {
  const bridge = await ensureBridge(access, network);
  const here = { name: vethName(endpoint), master: bridge.index };
  const mtu = mtuOf(network);
  const peer = { name: endpoint.interface, mac: endpoint.mac, netns: there.netns };
  const add = addVeth(here, peer, mtu);
  const [failed] = access.link.tryRequest(add);
  if (failed !== undefined) {
    if (failed.code !== "EEXIST") throw failed;
    access.link.request(removeLink(here.name), add); // of one that is dead
  }
  // The packet filter sees nothing of what stays on a bridge.
  if (!allowsBetween(network)) access.link.request(isolatePort(here.name));
  // A bridge takes the smallest MTU of its ports as soon as it has some.
  if (bridge.mtu !== mtu) access.link.request(setMtu(bridge.index, mtu));
  const { index } = findLink(there.inside, endpoint.interface)!;
  const { ipv4, prefix4, ipv6, prefix6, linkLocal = [] } = endpoint;
  const requests: Request[] = [];
  if (ipv4 !== undefined) requests.push(addAddress(index, ipBytes(ipv4), prefix4!));
  if (ipv6 !== undefined) requests.push(addAddress(index, ipBytes(ipv6), prefix6!));
  for (const address of linkLocal) {
    requests.push(addAddress(index, ipBytes(address), address.includes(":") ? 64 : 16));
  }
  if (endpoint.options !== undefined) {
    const namespaces = { userns: access.namespace.fd.number, netns: there.netns };
    writeInterfaceSysctls(namespaces, endpoint.interface, endpoint.options);
  }
  requests.push(linkUp(index));
  if (isDefaultRoute) requests.push(...defaultRoutes(network, endpoint, index));
  there.inside.request(...requests);
}

/** The default routes by way of an endpoint; none on a network without a way out. */
function defaultRoutes(network: NetworkRecord, endpoint: Endpoint, link: number): Request[] {
  if (network.internal) return [];
  return [endpoint.gateway4, endpoint.gateway6]
    .filter((gateway) => gateway !== undefined)
    .map((gateway) => addRoute({ gateway: ipBytes(gateway), link }));
}

/** Makes an attached endpoint the way out. */
export function routeBy(
  inside: NetlinkSocket,
  network: NetworkRecord,
  endpoint: Endpoint,
): void {
  const link = findLink(inside, endpoint.interface);
  if (link !== undefined) inside.request(...defaultRoutes(network, endpoint, link.index));
}
