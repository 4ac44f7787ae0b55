/**
 * Requests of rtnetlink: links, addresses, routes, rules. Each function makes one for `NetlinkSocket.request()`.
 *
 * @see rtnetlink(7), <linux/rtnetlink.h>, <linux/if_link.h>, <linux/fib_rules.h>
 * @module
 */
import { AF_INET } from "../abi/constants.ts";
import type { NetlinkSocket } from "./socket.ts";
import {
  type Attributes,
  decodeAttributes,
  encodeAttributes,
  type Request,
  textOf,
  u32Of,
  u8,
} from "./message.ts";

const AF_UNSPEC = 0, AF_INET6 = 10;
const RTM_NEWLINK = 16, RTM_DELLINK = 17, RTM_GETLINK = 18, RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24, RTM_GETROUTE = 26, RTM_NEWRULE = 32;
const NLM_F_REPLACE = 0x100, NLM_F_EXCL = 0x200, NLM_F_CREATE = 0x400;

const IFLA_ADDRESS = 1, IFLA_IFNAME = 3, IFLA_MTU = 4, IFLA_MASTER = 10, IFLA_LINKINFO = 18;
const IFLA_NET_NS_FD = 28;
const IFLA_INFO_KIND = 1, IFLA_INFO_DATA = 2, VETH_INFO_PEER = 1;
const IFLA_INFO_SLAVE_KIND = 4, IFLA_INFO_SLAVE_DATA = 5, IFLA_BRPORT_ISOLATED = 33;
const IFF_UP = 1;
const IFA_ADDRESS = 1, IFA_LOCAL = 2, IFA_BROADCAST = 4, IFA_FLAGS = 8;
/** The address is used at once, without asking whether somebody else has it. */
const IFA_F_NODAD = 2;
const RTA_DST = 1, RTA_OIF = 4, RTA_GATEWAY = 5, RTA_PRIORITY = 6, RTA_TABLE = 15;
const RT_TABLE_MAIN = 254, RTPROT_BOOT = 3, RT_SCOPE_LINK = 253, RT_SCOPE_HOST = 254;
const RTN_UNICAST = 1, RTN_LOCAL = 2;
const FRA_TABLE = 15, FRA_FWMARK = 10, FR_ACT_TO_TBL = 1;

/** An IP address: 4 or 16 bytes. */
export type IpBytes = Uint8Array;

/** A link, by its number or its name. */
export type LinkId = number | string;

function family(address: IpBytes): number {
  return address.length === 4 ? AF_INET : AF_INET6;
}

/** `struct ifinfomsg`: family, type, index, flags, change. */
function ifinfo(index: number, flags = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint8(0, AF_UNSPEC);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, flags, true); // which flags to change
  return new Uint8Array(view.buffer);
}

function linkRequest(
  link: LinkId,
  label: string,
  attributes: Attributes = [],
  flags = 0,
): Request {
  const index = typeof link === "number" ? link : 0;
  const name = typeof link === "string" ? link : undefined;
  return {
    type: RTM_NEWLINK,
    fixed: ifinfo(index, flags),
    attributes: [[IFLA_IFNAME, name], ...attributes],
    label,
  };
}

/** Six bytes of an Ethernet address. @throws {TypeError} If it is none. */
export function macBytes(mac: string): Uint8Array {
  const parts = mac.split(/[:-]/).map((part) =>
    /^[0-9a-f]{2}$/i.test(part) ? parseInt(part, 16) : NaN
  );
  if (parts.length !== 6 || parts.some(Number.isNaN)) {
    throw new TypeError(`"${mac}" is no MAC address`);
  }
  return Uint8Array.from(parts);
}

/** Brings a link up. */
export function linkUp(link: LinkId): Request {
  return linkRequest(link, `bring ${link} up`, [], IFF_UP);
}

/** Sets the largest packet. A bridge made with one forgets it when it gets its first port. */
export function setMtu(link: LinkId, mtu: number): Request {
  return linkRequest(link, `set the MTU of ${link}`, [[IFLA_MTU, mtu]]);
}

/** Adds a bridge; it is down. */
export function addBridge(name: string, options: { mac?: string } = {}): Request {
  return {
    ...linkRequest(name, `add the bridge ${name}`, [
      [IFLA_ADDRESS, options.mac === undefined ? undefined : macBytes(options.mac)],
      [IFLA_LINKINFO, [[IFLA_INFO_KIND, "bridge"]]],
    ]),
    flags: NLM_F_CREATE | NLM_F_EXCL,
  };
}

/** One end of a pair of virtual Ethernet interfaces. */
export interface VethEnd {
  name: string;
  mac?: string;
}

/** Adds a veth pair: one end here, in a bridge and up, the other in another network namespace. */
export function addVeth(
  here: VethEnd & { master: number },
  there: VethEnd & { netns: number },
  mtu: number,
): Request {
  const peer = encodeAttributes([
    [IFLA_IFNAME, there.name],
    [IFLA_MTU, mtu],
    [IFLA_NET_NS_FD, there.netns],
    [IFLA_ADDRESS, there.mac === undefined ? undefined : macBytes(there.mac)],
  ]);
  const peerInfo = Uint8Array.from([...ifinfo(0), ...peer]);
  return {
    ...linkRequest(here.name, `add the interface ${there.name}`, [
      [IFLA_MTU, mtu],
      [IFLA_MASTER, here.master],
      [IFLA_ADDRESS, here.mac === undefined ? undefined : macBytes(here.mac)],
      [IFLA_LINKINFO, [
        [IFLA_INFO_KIND, "veth"],
        [IFLA_INFO_DATA, [[VETH_INFO_PEER, peerInfo]]],
      ]],
    ], IFF_UP),
    flags: NLM_F_CREATE | NLM_F_EXCL,
  };
}

