/**
 * `--format` templates.
 *
 * @module
 */
import { compileTemplate, TemplateError } from "../../../cli/output/template.ts";
import { attempt, type FuzzTarget, inputsOf, insist, textOf } from "../target.ts";

const DATA = {
  Id: "abc",
  Size: 12,
  Names: ["a", "b"],
  Labels: { z: "1", a: "2" },
  State: { Status: "exited", Running: false, Nested: { Deep: [1, [2]] } },
  Nothing: null,
  Label: (name: string) => `label ${name}`,
};

/** Templates, of plain data and of a row. */
export const template: FuzzTarget = {
  name: "template",
  maxBytes: 1 << 16,
  seeds: () =>
    inputsOf(
      "{{.Id}} {{- .State.Status -}} {{/* no */}}{{json .}}",
      "{{range $k, $v := .Labels}}{{$k}}={{$v}}{{else}}{{break}}{{end}}",
      '{{if and .Id (eq .Size 12)}}{{printf "%-5s|%03d|%q" .Id .Size .Id}}{{else if .Id}}x{{end}}',
      "{{with .State}}{{.Nested.Deep}}{{$.Label `x`}}{{end}}{{range 3}}{{.}}{{continue}}{{end}}",
      '{{index .Labels "a" | upper | printf "%x %v" 1}}{{truncate (join .Names ",") 2}}',
      '{{slice .Id 1 2}}{{len .Names}}{{pad .Id 1 2}}{{split .Id "b"}}{{$x := 1}}{{$x = 2}}{{$x}}',
    ),
  dictionary: [
    ...["{{", "}}", "{{-", "-}}", "(", ")", "|", ":=", "$x", "$", ".", ".Id", ".Names", ".Labels"],
    ...["if ", "else ", "{{end}}", "{{else}}", "range ", "with ", "{{break}}", "{{continue}}"],
    ...[
      "json ",
      "printf ",
      "index ",
      "slice ",
      "pad ",
      "truncate ",
      "split ",
      "join ",
      "len ",
      "eq ",
    ],
    ...[
      "html ",
      "urlquery ",
      "title ",
      "-1",
      "1e9",
      "1e300",
      "99999999999",
      "0x10",
      '"%*d"',
      '"%9999999999d"',
    ],
    ...[
      '"%.999f"',
      "`",
      '"',
      "'a'",
      "nil",
      "true",
      ".constructor",
      ".__proto__",
      ".toString",
      " ",
      "\n",
    ],
    ...['"\\ud800"', "{{if 1}}", "{{range .Names}}", "((((((((", "{{/*", "*/"],
  ],
  run(input) {
    const text = textOf(input);
    for (
      const options of [{}, {
        typeName: "*t.Row",
        nilText: () => "[]",
        isOptional: () => true,
      }]
    ) {
      const output = attempt(
        () => compileTemplate(text, options)(DATA),
        (error) => error instanceof TemplateError,
      );
      insist(output === undefined || typeof output === "string", "text comes out");
    }
  },
};
