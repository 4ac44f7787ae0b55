/**
 * The user namespace that all containers of a user share, and the holder: a tiny process that keeps it alive while it is
 * in use and for a minute after (DESIGN 2, 5).
 *
 * Users of the namespace hold the write end of a FIFO; the holder waits for all of them to be gone. Starting a holder is
 * the one thing that goes one at a time, under a lock of its own.
 *
 * @module
 */
import { removeIfThere } from "../host/remove_if_there.ts";
import { sleep } from "../host/sleep.ts";
import {
  CLONE_NEWUSER,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  POLLHUP,
  SIGCHLD,
} from "../../ffi/abi/constants.ts";
import { type Fd, open, openIfThere, pipe, write } from "../../ffi/fd.ts";
import { mkfifo } from "../../ffi/fifo.ts";
import { tryLock } from "../../ffi/lock.ts";
import { processStartTime } from "../../ffi/process.ts";
import { ProgramBuilder } from "../../ffi/program/builder.ts";
import {
  closeAllBut,
  type Fixup,
  forkOrphan,
  keepOnlyOwnMemory,
  nameProcess,
} from "../../ffi/program/fragments.ts";
import { LoadedProgram } from "../../ffi/program/loader.ts";
import { DhowError } from "../errors.ts";
import { notice } from "../host/notice.ts";
import { ensureRuntimeDirectory, type StorePaths } from "../host/paths.ts";
import { apparmorRemedy } from "../host/apparmor.ts";
import { caller, defaultIdMap, type IdMap, singleIdMap } from "../host/subid.ts";
import type { IdMapping } from "../spec/runtime.ts";

/** How long a holder outlives its last user, in seconds. */
const LINGER_SECONDS = 60;

/** A hold on the shared user namespace. While it is not disposed the namespace stays. */
export interface UserNamespace extends Disposable {
  /** The namespace itself, for setns(2). */
  readonly fd: Fd;
  /** To be kept open by whoever keeps using the namespace. */
  readonly alive: Fd;
  readonly holderPid: number;
  readonly map: IdMap;
}

interface HolderRecord {
  pid: number;
  startTime: number;
  map: IdMap;
}

/**
 * Takes a hold on the user's namespace, starting the holder if there is none.
 *
 * @throws {DhowError} `unsupported` if this machine lets no ordinary user make one, with the remedy.
 */
export async function ensureUserNamespace(paths: StorePaths): Promise<UserNamespace> {
  const there = openHeld(paths);
  if (there !== undefined) return there;
  ensureRuntimeDirectory(paths);
  using lock = open(`${paths.runtime}/holder.lock`, 0o102);
  while (!tryLock(lock)) await sleep(2);
  return openHeld(paths) ?? await startHolder(paths);
}

/** The mapping that is or will be in force, without starting anything. */
export function currentIdMap(paths: StorePaths): IdMap {
  return readRecord(paths)?.map ?? defaultIdMap();
}

/** The holder's pid, if one runs. */
export function holderPid(paths: StorePaths): number | undefined {
  return readRecord(paths)?.pid;
}

function readRecord(paths: StorePaths): HolderRecord | undefined {
  let record: HolderRecord;
  try {
    record = JSON.parse(Deno.readTextFileSync(`${paths.runtime}/holder.json`));
  } catch {
    return undefined;
  }
  return processStartTime(record.pid) === record.startTime ? record : undefined;
}

function writeRecord(paths: StorePaths, record: HolderRecord): void {
  const file = `${paths.runtime}/holder.json`;
  Deno.writeTextFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  Deno.renameSync(`${file}.new`, file);
}

function openHeld(paths: StorePaths): UserNamespace | undefined {
  const record = readRecord(paths);
  if (record === undefined) return undefined;
  // First the FIFO, then the namespace: a holder that was about to leave has left by now, or sees us and stays.
  const alive = openIfThere(`${paths.runtime}/holder.fifo`, O_WRONLY | O_NONBLOCK);
  if (alive === undefined) return undefined;
  const fd = openIfThere(`/proc/${record.pid}/ns/user`, O_RDONLY);
  if (fd === undefined || processStartTime(record.pid) !== record.startTime) {
    alive.close();
    fd?.close();
    return undefined;
  }
  return held(fd, alive, record);
}

function held(fd: Fd, alive: Fd, record: HolderRecord): UserNamespace {
  return {
    fd,
    alive,
    holderPid: record.pid,
    map: record.map,
    [Symbol.dispose]() {
      fd.close();
      alive.close();
    },
  };
}

async function startHolder(paths: StorePaths): Promise<UserNamespace> {
  const fifo = `${paths.runtime}/holder.fifo`;
  removeIfThere(fifo);
  mkfifo(fifo, 0o600);
  using watched = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const alive = open(fifo, O_WRONLY | O_NONBLOCK);
  const mapped = pipe();
  using _read = mapped.read;
  using _write = mapped.write;

  const pid = runHolder(watched.number, mapped.read.number);
  try {
    const map = await writeIdMap(pid);
    if (map.single) {
      notice(
        `${paths.runtime}/single-id.noticed`,
        `dhow: Only one id is mapped (${map.reason}): all files of images are yours, and whose they are is noted beside them; users in containers are such in name only`,
      );
    }
    const fd = open(`/proc/${pid}/ns/user`, O_RDONLY);
    write(mapped.write.number, new Uint8Array([1]));
    const record = { pid, startTime: processStartTime(pid) ?? 0, map };
    writeRecord(paths, record);
    return held(fd, alive, record);
  } catch (error) {
    alive.close();
    throw error; // the holder reads the end of `mapped` and leaves
  }
}