/** Keeps a bridge's port from others that are isolated too: it reaches the bridge itself, and what is beyond. */
export function isolatePort(link: LinkId): Request {
  return linkRequest(link, `isolate ${link}`, [
    [IFLA_LINKINFO, [
      [IFLA_INFO_SLAVE_KIND, "bridge"],
      [IFLA_INFO_SLAVE_DATA, [[IFLA_BRPORT_ISOLATED, u8(1)]]],
    ]],
  ]);
}

/** Removes a link; a veth's other end goes with it. */
export function removeLink(link: LinkId): Request {
  return { ...linkRequest(link, `remove ${link}`), type: RTM_DELLINK };
}

/** Adds an address to a link. */
export function addAddress(index: number, address: IpBytes, prefix: number): Request {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint8(0, family(address));
  view.setUint8(1, prefix);
  view.setUint32(4, index, true);
  const v6 = address.length === 16;
  return {
    type: RTM_NEWADDR,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    fixed: new Uint8Array(view.buffer),
    attributes: [
      [IFA_LOCAL, address],
      [IFA_ADDRESS, address],
      [IFA_BROADCAST, v6 || prefix > 30 ? undefined : broadcast(address, prefix)],
      [IFA_FLAGS, v6 ? IFA_F_NODAD : undefined],
    ],
    label: "add an address",
  };
}

function broadcast(address: IpBytes, prefix: number): Uint8Array {
  return address.map((byte, i) => byte | 0xff >> Math.min(8, Math.max(0, prefix - 8 * i)));
}

/** A route: to everywhere without `to`. */
export interface Route {
  to?: { address: IpBytes; prefix: number };
  gateway?: IpBytes;
  /** The link it leaves by. */
  link: number;
  /** The lowest wins. */
  metric?: number;
  /** A route of this machine's own: what is sent there is received here. */
  local?: boolean;
  table?: number;
  /** Where neither address tells: 4 or 6. */
  version?: 4 | 6;
}

/** Adds or replaces a route. */
export function addRoute(route: Route): Request {
  return {
    ...routeRequest(route),
    type: RTM_NEWROUTE,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    label: "add a route",
  };
}

function routeRequest(route: Route): Pick<Request, "fixed" | "attributes"> {
  const { to, gateway, link, metric, local, table = RT_TABLE_MAIN } = route;
  const address = gateway ?? to?.address;
  const fixed = new Uint8Array(12);
  fixed[0] = address !== undefined ? family(address) : route.version === 6 ? AF_INET6 : AF_INET;
  fixed[1] = to?.prefix ?? 0;
  fixed[4] = table < 256 ? table : 0;
  fixed[5] = RTPROT_BOOT;
  fixed[6] = local ? RT_SCOPE_HOST : gateway === undefined ? RT_SCOPE_LINK : 0;
  fixed[7] = local ? RTN_LOCAL : RTN_UNICAST;
  return {
    fixed,
    attributes: [
      [RTA_DST, to?.address],
      [RTA_OIF, link],
      [RTA_GATEWAY, gateway],
      [RTA_PRIORITY, metric],
      [RTA_TABLE, table],
    ],
  };
}

/** Sends packets with a mark to a routing table. */
export function addMarkRule(mark: number, table: number, version: 4 | 6): Request {
  const fixed = new Uint8Array(12);
  fixed[0] = version === 4 ? AF_INET : AF_INET6;
  fixed[4] = table < 256 ? table : 0;
  fixed[7] = FR_ACT_TO_TBL;
  return {
    type: RTM_NEWRULE,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    fixed,
    attributes: [[FRA_FWMARK, mark], [FRA_TABLE, table]],
    label: "add a routing rule",
  };
}

/** A link as the kernel describes it. */
export interface Link {
  index: number;
  name: string;
  isUp: boolean;
  mtu: number;
  /** Number of the bridge it is in; 0 for none. */
  master: number;
  mac: string;
}

/** A link by name; undefined if there is none. */
export function findLink(socket: NetlinkSocket, name: string): Link | undefined {
  const request = { ...linkRequest(name, `look for ${name}`), type: RTM_GETLINK };
  const body = socket.get(request);
  return body === undefined ? undefined : decodeLink(body);
}

/** All links. */
export function listLinks(socket: NetlinkSocket): Link[] {
  return socket.dump({ type: RTM_GETLINK, fixed: ifinfo(0), label: "list the links" })
    .map(decodeLink);
}

function decodeLink(body: Uint8Array): Link {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const attributes = decodeAttributes(body.subarray(16));
  return {
    index: view.getInt32(4, true),
    name: textOf(attributes.get(IFLA_IFNAME)),
    isUp: (view.getUint32(8, true) & IFF_UP) !== 0,
    mtu: u32Of(attributes.get(IFLA_MTU)),
    master: u32Of(attributes.get(IFLA_MASTER)),
    mac: [...attributes.get(IFLA_ADDRESS) ?? []]
      .map((byte) => byte.toString(16).padStart(2, "0")).join(":"),
  };
}

/** Whether there is a default route of IP version 4. */
export function hasDefaultRoute(socket: NetlinkSocket): boolean {
  const fixed = new Uint8Array(12);
  fixed[0] = AF_INET;
  return socket.dump({ type: RTM_GETROUTE, fixed, label: "list the routes" })
    .some((body) => body[1] === 0 && body[7] === RTN_UNICAST && body[4] === RT_TABLE_MAIN);
}
