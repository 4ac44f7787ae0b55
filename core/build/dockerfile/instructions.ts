/**
 * Instructions one by one: from keyword, flags and arguments to what they say.
 *
 * @module
 */
import { parseDuration } from "../../lib/duration.ts";
import type {
  AddInstruction,
  CommandLine,
  CopyInstruction,
  HealthcheckInstruction,
  Heredoc,
  Instruction,
  KeyValue,
  RunInstruction,
  SourceRange,
} from "./ast.ts";
import { splitBlanks, trim } from "./blanks.ts";
import { FormError } from "./error.ts";
import { type FlagKind, parseFlags } from "./flags.ts";
import { isHeredocMark } from "./heredoc.ts";
import { parseMount } from "./mount.ts";
import { parseJsonWords, parseWordList, splitInstruction, splitQuoted } from "./words.ts";

/** An instruction whose keyword and flags are apart. */
export interface RawInstruction {
  /** In lower case. */
  keyword: string;
  flags: readonly string[];
  /** What follows the flags. */
  rest: string;
  /** In the order of their marks. */
  heredocs: readonly Heredoc[];
  /** Goes into the result. */
  place: { range: SourceRange; original: string; comments: readonly string[] };
  escape: string;
}

/** Every keyword, in capitals. */
export const KEYWORDS: readonly string[] = [
  ...["ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL"],
  ...["MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"],
];

type Parser = (raw: RawInstruction) => Instruction;

const PARSERS: Readonly<Record<string, Parser>> = {
  add: parseAdd,
  arg: parseArg,
  cmd: (raw) => ({ ...plain(raw), kind: "cmd", command: parseCommand(raw.rest) }),
  copy: parseCopy,
  entrypoint: (raw) => ({ ...plain(raw), kind: "entrypoint", command: parseCommand(raw.rest) }),
  env: (raw) => ({ ...plain(raw), kind: "env", pairs: parsePairs(raw, "ENV") }),
  expose: parseExpose,
  healthcheck: parseHealthcheck,
  label: (raw) => ({ ...plain(raw), kind: "label", pairs: parsePairs(raw, "LABEL") }),
  maintainer: (raw) => ({ ...plain(raw), kind: "maintainer", name: one(raw) }),
  onbuild: parseOnBuild,
  run: parseRun,
  shell: parseShell,
  stopsignal: (raw) => ({ ...plain(raw), kind: "stopsignal", signal: one(raw) }),
  user: (raw) => ({ ...plain(raw), kind: "user", user: one(raw) }),
  volume: parseVolume,
  workdir: (raw) => ({ ...plain(raw), kind: "workdir", path: one(raw) }),
};

/**
 * Reads any instruction but `FROM`.
 *
 * @returns Undefined if there is no such instruction.
 * @throws {Error} BuildKit's words, without a place.
 */
export function readInstruction(raw: RawInstruction): Instruction | undefined {
  return Object.hasOwn(PARSERS, raw.keyword) ? PARSERS[raw.keyword]!(raw) : undefined;
}

/** What follows `FROM`. */
export interface FromArguments {
  base: string;
  name?: string;
  platform?: string;
}

const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

/** Reads `FROM`. @throws {Error} BuildKit's words, without a place. */
export function readFrom(raw: RawInstruction): FromArguments {
  const words = raw.rest === "" ? [] : splitBlanks(raw.rest);
  const [base, as, name] = words;
  const isNamed = words.length === 3 && as!.toLowerCase() === "as";
  if (base === undefined || (words.length !== 1 && !isNamed)) {
    throw new Error("FROM requires either one or three arguments");
  }
  const stage = name?.toLowerCase();
  if (stage !== undefined && !STAGE_NAME.test(stage)) {
    const rule = "name can't start with a number or contain symbols";
    throw new Error(`invalid name for build stage: ${JSON.stringify(name)}, ${rule}`);
  }
  const platform = parseFlags(raw.flags, { platform: "text" }).text("platform");
  return { base, ...(stage !== undefined && { name: stage }), ...(platform && { platform }) };
}

/** What every instruction has; one that knows no flags. */
function plain(raw: RawInstruction): RawInstruction["place"] {
  parseFlags(raw.flags, {});
  return raw.place;
}

function one(raw: RawInstruction): string {
  if (raw.rest === "") {
    throw new Error(`${raw.keyword.toUpperCase()} requires exactly one argument`);
  }
  return raw.rest;
}

function atLeastOne(raw: RawInstruction): Error {
  return new Error(`${raw.keyword.toUpperCase()} requires at least one argument`);
}

