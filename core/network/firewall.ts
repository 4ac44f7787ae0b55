/**
 * The router namespace's packet filter: masquerading on the way out, and no way from one network to another. By nft(8).
 *
 * @see nft(8)
 * @module
 */
import { DhowError } from "../errors.ts";
import { pipe, widenPipe, write } from "../../ffi/fd.ts";
import { CLONE_NEWNET } from "../../ffi/abi/constants.ts";
import { runCommandInside } from "../runtime/inside.ts";
import type { UserNamespace } from "../runtime/userns.ts";
import { PROXY_MARK } from "./proxy_context.ts";
import { allowsBetween, bridgeName, type NetworkRecord } from "./record.ts";
import { findProgram, UPLINK_INTERFACE } from "./uplink.ts";

const TABLE = "inet dhow";

/**
 * What is there before the first network. Packets that belong to no connection are dropped rather than refused: pasta of
 * 2023 sends segments without flags, and a RST in answer would end the connection they are meant for.
 */
const BASE = `
table ${TABLE} {
  set bridges { type ifname; }
  set same { type ifname . ifname; }
  set internal { type ifname; }
  chain input {
    type filter hook input priority 0; policy accept;
    iifname "${UPLINK_INTERFACE}" ct state invalid drop
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct state invalid drop
    iifname . oifname @same accept
    iifname @bridges oifname @bridges drop
    iifname @internal drop
    oifname @internal drop
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    oifname "${UPLINK_INTERFACE}" masquerade
  }
}
`;

/**
 * What a container's namespace needs where UDP ports are published. Datagrams have no connections whose answers inherit
 * a mark, as TCP's do: the kernel's table of connections remembers it.
 */
const DATAGRAM_RULES = `
table ${TABLE} {
  chain output {
    type route hook output priority mangle; policy accept;
    meta l4proto udp meta mark ${PROXY_MARK} ct mark set ${PROXY_MARK}
    meta l4proto udp ct direction reply ct mark ${PROXY_MARK} meta mark set ${PROXY_MARK}
  }
}
`;

/**
 * Lets answers to published UDP ports come back to the proxy, which speaks with its clients' addresses.
 *
 * @param netns The container's.
 * @throws {DhowError} `unsupported` if nft is not installed, or refuses.
 */
export async function markDatagrams(namespace: UserNamespace, netns: number): Promise<void> {
  await runNft(namespace, netns, DATAGRAM_RULES);
}

/** What is added for a network; adding it twice changes nothing. */
export function networkRules(network: NetworkRecord): string {
  const name = `"${bridgeName(network)}"`;
  return [
    `add element ${TABLE} bridges { ${name} }`,
    ...allowsBetween(network) ? [`add element ${TABLE} same { ${name} . ${name} }`] : [],
    ...network.internal ? [`add element ${TABLE} internal { ${name} }`] : [],
  ].join("\n") + "\n";
}

/** Makes the filter of a new router namespace. @throws {DhowError} `unsupported` if nft is not installed, or refuses. */
export async function makeFirewall(namespace: UserNamespace, netns: number): Promise<void> {
  await runNft(namespace, netns, BASE);
}

/**
 * Makes the filter know networks.
 *
 * @throws {DhowError} `unsupported` if nft is not installed, or refuses.
 */
export async function allowNetworks(
  namespace: UserNamespace,
  netns: number,
  networks: readonly NetworkRecord[],
): Promise<void> {
  await runNft(namespace, netns, networks.map(networkRules).join(""));
}

/** Makes the filter forget a network whose bridge is gone: another may be called the same. */
export async function forgetNetwork(
  namespace: UserNamespace,
  netns: number,
  network: NetworkRecord,
): Promise<void> {
  const rules = networkRules(network);
  // What is not there cannot be deleted.
  await runNft(namespace, netns, rules + rules.replaceAll(/^add /gm, "delete "));
}

async function runNft(namespace: UserNamespace, netns: number, rules: string): Promise<void> {
  const program = findProgram("nft");
  if (program === undefined) {
    throw new DhowError(
      "unsupported",
      "Cannot connect containers to the network: nft is not installed (package nftables); --network none and --network host work without",
    );
  }
  const input = pipe();
  using reading = input.read;
  widenPipe(reading, 1 << 20);
  write(input.write.number, new TextEncoder().encode(rules));
  input.write.close();
  const { status, stdout } = await runCommandInside(namespace, [program, "-f", "-"], {
    stdin: reading.number,
    enter: { fd: netns, flags: CLONE_NEWNET },
    joined: true,
  });
  if (status.exitCode === 0) return;
  throw new DhowError(
    "unsupported",
    `Cannot set up the packet filter: nft failed: ${new TextDecoder().decode(stdout).trim()}`,
  );
}
