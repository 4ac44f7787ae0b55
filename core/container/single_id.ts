/**
 * Containers where the user namespace has but one id (no subordinate ids): they run as their image's users in name only.
 *
 * The filter answers calls that change owners or users (`core/runtime/seccomp_single.ts`), files keep their owners in
 * attributes (`core/layer/kept_owners.ts`), and apt is told not to look whether it became `_apt`.
 *
 * @module
 */
import { SOCK_SEQPACKET } from "../../ffi/abi/constants.ts";
import { socketpair } from "../../ffi/socket.ts";
import { emitOwnerRequest } from "../runtime/owner_requests.ts";
import { startOwnerService } from "../runtime/owner_service.ts";
import { cachedFilter } from "../runtime/seccomp.ts";
import type { Spec } from "../spec/runtime.ts";

/** Where apt finds its settings; /dev is no part of any image. */
const APT_CONFIG = "/dev/.apt.conf";
const APT_SETTINGS = 'APT::Sandbox::User "root";\n';

/** For processes in a container whose ids are one. */
export const SINGLE_ID_ENV: readonly string[] = [`APT_CONFIG=${APT_CONFIG}`];

/** Changes the spec of a container to be. @param directory The container's own; a file is written there. */
export function adaptToSingleId(spec: Spec, directory: string): void {
  for (const mount of spec.mounts) {
    if (mount.options) {
      mount.options = mount.options.filter((option) => !/^[ug]id=[^0]/.test(option));
    }
  }
  const source = `${directory}/apt.conf`;
  Deno.writeTextFileSync(source, APT_SETTINGS);
  spec.mounts.push({
    destination: APT_CONFIG,
    type: "bind-file",
    source,
    options: ["bind", "ro"],
  });
  spec.process.env.push(...SINGLE_ID_ENV);
}

/**
 * The filter for a process without one of its own: nothing is refused, and ids are answered for.
 *
 * @param singleId As `cachedFilter()` takes it.
 */
export async function openFilter(
  cache: string,
  singleId: "answers" | "asks",
): Promise<Uint8Array<ArrayBuffer>> {
  const profile = JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW" });
  return await cachedFilter(`${cache}/seccomp`, profile, { capabilities: [], singleId });
}

/**
 * Has somebody answer the filter of a process that enters a container.
 *
 * @param init A pidfd of the container's init.
 * @returns What init's half of `listenerSocket()` is; undefined where nobody can answer.
 */
export function ownerService(stack: DisposableStack, init: number): number | undefined {
  const [asks, asked] = socketpair(SOCK_SEQPACKET);
  stack.use(asks);
  using _asked = asked;
  return startOwnerService(asked.number, init) ? asks.number : undefined;
}

/** The two ends of what a filter's listener is handed over by, init's and the monitor's, and what answers it. */
export function listenerSocket(
  stack: DisposableStack,
): { asks: number; asked: number; emitAnswer: typeof emitOwnerRequest } {
  const [init, monitor] = socketpair(SOCK_SEQPACKET);
  return {
    asks: stack.use(init).number,
    asked: stack.use(monitor).number,
    emitAnswer: emitOwnerRequest,
  };
}