/** A JSON array of strings, or else a line for the shell. */
function parseCommand(text: string): CommandLine {
  const args = parseJsonWords(text);
  return args === undefined ? { form: "shell", text } : { form: "exec", args };
}

/** `NAME=value ...`, or `NAME value`, by what comes first: a blank or an equals sign. */
function parsePairs(raw: RawInstruction, keyword: string): KeyValue[] {
  const words = splitQuoted(raw.rest, raw.escape);
  const [first] = words;
  if (first === undefined) throw atLeastOne(raw);
  if (!first.includes("=")) {
    const match = /^(.*?)[\t\v\f\r ]+(.*)$/s.exec(raw.rest);
    if (match === null) throw new FormError(`${keyword} must have two arguments`);
    return [{ key: match[1]!, value: match[2]!, isLegacy: true }];
  }
  return words.map((word) => {
    const equals = word.indexOf("=");
    if (equals < 0) {
      const wanted = "Must be of the form: name=value";
      throw new FormError(`Syntax error - can't find = in ${JSON.stringify(word)}. ${wanted}`);
    }
    if (equals === 0) throw new Error(`${keyword} names can not be blank`);
    return { key: word.slice(0, equals), value: word.slice(equals + 1) };
  });
}

function parseArg(raw: RawInstruction): Instruction {
  const words = splitQuoted(raw.rest, raw.escape);
  if (words.length === 0) throw atLeastOne(raw);
  const args = words.map((word) => {
    const equals = word.indexOf("=");
    if (equals === 0) throw new Error("ARG names can not be blank");
    return equals < 0
      ? { key: word }
      : { key: word.slice(0, equals), value: word.slice(equals + 1) };
  });
  return { ...plain(raw), kind: "arg", args };
}

function parseExpose(raw: RawInstruction): Instruction {
  if (raw.rest === "") throw atLeastOne(raw);
  return { ...plain(raw), kind: "expose", ports: splitBlanks(raw.rest).sort() };
}

function parseVolume(raw: RawInstruction): Instruction {
  const paths = parseWordList(raw.rest).map(trim);
  if (paths.length === 0) throw atLeastOne(raw);
  if (paths.includes("")) throw new Error("VOLUME specified can not be an empty string");
  return { ...plain(raw), kind: "volume", paths };
}

function parseShell(raw: RawInstruction): Instruction {
  const place = plain(raw);
  const args = parseJsonWords(raw.rest);
  if (raw.rest === "" || args?.length === 0) throw atLeastOne(raw);
  if (args === undefined) throw new Error("SHELL requires the arguments to be in JSON form");
  return { ...place, kind: "shell", args };
}

const RUN_FLAGS = { mount: "list", network: "text", security: "text" } as const;

function parseRun(raw: RawInstruction): RunInstruction {
  const flags = parseFlags(raw.flags, RUN_FLAGS);
  const network = flags.text("network");
  if (network !== undefined && !["default", "none", "host"].includes(network)) {
    throw new Error(`invalid network mode ${JSON.stringify(network)}`);
  }
  const security = flags.text("security");
  if (security !== undefined && !["insecure", "sandbox"].includes(security)) {
    throw new Error(`security ${JSON.stringify(security)} is not valid`);
  }
  return {
    ...raw.place,
    kind: "run",
    command: parseCommand(raw.rest),
    heredocs: raw.heredocs,
    mounts: flags.list("mount").map((option) => parseMount(option)),
    ...(network !== undefined && { network }),
    ...(security !== undefined && { security }),
  };
}

/** What `COPY` and `ADD` both know. */
const TRANSFER_FLAGS = {
  chown: "text",
  chmod: "text",
  link: "switch",
  exclude: "list",
} as const satisfies Record<string, FlagKind>;

const COPY_FLAGS = { ...TRANSFER_FLAGS, from: "text", parents: "switch" } as const;
const ADD_FLAGS = {
  ...TRANSFER_FLAGS,
  "keep-git-dir": "switch",
  checksum: "text",
  unpack: "switch",
} as const;

function parseCopy(raw: RawInstruction): CopyInstruction {
  const { flags, ...transfer } = parseTransfer(raw, COPY_FLAGS);
  const from = flags.text("from");
  return {
    ...transfer,
    kind: "copy",
    parents: flags.switch("parents") ?? false,
    ...(from && { from }),
  };
}

