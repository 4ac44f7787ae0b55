/**
 * Parses Go's text/template syntax, as far as `--format` uses it (no `define`, `template`, `block`).
 *
 * @see https://pkg.go.dev/text/template
 * @module
 */

/** A template that cannot be parsed or executed; `message` is Go's wording. */
export class TemplateError extends Error {
  /** Which half failed. */
  readonly stage: "parse" | "execute";

  constructor(stage: "parse" | "execute", message: string) {
    super(message);
    this.name = "TemplateError";
    this.stage = stage;
  }
}

/** A piece of a template. */
export type TemplateNode =
  | { kind: "text"; text: string }
  | { kind: "action"; pipe: Pipe }
  | {
    kind: "if" | "with" | "range";
    pipe: Pipe;
    body: TemplateNode[];
    otherwise: TemplateNode[];
  }
  | { kind: "break" | "continue" };

/** `$x := a b | c d`. */
export interface Pipe {
  /** Variables set by it, with their `$`. */
  variables: string[];
  /** Whether it declares them (`:=`) or assigns (`=`). */
  declares: boolean;
  commands: PipeCommand[];
}

/** One stage of a pipe: an operand alone, or something callable and its arguments. */
export interface PipeCommand {
  operands: Operand[];
  /** As written, for error messages. */
  text: string;
  /** Offset in the template. */
  position: number;
}

/** A value; `fields` are looked up in it one after the other. */
export type Operand =
  & { fields: string[]; text: string; position: number }
  & (
    | { kind: "dot" }
    | { kind: "variable"; name: string }
    | { kind: "function"; name: string }
    | { kind: "literal"; value: string | number | boolean }
    | { kind: "nil" }
    | { kind: "pipe"; pipe: Pipe }
  );

interface Token {
  kind: "field" | "dot" | "variable" | "word" | "number" | "string" | "mark" | "close";
  text: string;
  start: number;
  /** A blank comes before it. */
  spaced: boolean;
}

