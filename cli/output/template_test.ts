import { assertEquals, assertThrows } from "@std/assert";
import { compileTemplate, TemplateError } from "./template.ts";

const data = {
  Id: "abc",
  Size: 12,
  Names: ["a", "b"],
  Labels: { z: "1", a: "2" },
  State: { Status: "exited", Pid: 0, Running: false },
  Nothing: null,
  Label: (name: string) => "label " + name,
};

function render(source: string, options = {}): string {
  return compileTemplate(source, options)(data);
}

Deno.test("compileTemplate() prints fields as Go does", () => {
  assertEquals(render("{{.Id}} {{.State.Status}}"), "abc exited");
  assertEquals(render("{{.Names}} {{.Labels}}"), "[a b] map[a:2 z:1]");
  assertEquals(render("{{.Nothing}}"), "<no value>");
  assertEquals(render("{{.Nothing}}", { nilText: () => "[]" }), "[]");
  assertEquals(render('{{.Label "x"}}'), "label x");
  assertEquals(render("{{json .State}}"), '{"Status":"exited","Pid":0,"Running":false}');
});

Deno.test("compileTemplate() runs if, with, range and variables", () => {
  assertEquals(render("{{if .State.Running}}up{{else if .Id}}id{{else}}no{{end}}"), "id");
  assertEquals(render("{{range .Names}}<{{.}}>{{end}}"), "<a><b>");
  assertEquals(render("{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}"), "a=2;z=1;");
  assertEquals(render("{{range $i, $n := .Names}}{{if $i}},{{end}}{{$n}}{{end}}"), "a,b");
  assertEquals(render("{{with .State}}{{.Pid}}{{$.Id}}{{end}}"), "0abc");
  assertEquals(render("{{$x := 1}}{{range .Names}}{{$x = 2}}{{end}}{{$x}}"), "2");
  assertEquals(render("{{range .Names}}{{if eq . `b`}}{{break}}{{end}}{{.}}{{end}}"), "a");
  assertEquals(render("{{range .Nothing}}x{{else}}none{{end}}"), "none");
});

Deno.test("compileTemplate() trims and skips comments", () => {
  assertEquals(render("a {{- .Id -}} b{{/* no */}}c"), "aabcbc");
});

Deno.test("compileTemplate() has Go's and docker's functions", () => {
  assertEquals(render("{{index .Labels `a`}}{{index .Names 1}}{{len .Names}}"), "2b2");
  assertEquals(
    render('{{printf "%-5s|%03d|%q|%v" .Id .Size .Id .Names}}'),
    'abc  |012|"abc"|[a b]',
  );
  assertEquals(
    render('{{join .Names "+"}} {{upper .Id}} {{title .Id}} {{pad .Id 1 2}}|'),
    "a+b ABC Abc  abc  |",
  );
  assertEquals(render('{{truncate .Id 2}} {{index (split "a:b" ":") 1}}'), "ab b");
  assertEquals(render("{{and .Id .Size}} {{or .Nothing .Id}} {{not .Id}}"), "12 abc false");
  assertEquals(render("{{eq .Id `x` `abc`}} {{lt .Size 13}} {{ge .Size 13}}"), "true true false");
  assertEquals(render("{{.Id | printf `%s-%s` `x` | upper}}"), "X-ABC");
  assertEquals(render("{{(index .Names 0)}}{{println 1 2}}{{print 1 2 `x` `y`}}"), "a1 2\n1 2xy");
});

Deno.test("compileTemplate() words its errors as Go does", () => {
  const cases: [string, string][] = [
    ["{{.ID", "template: :1: unclosed action"],
    ["{{foo}}", 'template: :1: function "foo" not defined'],
    ["{{if}}", "template: :1: missing value for if"],
    ["{{.Id}}{{end}}", "template: :1: unexpected {{end}}"],
    ["{{if .Id}}", "template: :1: unexpected EOF"],
    ["{{range .Nothing}}{{else}}{{break}}{{end}}", "template: :1: {{break}} outside {{range}}"],
    ["{{" + "(".repeat(10_000) + "}}", "template: :1: expression nested too deeply"],
    ["{{if 1}}".repeat(1000), "template: :1: blocks nested too deeply"],
    ["{{range 1e9}}{{end}}", 'template: :1:8: executing "" at <1e9>: range over more than 100000'],
    ["{{.Foo}}", 'template: :1:2: executing "" at <.Foo>: map has no entry for key "Foo"'],
    ["{{.Foo.Bar}}", 'template: :1:6: executing "" at <.Foo.Bar>: map has no entry for key "Foo"'],
  ];
  for (const [source, message] of cases) {
    assertThrows(() => render(source), TemplateError, message);
  }
  assertThrows(
    () => render("{{.Foo}}", { typeName: "*formatter.ContainerContext" }),
    TemplateError,
    "can't evaluate field Foo in type *formatter.ContainerContext",
  );
});
