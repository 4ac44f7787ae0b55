/**
 * The command line's entry: argv -> one lazily loaded command -> exit code.
 *
 * Words that begin with `__` are dhow calling itself (the exit hook, the unpacker) and go to cli/hidden/.
 *
 * @module
 */
import { onNotice } from "../core/host/notice.ts";
import { lazy } from "../core/lib/lazy.ts";
import { argumentCount, type Command, type Globals } from "./command.ts";
import { ExitError, FlagError } from "./errors.ts";
import { parseFlags } from "./flags.ts";
import { Output } from "./output/stream.ts";
import { findEntry, groups } from "./registry.ts";
import type { Entry } from "./registry/entry.ts";

const out = new Output(Deno.stdout);
const err = new Output(Deno.stderr);
onNotice((text) => err.line(text));

/** Runs one command line and returns the status to end with. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    assertDenoVersion(Deno.version.deno);
    if (argv[0]?.startsWith("__")) return await runHidden(argv[0], argv.slice(1));
    return await dispatch(argv);
  } catch (error) {
    return report(error);
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const globals: Globals = { root: undefined, debug: false, logLevel: "info" };
  const words = argv[0]?.startsWith("-") ? await parseGlobals(argv, globals) : argv;
  if (words === undefined) return 0;
  const [first, second] = words;
  if (first === undefined || first === "help") return await help(words.slice(1));
  if (Object.hasOwn(groups, first)) {
    if (second === undefined || second.startsWith("-")) return await help([first]);
    const path = `${first} ${second}`;
    const entry = findEntry(path);
    if (entry !== undefined) return await runCommand(entry, path, words.slice(2), globals);
    return await unknownCommand(path);
  }
  const entry = findEntry(first);
  if (entry !== undefined) return await runCommand(entry, first, words.slice(1), globals);
  return await unknownCommand(first);
}

/** Takes the flags before the command off `argv`; undefined if they ask for text that was printed. */
async function parseGlobals(
  argv: readonly string[],
  globals: Globals,
): Promise<readonly string[] | undefined> {
  const { formatMainHelp, globalFlags } = await lazy<typeof import("./help.ts")>(
    "./help.ts",
    import.meta.url,
  );
  try {
    const parsed = parseFlags(globalFlags, argv, { interspersed: false });
    if (parsed.help) {
      out.line(formatMainHelp(columns()));
      return undefined;
    }
    if (parsed.flags.version) {
      const { VERSION } = await lazy<typeof import("../core/version.ts")>(
        "../core/version.ts",
        import.meta.url,
      );
      out.line(`dhow version ${VERSION}`);
      return undefined;
    }
    if (parsed.given.has("storageDriver")) {
      // It concerns the processes that dhow starts as well.
      Deno.env.set("DHOW_STORAGE_DRIVER", parsed.flags.storageDriver);
    }
    globals.root = parsed.flags.root === "" ? undefined : parsed.flags.root;
    globals.debug = parsed.flags.debug;
    globals.logLevel = parsed.flags.logLevel;
    return parsed.args;
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    const usage = "Usage:  dhow [OPTIONS] COMMAND [ARG...]";
    throw new ExitError(
      125,
      `${error.message}\n\n${usage}\n\nRun 'dhow --help' for more information`,
    );
  }
}

/** Parses, opens the engine, runs. */
async function runCommand(
  entry: Entry,
  path: string,
  argv: readonly string[],
  globals: Globals,
): Promise<number> {
  const command = await entry.load();
  const parsed = await parseCommand(command, path, argv);
  if (parsed.help) {
    const { formatCommandHelp } = await lazy<typeof import("./help.ts")>(
      "./help.ts",
      import.meta.url,
    );
    out.line(formatCommandHelp(command, entry, { path, width: columns() }));
    return 0;
  }
  await assertArgumentCount(command, path, parsed.args.length);
  const { openLocalEngine } = await lazy<typeof import("../core/engine/local.ts")>(
    "../core/engine/local.ts",
    import.meta.url,
  );
  const root = globals.root;
  await using engine = await openLocalEngine(root === undefined ? {} : { root });
  const { args, flags } = parsed;
  const given = (flag: string) => parsed.given.has(flag);
  return await command.run({ args, flags, given, engine, out, err, path, globals }) ?? 0;
}

async function parseCommand(command: Command, path: string, argv: readonly string[]) {
  try {
    return parseFlags(command.flags, argv, { interspersed: command.interspersed ?? true });
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    const { formatUsage } = await lazy<typeof import("./help.ts")>("./help.ts", import.meta.url);
    const usage = formatUsage(command, path);
    throw new ExitError(
      125,
      `${error.message}\n\n${usage}\n\nRun 'dhow ${path} --help' for more information`,
    );
  }
}

async function assertArgumentCount(command: Command, path: string, found: number): Promise<void> {
  const [min, max] = argumentCount(command);
  if (found >= min && found <= max) return;
  const { formatUsage } = await lazy<typeof import("./help.ts")>("./help.ts", import.meta.url);
  const s = (count: number) => `${count} argument${count === 1 ? "" : "s"}`;
  let need = `requires at least ${s(min)}`;
  let verb = "See";
  if (max !== Infinity) {
    verb = "Run";
    if (max === 0) need = "accepts no arguments";
    else if (min === max) need = `requires ${s(min)}`;
    else if (min === 0) need = `requires at most ${s(max)}`;
    else need = `requires at least ${min} and at most ${s(max)}`;
  }
  throw new ExitError(
    1,
    `dhow: 'dhow ${path}' ${need}\n\n${formatUsage(command, path)}\n\n` +
      `${verb} 'dhow ${path} --help' for more information`,
  );
}

