/**
 * Instructions made plain: variables replaced, quotes and escapes gone.
 *
 * What a shell in the container or the finished image expands later stays: commands, health checks, `ONBUILD`.
 *
 * @see https://docs.docker.com/reference/dockerfile/#environment-replacement
 * @module
 */
import type { AddInstruction, CopyInstruction, Directives, Instruction, KeyValue } from "./ast.ts";
import { parseMount } from "./mount.ts";
import { parseExposed } from "./ports.ts";
import { type Lookup, shellWords } from "./shell_word.ts";

/** As many as three protocols have, several times over. */
const MAX_PORTS = 1_000_000;

/**
 * Makes one word plain.
 *
 * @throws {Error} BuildKit's words, without a place.
 */
export function expandWord(word: string, lookup: Lookup, escape = "\\"): string {
  return shellWords(word, lookup, { escape }).text;
}

/** Makes a text plain that may then be several words: blanks outside quotes part them. */
export function expandWords(text: string, lookup: Lookup, escape = "\\"): string[] {
  return shellWords(text, lookup, { escape }).words;
}

/**
 * Makes an instruction plain. `EXPOSE` then names each port with its protocol: `80/tcp`.
 *
 * The values of `ARG` are expanded one after the other, each with the earlier ones at hand only if `lookup` knows them;
 * what is overridden should not get here, since `${NAME:?}` may fail.
 *
 * @throws {Error} BuildKit's words, without a place.
 */
export function expandInstruction<I extends Instruction>(
  instruction: I,
  lookup: Lookup,
  directives: Directives,
): I;
export function expandInstruction(
  instruction: Instruction,
  lookup: Lookup,
  directives: Directives,
): Instruction {
  const plain = (word: string) => expandWord(word, lookup, directives.escape);
  switch (instruction.kind) {
    case "arg": {
      const args = instruction.args.map((arg) =>
        arg.value === undefined ? arg : { ...arg, value: plain(arg.value) }
      );
      return { ...instruction, args };
    }
    case "env":
    case "label":
      return { ...instruction, pairs: instruction.pairs.map((pair) => expandPair(pair, plain)) };
    case "run": {
      const mounts = instruction.mounts.map((mount) =>
        mount.option === undefined ? mount : parseMount(mount.option, plain)
      );
      return { ...instruction, mounts };
    }
    case "copy":
    case "add":
      return expandTransfer(instruction, plain, lookup);
    case "expose": {
      const words = instruction.ports.flatMap((port) =>
        expandWords(port, lookup, directives.escape)
      );
      return { ...instruction, ports: expandPorts(words) };
    }
    case "volume": {
      const paths = instruction.paths.map(plain);
      if (paths.includes("")) throw new Error("VOLUME specified can not be an empty string");
      return { ...instruction, paths };
    }
    case "user":
      return { ...instruction, user: plain(instruction.user) };
    case "workdir":
      return { ...instruction, path: plain(instruction.path) };
    case "stopsignal":
      return { ...instruction, signal: plain(instruction.signal) };
    case "maintainer":
    case "cmd":
    case "entrypoint":
    case "shell":
    case "healthcheck":
    case "onbuild":
      return instruction;
  }
}

/** Each port once. @throws {Error} For ranges that together are out of all proportion. */
function expandPorts(words: readonly string[]): string[] {
  const ports = new Set<string>();
  let count = 0;
  for (const word of words) {
    const exposed = parseExposed(word).ports;
    count += exposed.length;
    if (count > MAX_PORTS) throw new Error("EXPOSE names too many ports");
    for (const port of exposed) ports.add(port);
  }
  return [...ports];
}

function expandPair(pair: KeyValue, plain: (word: string) => string): KeyValue {
  return { ...pair, key: plain(pair.key), value: plain(pair.value) };
}

function expandTransfer<T extends CopyInstruction | AddInstruction>(
  instruction: T,
  plain: (word: string) => string,
  lookup: Lookup,
): T {
  const { chown, chmod } = instruction;
  const checksum = instruction.kind === "add" ? instruction.checksum : undefined;
  return {
    ...instruction,
    sources: instruction.sources.map(plain),
    destination: plain(instruction.destination),
    ...(chown !== undefined && { chown: plain(chown) }),
    ...(chmod !== undefined && { chmod: plain(chmod) }),
    ...(checksum !== undefined && { checksum: plain(checksum) }),
    heredocs: instruction.heredocs.map((heredoc) => {
      if (!heredoc.expand) return heredoc;
      // Heredocs escape with a backslash, whatever the Dockerfile does.
      const content = shellWords(heredoc.content, lookup, { ignoreQuotes: true }).text;
      return { ...heredoc, content, expand: false };
    }),
  };
}
