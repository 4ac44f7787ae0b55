/**
 * Go templates over JSON-like data: what `--format` understands.
 *
 * @see https://docs.docker.com/engine/cli/formatting/
 * @module
 */
import {
  formatValue,
  isEmptyNil,
  isTrue,
  templateFunctions,
  TypedNil,
  typeName,
} from "./template_functions.ts";
import {
  type Operand,
  type ParsedTemplate,
  parseTemplate,
  type Pipe,
  type PipeCommand,
  TemplateError,
  type TemplateNode,
} from "./template_parser.ts";

export { TemplateError } from "./template_parser.ts";

/** How to treat what the data does not say itself. */
export interface TemplateOptions {
  /** Go's name of the data's type; missing fields are then reported as Go does for a struct. */
  typeName?: string;
  /** What a null field prints as: `[]`, `map[]` or `<nil>`. Absent: `<no value>`. */
  nilText?: (field: string) => string;
  /** Whether a field that is not there is merely unset, and so prints as a null one. */
  isOptional?: (field: string) => boolean;
}

/** A template ready to be applied to any number of values. */
export type Template = (data: unknown) => string;

/**
 * Compiles a template.
 *
 * @throws {TemplateError} At stage `parse` here, at stage `execute` from the returned function.
 */
export function compileTemplate(source: string, options: TemplateOptions = {}): Template {
  const parsed = parseTemplate(
    source,
    (name) => name === "and" || name === "or" || Object.hasOwn(templateFunctions, name),
  );
  return (data) => new Execution(parsed, data, options).run();
}

/** How often a range over a number goes round, at most. */
const RANGE_MAX = 100_000;

/** Thrown to leave a range. */
class LoopSignal {
  constructor(readonly kind: "break" | "continue") {}
}

class Execution {
  readonly #template: ParsedTemplate;
  readonly #options: TemplateOptions;
  readonly #root: unknown;
  #variables: { name: string; value: unknown }[];
  #output = "";

  constructor(template: ParsedTemplate, data: unknown, options: TemplateOptions) {
    this.#template = template;
    this.#options = options;
    this.#root = data;
    this.#variables = [{ name: "$", value: data }];
  }

  run(): string {
    this.#walk(this.#template.nodes, this.#root);
    return this.#output;
  }