/** Forks the holder; it waits on `mapped` for its id map. Returns its pid. */
function runHolder(watched: number, mapped: number): number {
  const { program, fixup } = buildHolder(watched, mapped);
  using loaded = new LoadedProgram(program);
  fixup(loaded);
  const pid = loaded.run();
  if (pid < 0) throw noUserNamespaces(-pid);
  return pid;
}

/** The holder's program: fork, shed everything, wait for the map, then for the last user to go. */
export function buildHolder(
  watched: number,
  mapped: number,
): { program: ReturnType<ProgramBuilder["build"]>; fixup: Fixup } {
  const p = new ProgramBuilder();
  const holder = p.label("holder");
  const leave = p.label("leave");
  p.return(forkOrphan(p, holder, CLONE_NEWUSER | SIGCHLD));

  p.place(holder);
  p.call("setsid", []);
  nameProcess(p, "dhow-holder");
  p.call("chdir", ["/"]);
  closeAllBut(p, [watched, mapped]);
  const fixup = keepOnlyOwnMemory(p);
  const byte = p.buffer(8);
  p.jumpIf(p.call("read", [mapped, byte, 1]), "!=", 1, leave);
  p.call("close", [mapped]);

  const users = p.buffer(8);
  p.store("u32", users, watched);
  const linger = p.words([LINGER_SECONDS, 0]);
  const now = p.words([0, 0]);
  const wait = p.here("wait until nobody uses the namespace");
  p.call("ppoll", [users, 1, 0, 0, 0]);
  p.call("nanosleep", [linger, 0]);
  p.call("ppoll", [users, 1, now, 0, 0]);
  p.jumpIf(p.load("u16", p.after(users, 6)), "&", POLLHUP, leave);
  p.jump(wait);
  p.place(leave);
  p.exit(0);
  return { program: p.build(), fixup };
}

/** Gives process `pid`'s new user namespace its ids: all the caller may have, or just the caller's own. */
async function writeIdMap(pid: number): Promise<IdMap> {
  const who = caller();
  const map = defaultIdMap(who);
  if (who.uid === 0 && !map.single) {
    try {
      writeMapFiles(pid, map, false);
      return map;
    } catch (error) {
      // Root of a container may have been left without the right to.
      return writeSingle(pid, singleIdMap(who, (error as Error).message));
    }
  }
  if (!map.single) {
    const problem = await newIdMaps(pid, map);
    if (problem === undefined) return map;
    return writeSingle(pid, singleIdMap(who, problem));
  }
  return writeSingle(pid, map);
}

function writeSingle(pid: number, map: IdMap): IdMap {
  writeMapFiles(pid, map, true);
  return map;
}

function writeMapFiles(pid: number, map: IdMap, denySetgroups: boolean): void {
  const lines = (mappings: IdMapping[]) =>
    mappings.map((m) => `${m.containerID} ${m.hostID} ${m.size}\n`).join("");
  try {
    if (denySetgroups) Deno.writeTextFileSync(`/proc/${pid}/setgroups`, "deny");
    Deno.writeTextFileSync(`/proc/${pid}/uid_map`, lines(map.uids));
    Deno.writeTextFileSync(`/proc/${pid}/gid_map`, lines(map.gids));
  } catch (cause) {
    throw new DhowError(
      "unsupported",
      `Cannot map ids into a user namespace: ${(cause as Error).message}${appArmorHint()}`,
      { cause },
    );
  }
}

/** Runs newuidmap and newgidmap. @returns What went wrong, if anything. */
async function newIdMaps(pid: number, map: IdMap): Promise<string | undefined> {
  const run = async (program: string, mappings: IdMapping[]) => {
    const args = [pid, ...mappings.flatMap((m) => [m.containerID, m.hostID, m.size])].map(String);
    try {
      const command = new Deno.Command(program, {
        args,
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      });
      const { success, stderr } = await command.output();
      return success ? undefined : `${program} failed: ${new TextDecoder().decode(stderr).trim()}`;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return `${program} is not installed (Debian package uidmap, Fedora shadow-utils)`;
    }
  };
  const [uids, gids] = await Promise.all([
    run("newuidmap", map.uids),
    run("newgidmap", map.gids),
  ]);
  return uids ?? gids;
}

function appArmorHint(): string {
  const remedy = apparmorRemedy();
  return remedy === undefined
    ? ""
    : `; AppArmor restricts user namespaces here: as root, ${remedy}`;
}

/** What to do where the kernel refuses a user namespace. */
function noUserNamespaces(errno: number): DhowError {
  const remedy = sysctl("kernel/unprivileged_userns_clone") === "0"
    ? "sudo sysctl -w kernel.unprivileged_userns_clone=1"
    : sysctl("user/max_user_namespaces") === "0"
    ? "sudo sysctl -w user.max_user_namespaces=15000"
    : "ask the administrator to allow unprivileged user namespaces";
  return new DhowError(
    "unsupported",
    `Cannot make a user namespace (errno ${errno}): this machine does not allow it; to mend it: ${remedy}${appArmorHint()}`,
  );
}

function sysctl(name: string): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/sys/${name}`).trim();
  } catch {
    return undefined;
  }
}
