/**
 * Groups by way of the user's service manager: a scope is a unit around processes that somebody else has started.
 *
 * @see man 5 org.freedesktop.systemd1, https://systemd.io/CGROUP_DELEGATION/
 * @module
 */
import { caller } from "../host/subid.ts";
import { sleep } from "../host/sleep.ts";
import { DhowError } from "../errors.ts";
import { isThere } from "../host/stat.ts";
import { type DbusCall, DbusConnection } from "./dbus.ts";
import type { DbusValue } from "./dbus_message.ts";
import { groupOf } from "./hierarchy.ts";

/** What the containers' processes get to end in when the scope is stopped, as at logout: docker's 10 s. */
const STOP_MICROSECONDS = 10_000_000n;
/** How long the manager may take to move a process, in milliseconds. */
const MOVE_MS = 10_000;

/** A scope to be. */
export interface ScopeRequest {
  /** `dhow-....scope`. */
  unit: string;
  description: string;
  /** The process that it is made around. */
  pid: number;
  /** `my.slice`, to be in another one than the manager's own. */
  slice?: string;
}

interface ManagerSocket {
  path: string;
  /** Whether a bus is in between. */
  isBus: boolean;
}

/** The sockets by which the user's service manager may be reached. */
function managerSockets(): ManagerSocket[] {
  const directory = Deno.env.get("XDG_RUNTIME_DIR") || `/run/user/${caller().uid}`;
  const named = /(?:^|;)unix:path=([^,;]+)/.exec(Deno.env.get("DBUS_SESSION_BUS_ADDRESS") ?? "");
  return [
    ...named ? [{ path: decodeURIComponent(named[1]!), isBus: true }] : [],
    { path: `${directory}/bus`, isBus: true },
    { path: `${directory}/systemd/private`, isBus: false },
  ];
}

/** Whether there is somebody to ask. */
export function hasManager(): boolean {
  return managerSockets().some(({ path }) => isThere(path));
}

/** The user's service manager, reached. */
class Manager implements Disposable {
  readonly #connection: DbusConnection;
  readonly #isBus: boolean;

  constructor(connection: DbusConnection, isBus: boolean) {
    this.#connection = connection;
    this.#isBus = isBus;
  }

  static async open(): Promise<Manager> {
    let failure: unknown = new Error("it has no socket");
    for (const { path, isBus } of managerSockets()) {
      try {
        const connection = await DbusConnection.open(path, caller().uid);
        if (isBus) await connection.hello();
        return new Manager(connection, isBus);
      } catch (error) {
        failure = error;
      }
    }
    throw new DhowError(
      "unsupported",
      `Cannot reach your service manager (systemd --user): ${(failure as Error).message}`,
      { cause: failure },
    );
  }

  async call(member: string, signature: string, ...body: DbusValue[]): Promise<DbusValue[]> {
    const call: DbusCall = {
      path: "/org/freedesktop/systemd1",
      interface: "org.freedesktop.systemd1.Manager",
      member,
      signature,
      body,
    };
    const destination = "org.freedesktop.systemd1";
    return await this.#connection.call(this.#isBus ? { destination, ...call } : call);
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}

/**
 * Makes a scope around a process, to make groups in.
 *
 * @returns The scope's directory. It is gone when its last process is.
 * @throws {DhowError} `unsupported` if the manager cannot be reached, or does not do it.
 */
export async function startScope(request: ScopeRequest): Promise<string> {
  const { unit, description, pid, slice } = request;
  using manager = await Manager.open();
  const text = (value: string) => ({ signature: "s", value });
  const properties = [
    ["Description", text(description)],
    ["Delegate", { signature: "b", value: true }],
    ["PIDs", { signature: "au", value: [pid] }],
    ["CollectMode", text("inactive-or-failed")],
    ["TimeoutStopUSec", { signature: "t", value: STOP_MICROSECONDS }],
    ...slice === undefined ? [] : [["Slice", text(slice)]],
  ];
  try {
    await manager.call("StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail", properties, []);
    return await moved(pid, unit);
  } catch (error) {
    if (error instanceof DhowError) throw error;
    throw new DhowError(
      "unsupported",
      `Cannot make a control group: your service manager (systemd --user) does not start ${unit}: ${
        (error as Error).message
      }`,
      { cause: error },
    );
  }
}

/** Moves a process into a group within a scope, which the kernel lets nobody else do from outside. */
export async function attachToScope(unit: string, group: string, pid: number): Promise<void> {
  using manager = await Manager.open();
  await manager.call("AttachProcessesToUnit", "ssau", unit, group, [pid]);
}

/** Waits until the manager has done what it was asked for. */
async function moved(pid: number, unit: string): Promise<string> {
  for (let waited = 0; waited < MOVE_MS; waited++) {
    const group = groupOf(pid);
    if (group === undefined) break;
    if (group.endsWith(`/${unit}`)) return group;
    await sleep(1);
  }
  throw new DhowError(
    "unsupported",
    `Cannot make a control group: your service manager has not moved process ${pid} to ${unit}; systemctl --user status ${unit} may say why`,
  );
}
