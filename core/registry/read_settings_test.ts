import { assertEquals, assertRejects } from "@std/assert";
import { DhowError } from "../errors.ts";
import { readSettings } from "./read_settings.ts";
import { NO_SETTINGS, settingsFor } from "./settings.ts";

async function read(text: string) {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    return await readSettings(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("readSettings() reads registries, and defaults for the rest", async () => {
  const settings = await read(`# mine
registries:
  docker.io:
    mirrors: [mirror.example, "http://localhost:5000/hub"]
  reg.example:5000:
    insecure: true
    timeout: 2m
defaults:
  timeout: 1.5s
  attempts: 3
`);
  assertEquals(settingsFor(settings, "docker.io"), {
    mirrors: ["mirror.example", "http://localhost:5000/hub"],
    timeoutMs: 1500,
    attempts: 3,
  });
  assertEquals(settingsFor(settings, "reg.example:5000"), {
    insecure: true,
    timeoutMs: 120_000,
    attempts: 3,
  });
  assertEquals(settingsFor(settings, "other"), { timeoutMs: 1500, attempts: 3 });
});

Deno.test("readSettings() takes an empty file, and none", async () => {
  assertEquals(await read(""), NO_SETTINGS);
  assertEquals(await read("registries:\n"), NO_SETTINGS);
  assertEquals(await readSettings("/nonexistent/config.yaml"), NO_SETTINGS);
});

Deno.test("readSettings() says which line is wrong, and what would be right", async () => {
  for (
    const [text, message] of [
      ["registry:\n", 'line 1: unknown key "registry"; allowed here are registries, defaults'],
      [
        "registries:\n  docker.io:\n    mirror: x\n",
        'line 3: unknown key "registries.docker.io.mirror"; allowed here are mirrors, insecure, timeout, attempts',
      ],
      ["defaults:\n  mirrors: [x]\n", 'line 2: unknown key "defaults.mirrors"'],
      ["registries:\n  https://x: {}\n", 'line 2: "https://x" is no registry'],
      [
        "registries:\n  x:\n    insecure: yes\n",
        'line 3: "registries.x.insecure" must be true or false',
      ],
      [
        "registries:\n  x:\n    mirrors:\n      - a\n      - b c\n",
        'line 5: "registries.x.mirrors" must list',
      ],
      ["registries:\n  x:\n    mirrors: a\n", 'line 3: "registries.x.mirrors" must be a list'],
      ["defaults: {timeout: 30}\n", 'line 1: "defaults.timeout" must be a duration'],
      ["defaults:\n  attempts: 0\n", 'line 2: "defaults.attempts" must be a whole number'],
      ["defaults: [\n", "line 2: "],
      ["a: 1\na: 2\n", "line 2: "],
      ["defaults: &x {}\nregistries: *x\n", "line 2: aliases are not supported"],
      ["- x\n", "line 1: the file must be a map"],
      ["__proto__: {}\n", 'line 1: unknown key "__proto__"'],
    ] as const
  ) {
    const error = await assertRejects(() => read(text), DhowError, message);
    assertEquals(error.code, "invalid_argument");
  }
});