const TOKEN =
  /(\s*)(?:(\.[\p{L}_][\p{L}\p{N}_]*)|(\.)(?![\d])|(\$[\p{L}\p{N}_]*)|([\p{L}_][\p{L}\p{N}_]*)|([+-]?(?:0x[\da-fA-F]+|\d*\.?\d+(?:[eE][+-]?\d+)?))|("(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+')|(:=|[|(),=]))/uy;
const KINDS = ["field", "dot", "variable", "word", "number", "string", "mark"] as const;

/** So deep may blocks be nested, and parentheses. */
const DEPTH_MAX = 500;

/** A parsed template. */
export interface ParsedTemplate {
  source: string;
  nodes: TemplateNode[];
}

/**
 * Parses a whole template.
 *
 * @param hasFunction Tells which function names exist.
 * @throws {TemplateError} At stage `parse`.
 */
export function parseTemplate(
  source: string,
  hasFunction: (name: string) => boolean,
): ParsedTemplate {
  const parser = new Parser(source, hasFunction);
  return { source, nodes: parser.parse() };
}

interface Block {
  kind: "root" | "if" | "with" | "range";
  nodes: TemplateNode[];
  /** `else if` opened it: the `end` that closes it closes its parent too. */
  chained: boolean;
  inElse: boolean;
  node?: TemplateNode & { otherwise: TemplateNode[] };
}

class Parser {
  readonly #source: string;
  readonly #hasFunction: (name: string) => boolean;
  #tokens: Token[] = [];
  #at = 0;
  /** How many parentheses are open. */
  #depth = 0;
  readonly #blocks: Block[] = [{ kind: "root", nodes: [], chained: false, inElse: false }];

  constructor(source: string, hasFunction: (name: string) => boolean) {
    this.#source = source;
    this.#hasFunction = hasFunction;
  }

  parse(): TemplateNode[] {
    let position = 0;
    while (true) {
      const open = this.#source.indexOf("{{", position);
      if (open < 0) break;
      let start = open + 2;
      const trimsLeft = /^-\s/.test(this.#source.slice(start, start + 2));
      if (trimsLeft) start++;
      let text = this.#source.slice(position, open);
      if (trimsLeft) text = text.trimEnd();
      if (text !== "") this.#add({ kind: "text", text });
      position = this.#action(start);
    }
    const rest = this.#source.slice(position);
    if (rest !== "") this.#add({ kind: "text", text: rest });
    if (this.#blocks.length > 1) this.#fail("unexpected EOF", this.#source.length);
    return this.#blocks[0]!.nodes;
  }

  #fail(message: string, position: number): never {
    const line = this.#source.slice(0, position).split("\n").length;
    throw new TemplateError("parse", `template: :${line}: ${message}`);
  }

  #block(): Block {
    return this.#blocks[this.#blocks.length - 1]!;
  }

  #add(node: TemplateNode): void {
    this.#block().nodes.push(node);
  }

  /** Parses one action that starts at `start`; returns where the text after it begins. */
  #action(start: number): number {
    const comment = /\s*\/\*/y;
    comment.lastIndex = start;
    if (comment.test(this.#source)) {
      const end = this.#source.indexOf("*/", start);
      if (end < 0) this.#fail("unclosed comment", start);
      return this.#afterClose(end + 2);
    }
    this.#tokens = [];
    this.#at = 0;
    let position = start;
    while (true) {
      const close = /\s+-\}\}|\s*\}\}/y;
      close.lastIndex = position;
      if (close.test(this.#source)) break;
      TOKEN.lastIndex = position;
      const match = TOKEN.exec(this.#source);
      if (match === null) this.#badToken(position);
      const group = match.findIndex((part, index) => index > 1 && part !== undefined);
      const text = match[group]!;
      const at = position + match[1]!.length;
      this.#tokens.push({ kind: KINDS[group - 2]!, text, start: at, spaced: match[1] !== "" });
      position = TOKEN.lastIndex;
    }
    this.#tokens.push({ kind: "close", text: "}}", start: position, spaced: true });
    this.#statement(start);
    return this.#afterClose(position);
  }

  #badToken(position: number): never {
    const rest = this.#source.slice(position);
    const blank = /^\s*/.exec(rest)![0].length;
    const next = rest[blank];
    if (next === undefined || next === "\n") this.#fail("unclosed action", position);
    if (next === '"') this.#fail("unterminated quoted string", position);
    this.#fail(`unexpected ${JSON.stringify(next)} in operand`, position);
  }

  #afterClose(position: number): number {
    const close = /(?:\s+(-))?\s*\}\}/y;
    close.lastIndex = position;
    const match = close.exec(this.#source);
    if (match === null) this.#fail("unclosed action", position);
    if (match[1] === undefined) return close.lastIndex;
    const blanks = /\s*/y;
    blanks.lastIndex = close.lastIndex;
    blanks.exec(this.#source);
    return blanks.lastIndex;
  }

  #peek(): Token {
    return this.#tokens[this.#at]!;
  }

  #statement(start: number): void {
    const token = this.#peek();
    if (token.kind === "word") {
      switch (token.text) {
        case "if":
        case "with":
        case "range":
          this.#at++;
          this.#open(token.text, false);
          return;
        case "else":
          this.#at++;
          this.#else(token.start);
          return;
        case "end":
          this.#at++;
          this.#end(token.start);
          return;
        case "break":
        case "continue":
          this.#at++;
          if (!this.#blocks.some(({ kind, inElse }) => kind === "range" && !inElse)) {
            this.#fail(`{{${token.text}}} outside {{range}}`, token.start);
          }
          this.#add({ kind: token.text });
          return;
        case "define":
        case "template":
        case "block":
          this.#fail(`{{${token.text}}} is not supported`, token.start);
      }
    }
    if (token.kind === "close") this.#fail("missing value for command", start);
    this.#add({ kind: "action", pipe: this.#pipe("command", "close") });
  }

  #open(kind: "if" | "with" | "range", chained: boolean): void {
    const pipe = this.#pipe(kind, "close");
    if (this.#blocks.length > DEPTH_MAX) {
      this.#fail("blocks nested too deeply", this.#source.length);
    }
    const node = { kind, pipe, body: [], otherwise: [] };
    this.#add(node);
    this.#blocks.push({ kind, nodes: node.body, chained, inElse: false, node });
  }

  #else(position: number): void {
    const block = this.#block();
    if (block.node === undefined || block.inElse) this.#fail("unexpected {{else}}", position);
    block.inElse = true;
    block.nodes = block.node.otherwise;
    const token = this.#peek();
    if (token.kind === "word" && (token.text === "if" || token.text === "with")) {
      this.#at++;
      this.#open(token.text, true);
    }
  }

  #end(position: number): void {
    if (this.#blocks.length === 1) this.#fail("unexpected {{end}}", position);
    while (this.#blocks.pop()!.chained);
  }

  #pipe(context: string, until: "close" | ")"): Pipe {
    const pipe: Pipe = { variables: [], declares: true, commands: [] };
    this.#declarations(pipe);
    while (true) {
      const token = this.#peek();
      if (token.kind === "close" || (token.kind === "mark" && token.text === ")")) {
        if ((token.kind === "close") !== (until === "close")) {
          this.#fail(
            until === "close" ? "unexpected right paren" : "unclosed left paren",
            token.start,
          );
        }
        if (pipe.commands.length === 0) this.#fail(`missing value for ${context}`, token.start);
        this.#at++;
        return pipe;
      }
      pipe.commands.push(this.#command());
      if (this.#peek().text === "|" && this.#peek().kind === "mark") {
        this.#at++;
        if (this.#peek().kind === "close") {
          this.#fail(`missing value for ${context}`, token.start);
        }
      }
    }
  }

  #declarations(pipe: Pipe): void {
    const names: string[] = [];
    let at = this.#at;
    while (this.#tokens[at]?.kind === "variable") {
      names.push(this.#tokens[at]!.text);
      const mark = this.#tokens[at + 1]?.text;
      if (mark === ":=" || mark === "=") {
        pipe.variables = names;
        pipe.declares = mark === ":=";
        this.#at = at + 2;
        return;
      }
      if (mark !== ",") return;
      at += 2;
    }
  }

  #command(): PipeCommand {
    const start = this.#peek().start;
    const operands: Operand[] = [];
    while (true) {
      const token = this.#peek();
      if (token.kind === "close" || (token.kind === "mark" && /[|)]/.test(token.text))) break;
      operands.push(this.#operand());
    }
    if (operands.length === 0) this.#fail("empty command", start);
    const end = this.#tokens[this.#at]!.start;
    return { operands, position: start, text: this.#source.slice(start, end).trim() };
  }

  #operand(): Operand {
    const token = this.#tokens[this.#at++]!;
    const base = { fields: [] as string[], text: token.text, position: token.start };
    const operand = this.#primary(token, base);
    while (this.#peek().kind === "field" && !this.#peek().spaced) {
      const field = this.#tokens[this.#at++]!;
      operand.fields.push(field.text.slice(1));
      // As Go's parser: a chain of fields is placed where its second one begins.
      if (operand.text === token.text) operand.position = field.start;
      operand.text += field.text;
    }
    return operand;
  }

  #primary(token: Token, base: { fields: string[]; text: string; position: number }): Operand {
    switch (token.kind) {
      case "field":
        return { ...base, kind: "dot", fields: [token.text.slice(1)] };
      case "dot":
        return { ...base, kind: "dot" };
      case "variable":
        return { ...base, kind: "variable", name: token.text };
      case "number":
        return { ...base, kind: "literal", value: Number(token.text) };
      case "string":
        return { ...base, kind: "literal", value: unquote(token.text) };
      case "word":
        if (token.text === "true" || token.text === "false") {
          return { ...base, kind: "literal", value: token.text === "true" };
        }
        if (token.text === "nil") return { ...base, kind: "nil" };
        if (!this.#hasFunction(token.text)) {
          this.#fail(`function ${JSON.stringify(token.text)} not defined`, token.start);
        }
        return { ...base, kind: "function", name: token.text };
      case "mark":
        if (token.text === "(") {
          if (this.#depth++ === DEPTH_MAX) this.#fail("expression nested too deeply", token.start);
          const pipe = this.#pipe("parenthesized pipeline", ")");
          this.#depth--;
          return { ...base, kind: "pipe", pipe };
        }
    }
    return this.#fail(`unexpected ${JSON.stringify(token.text)} in operand`, token.start);
  }
}

/** The value of a Go string or character literal. */
function unquote(text: string): string | number {
  if (text.startsWith("`")) return text.slice(1, -1);
  const named: Record<string, string> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b" };
  named["f"] = "\f";
  named["v"] = "\v";
  const body = text.slice(1, -1).replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|(.))/g,
    (_, hex: string | undefined, unicode: string | undefined, letter: string) => {
      const code = hex ?? unicode;
      if (code !== undefined) return String.fromCharCode(parseInt(code, 16));
      return named[letter] ?? letter;
    },
  );
  return text.startsWith("'") ? body.codePointAt(0)! : body;
}
