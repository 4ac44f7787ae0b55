// Containers on a real terminal: keys, sizes, job control, leaving and coming back.
import { assertEquals } from "@std/assert";
import { containerTest, eventually, launcher, type Sandbox } from "../helpers/sandbox.ts";
import { Terminal } from "../helpers/terminal.ts";

const DETACH = "\x10\x11"; // Ctrl-P Ctrl-Q

function terminal(box: Sandbox, ...args: string[]): Terminal {
  return new Terminal([launcher, ...args], { env: box.env, size: { rows: 30, columns: 100 } });
}

containerTest("run -it is a usable shell: size, job control, exit code", async (box) => {
  await using shell = terminal(
    box,
    "run",
    "-it",
    "--rm",
    "--network",
    "none",
    "--name",
    "tty",
    "busybox",
    "sh",
  );
  await shell.expect(/# /);
  await shell.type("stty size; tty; test -t 1 && echo is a terminal\r");
  await shell.expect(/30 100\r\n\/dev\/(pts\/0|console)\r\nis a terminal\r\n/);
  shell.resize({ rows: 40, columns: 120 });
  await eventually(
    "the size follows",
    async () => await box.ok("exec", "tty", "sh", "-c", "stty size < /dev/console") === "40 120",
  );
  await shell.type("sleep 1000\r");
  await shell.expect(/sleep 1000\r\n/);
  await eventually("it sleeps", async () => (await box.ok("top", "tty")).includes("sleep 1000"));
  await shell.type("\x1a");
  await shell.expect(/Stopped.*\r\n/);
  await shell.type("fg\r");
  await shell.expect(/fg\r\nsleep 1000\r\n/);
  await shell.type("\x03");
  await shell.expect(/# /);
  await shell.type("echo $TERM; exit 5\r");
  await shell.expect(/xterm\r\n/);
  assertEquals(await shell.exitCode(), 5);
});

containerTest("Ctrl-P Ctrl-Q leaves a container running; attach comes back to it", async (box) => {
  {
    await using shell = terminal(
      box,
      "run",
      "-it",
      "--network",
      "none",
      "--name",
      "left",
      "busybox",
      "sh",
    );
    await shell.expect(/# /);
    await shell.type("here=still-$((20+2))\r");
    await shell.expect(/# /);
    await shell.type(DETACH);
    assertEquals(await shell.exitCode(), 0);
  }
  assertEquals(await box.inspect("left", "{{.State.Status}}"), "running");
  await using again = terminal(box, "attach", "--detach-keys", "ctrl-x", "left");
  await again.type("echo $here\r");
  await again.expect(/still-22\r\n/);
  await again.type("\x18");
  await again.expect(/read escape sequence/);
  assertEquals(await again.exitCode(), 1);
  await using last = terminal(box, "attach", "left");
  await last.type("exit 4\r");
  assertEquals(await last.exitCode(), 4);
});

containerTest("exec -it has a terminal of its own, with the caller's size", async (box) => {
  await box.runs("-d", "--name", "host", "busybox", "sleep", "1000");
  await using shell = terminal(box, "exec", "-it", "host", "sh");
  await shell.expect(/# /);
  await shell.type("stty size\r");
  await shell.expect(/30 100\r\n/);
  shell.resize({ rows: 10, columns: 50 });
  await eventually("the size follows", async () => {
    await shell.type("stty size\r");
    return /10 50\r\n/.test((await shell.expect(/\d+ \d+\r\n/))[0]);
  });
  await shell.type("exit 6\r");
  assertEquals(await shell.exitCode(), 6);
});

containerTest("the caller's terminal is as before, also after a failure", async (box) => {
  const script =
    `before=$(stty -g); "${launcher}" run -it --rm --network none busybox "$1"; echo code=$?; [ "$before" = "$(stty -g)" ] && echo same`;
  for (const [command, code] of [["true", 0], ["/nonexistent", 127]] as const) {
    await using shell = new Terminal(["sh", "-c", script, "sh", command], { env: box.env });
    await shell.expect(new RegExp(`code=${code}\\r\\nsame\\r\\n`));
  }
});

containerTest("-t without a terminal to type at is refused as docker does", async (box) => {
  const { code, err } = await box.run(["run", "-it", "--network", "none", "busybox", "true"], {
    stdin: "x",
  });
  assertEquals([code, err], [1, "the input device is not a TTY"]);
  const only = await box.dhow(
    "run",
    "-t",
    "--rm",
    "--network",
    "none",
    "busybox",
    "sh",
    "-c",
    "test -t 1 && echo yes",
  );
  assertEquals([only.code, only.out], [0, "yes"]);
});
