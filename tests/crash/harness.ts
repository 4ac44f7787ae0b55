/**
 * Kills processes of dhow at random moments while several clients work on one store, and says what that broke.
 *
 * @module
 */
import { seededRandom } from "../helpers/tar.ts";
import { kill, type Result, type Sandbox } from "../helpers/sandbox.ts";
import { brokenImages, leftGroups, leftovers } from "./consistency.ts";

/** What one client of a round does, and what may come of it. */
export interface Client {
  args: string[];
  /** Exit codes that are right if nobody was killed but others of the round. @default 0 */
  codes?: number[];
}

/** A kind of work that is interrupted. */
export interface Kind {
  name: string;
  /** The longest time after which something is killed. */
  spanMs: number;
  /** Makes what all rounds need. */
  open?(box: Sandbox): Promise<AsyncDisposable | void>;
  /** Makes what a round needs, before anything is killed. */
  prepare?(box: Sandbox, round: number): Promise<void>;
  /** What the client does in a round. */
  client(round: number, index: number): Client;
  /** Looks at what came of a round; throws or returns what is wrong. */
  check?(box: Sandbox, round: number): Promise<string[]>;
}

/** What came of the rounds of one kind. */
export interface Report {
  kind: string;
  rounds: number;
  /** How often which process was killed. */
  killed: Map<string, number>;
  findings: string[];
}

/** How many rounds, and how many clients in each. */
export interface RoundOptions {
  rounds: number;
  /** @default 3 */
  clients?: number;
  /** After how many rounds what came of them is looked at. @default 1 */
  checkEvery?: number;
  /** After how many rounds everything is removed, and looked for leaks. @default 5 */
  sweepEvery?: number;
  seed?: number;
}

/** What holds for every round, whatever was done. */
interface Memory {
  /** Exit codes that were once recorded, by container. */
  codes: Map<string, string>;
}

/** Plays the rounds of one kind in a sandbox. */
export async function playRounds(box: Sandbox, kind: Kind, options: RoundOptions): Promise<Report> {
  const { rounds, clients = 3, checkEvery = 1, sweepEvery = 5, seed = 1 } = options;
  const report: Report = { kind: kind.name, rounds, killed: new Map(), findings: [] };
  const random = seededRandom(seed);
  const memory: Memory = { codes: new Map() };
  const opened = await kind.open?.(box);
  try {
    for (let round = 0; round < rounds; round++) {
      const note = (text: string) => report.findings.push(`${kind.name} ${round}: ${text}`);
      try {
        await kind.prepare?.(box, round);
        const victim = await playRound(box, kind, { round, clients, random, note });
        report.killed.set(victim, (report.killed.get(victim) ?? 0) + 1);
        const isLast = round % sweepEvery === sweepEvery - 1 || round === rounds - 1;
        const isChecked = isLast || round % checkEvery === checkEvery - 1;
        const findings = isChecked ? await checkContainers(box, memory) : [];
        if (isChecked) findings.push(...await kind.check?.(box, round) ?? []);
        if (isLast) findings.push(...await sweep(box));
        for (const text of findings) note(`${victim}: ${text}`);
      } catch (error) {
        note(error instanceof Error ? error.message : String(error));
      }
    }
  } finally {
    await opened?.[Symbol.asyncDispose]();
  }
  return report;
}

interface Round {
  round: number;
  clients: number;
  random: () => number;
  note: (text: string) => void;
}

