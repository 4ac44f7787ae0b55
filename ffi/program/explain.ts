/**
 * Prints a syscall program, one readable line a call: what `dhow run --explain` shows.
 *
 * @module
 */
import {
  type Arg,
  CONDITION,
  type Label,
  OP,
  type Op,
  OPERATION,
  type Program,
  WIDTH,
} from "./builder.ts";

const NAMES = { condition: invert(CONDITION), operation: invert(OPERATION), width: invert(WIDTH) };

function invert(table: Record<string, number>): Map<number, string> {
  return new Map(Object.entries(table).map(([name, number]) => [number, name]));
}

/** The whole program as text, with labels on lines of their own. */
export function explainProgram(program: Program): string {
  const labels = new Map<number, string[]>();
  for (const { target } of program.ops) addLabel(labels, target);
  const lines: string[] = [];
  program.ops.forEach((op, index) => {
    for (const label of labels.get(index) ?? []) lines.push(`${label}:`);
    lines.push(`  ${explainOp(program, op, index)}`);
  });
  return lines.join("\n") + "\n";
}

function addLabel(labels: Map<number, string[]>, target: Label | undefined): void {
  if (target?.op === undefined) return;
  const name = labelName(target);
  const there = labels.get(target.op) ?? [];
  if (!there.includes(name)) labels.set(target.op, [...there, name]);
}

function labelName(label: Label): string {
  return `${label.name.replaceAll(" ", "-")}@${label.op}`;
}

function explainOp(program: Program, op: Op, index: number): string {
  const args = op.args.map((arg) => explainArg(program, arg));
  const target = op.target === undefined ? "" : labelName(op.target);
  switch (op.code) {
    case OP.CALL:
    case OP.TRY: {
      const purpose = op.label === undefined ? "" : `  # ${op.label}`;
      return `r${index} = ${op.syscall}(${args.join(", ")})${purpose}`;
    }
    case OP.CLONE:
      return `r${index} = clone(${args[0]}) -> child at ${target}`;
    case OP.JUMP:
      return `goto ${target}`;
    case OP.JUMP_IF:
      return `if ${args[0]} ${NAMES.condition.get(op.sub)} ${args[1]} goto ${target}`;
    case OP.COMPUTE: {
      const operation = NAMES.operation.get(op.sub);
      return operation === "="
        ? `r${index} = ${args[0]}`
        : `r${index} = ${args[0]} ${operation} ${args[1]}`;
    }
    case OP.LOAD:
      return `r${index} = *(${NAMES.width.get(op.sub)} *)${behind(args[0]!, args[1])}`;
    case OP.STORE:
      return `*(${NAMES.width.get(op.sub)} *)${behind(args[0]!, args[2])} = ${args[1]}`;
    default:
      return `return ${args[0]}`;
  }
}

function behind(address: string, offset = "0"): string {
  return offset === "0" ? address : `(${address} + ${offset})`;
}

function explainArg(program: Program, arg: Arg): string {
  if (typeof arg === "number" || typeof arg === "bigint") return number(arg);
  if (typeof arg === "string") return JSON.stringify(arg);
  const address = arg.kind === "value" ? arg.address : arg;
  if (arg.kind === "value") {
    return address.of === "result" ? `r${address.at}` : `v${address.at}`;
  }
  if (address.of === "data") return dataAt(program, address.at);
  return address.of === "result" && address.at < 0 ? "&failed" : `&${address.of}${address.at}`;
}

function number(value: number | bigint): string {
  const big = BigInt(value);
  return big > -4096n && big < 4096n ? String(big) : `0x${BigInt.asUintN(64, big).toString(16)}`;
}

/** A string, or an array of them, if what is there looks like one; else the place. */
function dataAt(program: Program, at: number): string {
  const { data, relocations } = program;
  const strings = stringsAt(program, at);
  if (strings.length > 0) return `[${strings.join(", ")}]`;
  const end = data.indexOf(0, at);
  const bytes = data.subarray(at, end);
  const isText = end > at && bytes.every((byte) => byte >= 32 && byte !== 127);
  if (!isText || relocations.some((relocation) => relocation.at === at)) return `&data${at}`;
  return JSON.stringify(new TextDecoder().decode(bytes));
}

/** The strings that the words at `at` point to, up to the first that does not. */
function stringsAt(program: Program, at: number): string[] {
  const strings: string[] = [];
  for (;; at += 8) {
    const word = program.relocations.find((relocation) => relocation.at === at)?.address;
    if (word?.of !== "data" || program.relocations.some((other) => other.at === word.at)) break;
    const text = dataAt(program, word.at);
    if (!text.startsWith('"')) break;
    strings.push(text);
  }
  return strings;
}