  #fail(message: string, place: { position: number; text: string }): never {
    const before = this.#template.source.slice(0, place.position);
    const lines = before.split("\n");
    const where = `:${lines.length}:${lines[lines.length - 1]!.length}`;
    throw new TemplateError(
      "execute",
      `template: ${where}: executing "" at <${place.text}>: ${message}`,
    );
  }

  #walk(nodes: TemplateNode[], dot: unknown): void {
    for (const node of nodes) {
      switch (node.kind) {
        case "text":
          this.#output += node.text;
          break;
        case "action": {
          const value = this.#pipe(node.pipe, dot);
          if (node.pipe.variables.length > 0) break;
          this.#output += isEmptyNil(value) && !(value instanceof TypedNil)
            ? "<no value>"
            : formatValue(value);
          break;
        }
        case "if":
        case "with":
          this.#scoped(() => {
            const value = this.#pipe(node.pipe, dot);
            if (isTrue(value)) this.#walk(node.body, node.kind === "with" ? value : dot);
            else this.#walk(node.otherwise, dot);
          });
          break;
        case "range":
          this.#scoped(() => this.#range(node, dot));
          break;
        case "break":
        case "continue":
          throw new LoopSignal(node.kind);
      }
    }
  }

  #scoped(action: () => void): void {
    const depth = this.#variables.length;
    try {
      action();
    } finally {
      this.#variables.length = depth;
    }
  }

  #range(node: TemplateNode & { kind: "if" | "with" | "range" }, dot: unknown): void {
    const { variables, ...rest } = node.pipe;
    const value = this.#pipe({ ...rest, variables: [] }, dot);
    const pairs = this.#pairs(value, node.pipe);
    if (pairs.length === 0) return this.#walk(node.otherwise, dot);
    for (const [key, item] of pairs) {
      const depth = this.#variables.length;
      const values = variables.length === 1 ? [item] : [key, item];
      for (const [index, name] of variables.entries()) {
        this.#variables.push({ name, value: values[index] });
      }
      try {
        this.#walk(node.body, item);
      } catch (signal) {
        if (!(signal instanceof LoopSignal)) throw signal;
        if (signal.kind === "break") return;
      } finally {
        this.#variables.length = depth;
      }
    }
  }

  #pairs(value: unknown, pipe: Pipe): [unknown, unknown][] {
    if (isEmptyNil(value)) return [];
    if (Array.isArray(value)) return [...value.entries()];
    if (typeof value === "number") {
      if (value > RANGE_MAX) this.#fail(`range over more than ${RANGE_MAX}`, pipe.commands[0]!);
      return Array.from({ length: value }, (_, i) => [i, i]);
    }
    if (typeof value === "object") {
      const map = value as Record<string, unknown>;
      return Object.keys(map).sort().map((key) => [key, map[key]]);
    }
    return this.#fail(`range can't iterate over ${formatValue(value)}`, pipe.commands[0]!);
  }

  #pipe(pipe: Pipe, dot: unknown): unknown {
    let value: unknown;
    for (const [index, command] of pipe.commands.entries()) {
      value = this.#command(command, dot, index === 0 ? [] : [value]);
    }
    for (const name of pipe.variables) {
      if (pipe.declares) this.#variables.push({ name, value });
      else this.#variable(name, pipe.commands[0]!).value = value;
    }
    return value;
  }

  #command(command: PipeCommand, dot: unknown, piped: unknown[]): unknown {
    const [first, ...others] = command.operands as [Operand, ...Operand[]];
    if (first.kind === "function") {
      const value = this.#call(first.name, command, { dot, others, piped });
      return first.fields.length === 0 ? value : this.#fields(value, first);
    }
    const args = others.map((operand) => this.#operand(operand, dot, []));
    const isCallable = first.fields.length > 0;
    if (!isCallable && args.length + piped.length > 0) {
      this.#fail(`can't give argument to non-function ${first.text}`, first);
    }
    return this.#operand(first, dot, [...args, ...piped]);
  }

  #call(
    name: string,
    command: PipeCommand,
    input: { dot: unknown; others: Operand[]; piped: unknown[] },
  ): unknown {
    const { dot, others, piped } = input;
    if (name === "and" || name === "or") {
      let value: unknown;
      const lazy = others.map((operand) => () => this.#operand(operand, dot, []));
      for (const next of [...lazy, ...piped.map((item) => () => item)]) {
        value = next();
        if (isTrue(value) === (name === "or")) return value;
      }
      return value;
    }
    const args = others.map((operand) => this.#operand(operand, dot, []));
    try {
      return templateFunctions[name]!(...args, ...piped);
    } catch (error) {
      return this.#fail(`error calling ${name}: ${(error as Error).message}`, command);
    }
  }

  #operand(operand: Operand, dot: unknown, args: unknown[]): unknown {
    switch (operand.kind) {
      case "dot":
        return this.#fields(dot, operand, args);
      case "variable":
        return this.#fields(this.#variable(operand.name, operand).value, operand, args);
      case "literal":
        return operand.value;
      case "nil":
        return null;
      case "pipe":
        return this.#fields(this.#pipe(operand.pipe, dot), operand, args);
      case "function":
        return this.#fields(
          this.#call(operand.name, { operands: [operand], ...operand }, {
            dot,
            others: [],
            piped: [],
          }),
          operand,
        );
    }
  }

  #variable(name: string, place: { position: number; text: string }): { value: unknown } {
    const found = this.#variables.findLast((variable) => variable.name === name);
    return found ?? this.#fail(`undefined variable: ${name}`, place);
  }

  #fields(start: unknown, operand: Operand, args: unknown[] = []): unknown {
    let value = start;
    for (const [index, name] of operand.fields.entries()) {
      const isLast = index === operand.fields.length - 1;
      value = this.#field(value, name, { operand, args: isLast ? args : [] });
    }
    return value;
  }

  #field(value: unknown, name: string, use: { operand: Operand; args: unknown[] }): unknown {
    const { operand, args } = use;
    if (isEmptyNil(value)) {
      if (value instanceof TypedNil && value.missing !== undefined) {
        this.#fail(`map has no entry for key "${value.missing}"`, operand);
      }
      if (value === undefined) this.#fail(`map has no entry for key "${name}"`, operand);
      this.#fail(`nil pointer evaluating interface {}.${name}`, operand);
    }
    if (typeof value !== "object" || Array.isArray(value)) {
      this.#fail(`can't evaluate field ${name} in type ${typeName(value)}`, operand);
    }
    const map = value as Record<string, unknown>;
    if (!(name in map) && this.#options.isOptional?.(name)) {
      return new TypedNil(this.#options.nilText?.(name) ?? "<no value>", name);
    }
    if (!(name in map) || !(Object.hasOwn(map, name) || this.#options.typeName !== undefined)) {
      this.#fail(
        value === this.#root && this.#options.typeName !== undefined
          ? `can't evaluate field ${name} in type ${this.#options.typeName}`
          : `map has no entry for key "${name}"`,
        operand,
      );
    }
    const found = map[name];
    if (typeof found === "function") {
      try {
        return (found as (...args: unknown[]) => unknown).apply(map, args);
      } catch (error) {
        return this.#fail(`error calling ${name}: ${(error as Error).message}`, operand);
      }
    }
    if (args.length > 0) this.#fail(`${name} is not a method but has arguments`, operand);
    if (found === null && this.#options.nilText !== undefined) {
      return new TypedNil(this.#options.nilText(name));
    }
    return found;
  }
}