/** `dhow`, `dhow help`, `dhow help COMMAND`, `dhow GROUP`. */
async function help(words: readonly string[]): Promise<number> {
  const { formatCommandHelp, formatGroupHelp, formatMainHelp } = await lazy<
    typeof import("./help.ts")
  >("./help.ts", import.meta.url);
  const path = words.filter((word) => !word.startsWith("-")).join(" ");
  if (path === "") out.line(formatMainHelp(columns()));
  else if (Object.hasOwn(groups, path)) out.line(formatGroupHelp(path));
  else {
    const entry = findEntry(path);
    if (entry === undefined) throw new ExitError(1, `unknown help topic: ${path}`);
    out.line(formatCommandHelp(await entry.load(), entry, { path, width: columns() }));
  }
  return 0;
}

async function unknownCommand(path: string): Promise<never> {
  const { verbsOf } = await lazy<typeof import("./registry.ts")>("./registry.ts", import.meta.url);
  const { closest } = await lazy<typeof import("./flags.ts")>("./flags.ts", import.meta.url);
  const [group, name] = path.includes(" ") ? path.split(" ") as [string, string] : ["", path];
  const known = verbsOf(group).map((verb) => verb.name);
  if (group === "") known.push(...Object.keys(groups));
  const near = closest(name, known);
  const prefix = group === "" ? "dhow" : `dhow ${group}`;
  throw new ExitError(
    1,
    `dhow: unknown command: dhow ${path}\n` +
      (near === undefined ? "" : `\nDid you mean '${prefix} ${near}'?\n`) +
      (group === "" ? "" : `\nUsage:  ${prefix}\n`) +
      `\nRun '${prefix} --help' for more information`,
  );
}

/** Verbs that deal with files of images and containers, in the user namespace. */
const WITH_FILES = new Set([
  "__archive",
  "__build",
  "__changes",
  "__copy_up",
  "__layers",
  "__storage",
  "__unpack",
]);

async function runHidden(verb: string, args: string[]): Promise<number> {
  const load = HIDDEN[verb];
  if (load === undefined) throw new ExitError(125, `dhow: unknown hidden verb ${verb}`);
  const module = await load();
  if (WITH_FILES.has(verb)) {
    const { keepOwnersIfSingle } = await lazy<typeof import("../core/layer/kept_owners.ts")>(
      "../core/layer/kept_owners.ts",
      import.meta.url,
    );
    keepOwnersIfSingle();
  }
  return await module.run(args);
}

/** Prints an error once, on stderr, and maps it to an exit code. */
function report(error: unknown): number {
  if (error instanceof ExitError) {
    if (error.message !== "") err.line(error.message);
    return error.exitCode;
  }
  const known = error instanceof Error &&
    (error.name === "DhowError" || error.name === "SyscallError");
  if (known) err.line(error.message);
  else if (/\(os error 24\)/.test(String(error))) {
    err.line("dhow: Too many open files: the limit is too low; to mend it: ulimit -n 1024");
  } else err.line(`dhow: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
  return 1;
}

/** dhow leans on calls that came with Deno 2.9. */
function assertDenoVersion(version: string): void {
  const [major, minor] = version.split(".").map(Number) as [number, number];
  if (major > 2 || (major === 2 && minor >= 9)) return;
  throw new ExitError(
    125,
    `dhow: this is Deno ${version}, but dhow needs 2.9 or newer: ` +
      "run `deno upgrade`, or `dhow setup` to install it from npm",
  );
}

function columns(): number {
  try {
    return Deno.stdout.isTerminal() ? Math.max(60, Deno.consoleSize().columns) : 80;
  } catch {
    return 80;
  }
}

// At the end, when all constants of this file are there.
/** What dhow calls itself for. */
const HIDDEN: Readonly<Record<string, () => Promise<{ run(args: string[]): Promise<number> }>>> = {
  __archive: () =>
    lazy<typeof import("./hidden/archive.ts")>("./hidden/archive.ts", import.meta.url),
  __build: () => lazy<typeof import("./hidden/build.ts")>("./hidden/build.ts", import.meta.url),
  __changes: () =>
    lazy<typeof import("./hidden/changes.ts")>("./hidden/changes.ts", import.meta.url),
  __copy_up: () =>
    lazy<typeof import("./hidden/copy_up.ts")>("./hidden/copy_up.ts", import.meta.url),
  __dns: () => lazy<typeof import("./hidden/dns.ts")>("./hidden/dns.ts", import.meta.url),
  __health: () => lazy<typeof import("./hidden/health.ts")>("./hidden/health.ts", import.meta.url),
  __hook: () => lazy<typeof import("./hidden/hook.ts")>("./hidden/hook.ts", import.meta.url),
  __layers: () => lazy<typeof import("./hidden/layers.ts")>("./hidden/layers.ts", import.meta.url),
  __rmtree: () => lazy<typeof import("./hidden/rmtree.ts")>("./hidden/rmtree.ts", import.meta.url),
  __storage: () =>
    lazy<typeof import("./hidden/storage.ts")>("./hidden/storage.ts", import.meta.url),
  __transfer: () =>
    lazy<typeof import("./hidden/transfer.ts")>("./hidden/transfer.ts", import.meta.url),
  __usage: () => lazy<typeof import("./hidden/usage.ts")>("./hidden/usage.ts", import.meta.url),
  __unpack: () => lazy<typeof import("./hidden/unpack.ts")>("./hidden/unpack.ts", import.meta.url),
};

const exitCode = await main(Deno.args);
// A turn of the event loop, in which Deno writes its code cache if it has none yet: the next start takes half the time.
await Deno.lstat("/");
Deno.exit(exitCode);