function parseAdd(raw: RawInstruction): AddInstruction {
  const { flags, ...transfer } = parseTransfer(raw, ADD_FLAGS);
  const checksum = flags.text("checksum");
  const unpack = flags.switch("unpack");
  return {
    ...transfer,
    kind: "add",
    keepGitDir: flags.switch("keep-git-dir") ?? false,
    ...(checksum && { checksum }),
    ...(unpack !== undefined && { unpack }),
  };
}

function parseTransfer(raw: RawInstruction, known: Readonly<Record<string, FlagKind>>) {
  const keyword = raw.keyword.toUpperCase();
  const words = parseWordList(raw.rest);
  const destination = words.pop();
  if (destination === undefined || words.length === 0) {
    const fault = "at least two arguments, but only one was provided";
    throw new Error(`${keyword} requires ${fault}. Destination could not be determined`);
  }
  const flags = parseFlags(raw.flags, known);
  if (isHeredocMark(destination)) {
    throw new Error(`${keyword} cannot accept a heredoc as a destination`);
  }
  const chown = flags.text("chown");
  const chmod = flags.text("chmod");
  return {
    ...raw.place,
    flags,
    sources: words.filter((word) => !isHeredocMark(word)),
    heredocs: raw.heredocs,
    destination,
    ...(chown && { chown }),
    ...(chmod && { chmod }),
    link: flags.switch("link") ?? false,
    excludes: flags.list("exclude"),
  };
}

const HEALTHCHECK_FLAGS = {
  interval: "text",
  timeout: "text",
  "start-period": "text",
  "start-interval": "text",
  retries: "text",
} as const;

function parseHealthcheck(raw: RawInstruction): HealthcheckInstruction {
  if (raw.rest === "") throw atLeastOne(raw);
  const [word] = splitBlanks(raw.rest) as [string];
  const type = word.toUpperCase();
  const rest = trim(raw.rest.slice(word.length));
  const flags = parseFlags(raw.flags, HEALTHCHECK_FLAGS);
  if (type === "NONE") {
    if (rest !== "") throw new Error("HEALTHCHECK NONE takes no arguments");
    return { ...raw.place, kind: "healthcheck" };
  }
  if (type !== "CMD") {
    throw new Error(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  }
  const command = parseCommand(rest);
  if (rest === "" || (command.form === "exec" && command.args.length === 0)) {
    throw new Error("Missing command after HEALTHCHECK CMD");
  }
  const times = {
    intervalNs: parseInterval("interval", flags.text("interval")),
    timeoutNs: parseInterval("timeout", flags.text("timeout")),
    startPeriodNs: parseInterval("start-period", flags.text("start-period")),
    startIntervalNs: parseInterval("start-interval", flags.text("start-interval")),
    retries: parseRetries(flags.text("retries")),
  };
  const given = Object.entries(times).filter(([, value]) => value !== undefined);
  return { ...raw.place, kind: "healthcheck", command, ...Object.fromEntries(given) };
}

/** Nothing and zero are the same: inherited. */
function parseInterval(name: string, text: string | undefined): number | undefined {
  const ns = text ? parseDuration(text) : 0;
  if (ns === 0) return undefined;
  if (ns < 1e6) throw new Error(`Interval ${JSON.stringify(name)} cannot be less than 1ms`);
  return ns;
}

function parseRetries(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const call = `strconv.ParseInt: parsing ${JSON.stringify(text)}`;
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`${call}: invalid syntax`);
  const retries = Number(text);
  if (Math.abs(retries) >= 2 ** 31) throw new Error(`${call}: value out of range`);
  if (retries < 0) throw new Error(`--retries cannot be negative (${retries})`);
  return retries;
}

function parseOnBuild(raw: RawInstruction): Instruction {
  if (raw.rest === "") throw atLeastOne(raw);
  const place = plain(raw);
  const child = splitInstruction(raw.rest, raw.escape);
  const keyword = child.keyword.toUpperCase();
  if (keyword === "ONBUILD") {
    throw new Error("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  }
  if (keyword === "MAINTAINER" || keyword === "FROM") {
    throw new Error(`${keyword} isn't allowed as an ONBUILD trigger`);
  }
  assertForm({ ...raw, ...child, keyword: keyword.toLowerCase() });
  const bodies = raw.heredocs.map(({ name, content }) => `\n${content}${name}`);
  return { ...place, kind: "onbuild", trigger: raw.rest + bodies.join("") };
}

/** Docker minds the form of what `ONBUILD` keeps, and whatever else is wrong with it when it is run. */
function assertForm(raw: RawInstruction): void {
  try {
    readInstruction(raw);
  } catch (error) {
    if (error instanceof FormError) throw error;
  }
}
