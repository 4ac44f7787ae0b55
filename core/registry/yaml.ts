/**
 * YAML with line numbers: the one place that loads the `yaml` package, and only loaded where a file needs it.
 *
 * @module
 */
// dhow runs without an import map, so the package is named in full.
// deno-lint-ignore no-import-prefix
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "npm:yaml@2.9.1";

/** A value, and the line it stands in. */
export interface YamlNode {
  line: number;
  value:
    | { kind: "scalar"; scalar: unknown }
    | { kind: "list"; items: YamlNode[] }
    | { kind: "map"; entries: { key: string; line: number; value: YamlNode }[] };
}

/**
 * Parses one document; an empty one is null.
 *
 * @throws {Error} With `line` and a message of one line, if `text` is no YAML.
 */
export function parseYaml(text: string): YamlNode {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    throw Object.assign(new Error(problem.message.split("\n")[0]), {
      line: lines.linePos(problem.pos[0]).line,
    });
  }
  const lineOf = (node: unknown, otherwise: number): number => {
    const range = (node as { range?: [number, number, number] } | null)?.range;
    return range ? lines.linePos(range[0]).line : otherwise;
  };
  function convert(node: unknown, line: number): YamlNode {
    const at = lineOf(node, line);
    // Aliases could blow a small file up; nothing in ours needs them.
    if (isAlias(node)) throw Object.assign(new Error("aliases are not supported"), { line: at });
    if (isSeq(node)) {
      return {
        line: at,
        value: { kind: "list", items: node.items.map((item) => convert(item, at)) },
      };
    }
    if (isMap(node)) {
      const entries = node.items.map(({ key, value }) => {
        const line = lineOf(key, at);
        return {
          key: String(isScalar(key) ? key.value : key),
          line,
          value: convert(value, line),
        };
      });
      return { line: at, value: { kind: "map", entries } };
    }
    return { line: at, value: { kind: "scalar", scalar: isScalar(node) ? node.value : null } };
  }
  return convert(document.contents, 1);
}
