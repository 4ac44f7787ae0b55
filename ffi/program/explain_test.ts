import { assertEquals } from "@std/assert";
import { ProgramBuilder } from "./builder.ts";
import { explainProgram } from "./explain.ts";

Deno.test("explainProgram() has one readable line for each op", () => {
  const p = new ProgramBuilder();
  const failed = p.label("failed");
  const fd = p.call("openat", [-100, "/etc/passwd", 0, 0], { orElse: failed, label: "open it" });
  p.call("close", [fd]);
  p.return(0);
  p.place(failed);
  p.exit(1);
  const lines = explainProgram(p.build()).trimEnd().split("\n");
  assertEquals(
    lines.some((line) => line.includes("openat(") && line.includes('"/etc/passwd"')),
    true,
    lines.join("\n"),
  );
  assertEquals(lines.some((line) => line.includes("open it")), true, lines.join("\n"));
  assertEquals(lines.some((line) => line.includes("exit_group(1)")), true, lines.join("\n"));
});

Deno.test("explainProgram() shows arrays of strings", () => {
  const p = new ProgramBuilder();
  p.call("execve", ["/bin/sh", p.strings(["sh", "-c", "exit 1"]), p.strings([])]);
  const line = explainProgram(p.build()).trim();
  assertEquals(line, 'r0 = execve("/bin/sh", ["sh", "-c", "exit 1"], &data56)');
});
