/**
 * Taking the bridge of a removed network out of the router namespace, if there is one.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { ensureUserNamespace, holderPid } from "../runtime/userns.ts";
import { removeBridge } from "./bridge.ts";
import { forgetNetwork } from "./firewall.ts";
import { openNetlinkIn } from "./namespace.ts";
import type { NetworkRecord } from "./record.ts";
import { openRouter } from "./router.ts";

/** Removes a network's bridge and what the packet filter knows of it. Without a router there is nothing to do. */
export async function dropBridge(paths: StorePaths, network: NetworkRecord): Promise<void> {
  const holder = holderPid(paths);
  if (holder === undefined) return;
  using router = openRouter(paths, holder);
  if (router === undefined) return;
  using namespace = await ensureUserNamespace(paths);
  if (namespace.holderPid !== holder) return;
  using link = openNetlinkIn(namespace.fd.number, router.netns.number);
  if (!removeBridge(link, network)) return;
  await forgetNetwork(namespace, router.netns.number, network);
}