/** One round: all clients at once, one process killed. @returns What was killed. */
async function playRound(box: Sandbox, kind: Kind, about: Round): Promise<string> {
  const { round, clients, random, note } = about;
  const work = Array.from({ length: clients }, (_, index) => kind.client(round, index));
  const children = work.map(({ args }) => box.command(args).spawn());
  const outputs = children.map((child) => child.output());
  const timer = setTimeout(() => children.forEach(({ pid }) => kill(pid)), 60_000);
  await pause(random() * kind.spanMs);
  const victim = pickVictim(box, children.map(({ pid }) => pid), random);
  for (const pid of victim.pids) kill(pid);
  const started = Date.now();
  const results = await Promise.all(outputs);
  clearTimeout(timer);
  if (Date.now() - started > 55_000) note(`${victim.name}: a client hangs`);
  for (const [index, { code, stderr }] of results.entries()) {
    const err = new TextDecoder().decode(stderr).trim();
    const { args, codes = [0] } = work[index]!;
    if (/\bat (async )?\S+ \(?file:/.test(err)) note(`${victim.name}: a stack trace: ${err}`);
    const isOthers = victim.client !== undefined && victim.client !== index;
    if (isOthers && !codes.includes(code)) {
      note(`${victim.name}: "${args.join(" ").slice(0, 60)}" ended with ${code}: ${err}`);
    }
  }
  return victim.name;
}

interface Victim {
  name: string;
  pids: number[];
  /** Whose command line, or helper, it is. */
  client?: number;
}

/** Half of the time a command line with its helpers, otherwise any one process. */
function pickVictim(box: Sandbox, clients: readonly number[], random: () => number): Victim {
  const client = Math.floor(random() * clients.length);
  const helpers = descendants(clients[client]!);
  const choice = random();
  if (choice < 0.3) return { name: "command line", pids: [clients[client]!], client };
  if (choice < 0.5) return { name: "command group", pids: [clients[client]!, ...helpers], client };
  if (choice < 0.7 && helpers.length > 0) {
    return { name: "helper", pids: [helpers[Math.floor(random() * helpers.length)]!], client };
  }
  const shared = sharedProcesses(box, clients);
  if (shared.length === 0) return { name: "command line", pids: [clients[client]!], client };
  // First the kind, then the one of it: there are more monitors than routers.
  const names = [...new Set(shared.map(({ name }) => name))];
  const name = names[Math.floor(random() * names.length)]!;
  const one = shared.filter((process) => process.name === name);
  return { name, pids: [one[Math.floor(random() * one.length)]!.pid] };
}

/** Monitors, the holder, the router, its uplink, name servers, port proxies. */
function sharedProcesses(
  box: Sandbox,
  clients: readonly number[],
): { pid: number; name: string }[] {
  const named = { holder: box.holder(), router: box.router(), uplink: box.uplink() };
  const own = new Set([...clients, ...clients.flatMap(descendants)]);
  const found = Object.entries(named)
    .flatMap(([name, pid]) => pid === undefined ? [] : [{ pid, name }]);
  for (const line of box.processes()) {
    const [pid, name] = [Number(line.split(" ")[0]), comm(Number(line.split(" ")[0]))];
    if (!own.has(pid) && name.startsWith("dhow-")) found.push({ pid, name });
    else if (line.includes("__dns")) found.push({ pid, name: "name server" });
  }
  return found;
}

/** Nothing runs any more; what was made can be looked at, and recorded exit codes stay. */
async function checkContainers(box: Sandbox, memory: Memory): Promise<string[]> {
  const findings: string[] = [];
  const found = await containers(box);
  if (found.inspected.code !== 0) findings.push(`inspect: ${found.inspected.err}`);
  for (const line of found.inspected.out.split("\n").filter((line) => line !== "")) {
    const [id, status, code, pid] = line.split(" ") as [string, string, string, string];
    if (status === "running" && !exists(`/proc/${pid}`)) findings.push(`${id} runs without pid`);
    const before = memory.codes.get(id);
    if (before !== undefined && before !== code) {
      findings.push(`the exit code of ${id} was ${before} and is ${code}`);
    }
    if (status === "exited") memory.codes.set(id, code);
  }
  return findings;
}

async function containers(box: Sandbox): Promise<{ ids: string[]; inspected: Result }> {
  const ids = (await box.ok("ps", "-aq", "--no-trunc")).split("\n").filter((id) => id !== "");
  const format = "{{.Id}} {{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}";
  const inspected = ids.length === 0
    ? { code: 0, out: "", err: "" }
    : await box.dhow("inspect", "-f", format, ...ids);
  // One that removes itself meanwhile is none.
  if (/No such (object|container)/.test(inspected.err)) inspected.code = 0;
  return { ids, inspected };
}

/** Removes all that was made and looks for what stays. */
async function sweep(box: Sandbox): Promise<string[]> {
  const findings = await brokenImages(box);
  for (const args of [["ps", "-a"], ["images", "-a"], ["volume", "ls"], ["network", "ls"]]) {
    const { code, err } = await box.dhow(...args);
    if (code !== 0 || err !== "") findings.push(`dhow ${args.join(" ")}: ${code} ${err}`);
  }
  const { ids } = await containers(box);
  if (ids.length > 0) {
    const { code, err } = await box.dhow("rm", "-fv", ...ids);
    if (code !== 0 && !/^(.*No such container: \w+\n?)+$/.test(err)) findings.push(`rm -f: ${err}`);
  }
  const left = await box.ok("ps", "-aq");
  if (left !== "") findings.push(`rm -f left ${left}`);
  endOldRouters(box);
  for (let i = 0; i < 150 && box.processes().length > 0; i++) await pause(20);
  const processes = box.processes();
  if (processes.length > 0) findings.push(`processes: ${processes.join("; ")}`);
  const pruned = await box.dhow("system", "prune", "-f", "--volumes");
  if (pruned.code !== 0) findings.push(`system prune: ${pruned.err}`);
  findings.push(...leftovers(box));
  // A scope goes a moment after its last process.
  let groups = leftGroups(box);
  for (let i = 0; i < 150 && groups.length > 0; i++) {
    await pause(20);
    groups = leftGroups(box);
  }
  findings.push(...groups.map((path) => `control group: ${path}`));
  return findings;
}

/** Ends the routers of holders that were killed; they would leave a minute after their last user. */
function endOldRouters(box: Sandbox): void {
  for (const pid of box.processes().map((line) => Number(line.split(" ")[0]))) {
    const parent = parentOf(pid);
    // What is in the namespace is a child of the router, which is not.
    if (comm(pid) === "dhow-router" && comm(parent) === "dhow-router") kill(parent);
  }
}

function parentOf(pid: number): number {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return 0;
  }
}

/** All children of a process, and theirs. */
function descendants(pid: number): number[] {
  const children: number[] = [];
  try {
    for (const task of Deno.readDirSync(`/proc/${pid}/task`)) {
      const text = Deno.readTextFileSync(`/proc/${pid}/task/${task.name}/children`);
      children.push(...text.split(" ").filter((child) => child !== "").map(Number));
    }
  } catch { /* it is gone */ }
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function comm(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/comm`).trim();
  } catch {
    return "";
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
