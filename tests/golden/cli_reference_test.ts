/**
 * docs/cli.md is what `--help` says, command by command; `UPDATE=1` writes it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { formatCommandHelp, formatMainHelp } from "../../cli/help.ts";
import { entries, groups, verbsOf } from "../../cli/registry.ts";
import { VERSION } from "../../core/version.ts";

const file = new URL("../../docs/cli.md", import.meta.url);

Deno.test("docs/cli.md is generated from the declarations", async () => {
  const text = await formatReference();
  if (Deno.env.get("UPDATE") === "1") await Deno.writeTextFile(file, text);
  assertEquals(await Deno.readTextFile(file), text);
});

Deno.test("the registry's summaries are the commands' own", async () => {
  for (const entry of entries) {
    const { name, summary } = await entry.load();
    const called = entry.paths[0]!.split(" ").at(-1);
    assertEquals([called, entry.summary], [name, summary]);
  }
});

Deno.test("every verb of a group can be found", () => {
  for (const group of Object.keys(groups)) {
    const names = verbsOf(group).map((verb) => verb.name);
    assertEquals(names, [...new Set(names)]);
    assertEquals(names.length > 0, true);
  }
});

Deno.test("deno.json has the version that dhow prints", async () => {
  const config = await Deno.readTextFile(new URL("../../deno.json", import.meta.url));
  assertEquals(JSON.parse(config).version, VERSION);
});

async function formatReference(): Promise<string> {
  const sections = [
    "# Command line reference",
    "Generated from the declarations in cli/commands/; see CONTRIBUTING.md.",
    "## dhow",
    fenced(formatMainHelp(100)),
  ];
  for (const entry of entries) {
    const path = entry.paths.find((path) => !path.includes(" ")) ?? entry.paths[0]!;
    const command = await entry.load();
    sections.push(`## dhow ${path}`);
    sections.push(fenced(formatCommandHelp(command, entry, { path, width: 100 })));
  }
  return sections.join("\n\n") + "\n";
}

function fenced(text: string): string {
  return "```\n" + text + "\n```";
}
