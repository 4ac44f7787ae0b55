import { assertEquals, assertMatch } from "@std/assert";
import { storePaths } from "../../core/host/paths.ts";
import { containerTest, eventually, kill, type Sandbox } from "../helpers/sandbox.ts";

const HTTPD = "mkdir /www; echo hello > /www/index.html; httpd -f -v -p 80 -h /www";

async function serve(box: Sandbox, name: string, ...flags: string[]): Promise<string[]> {
  await box.ok("run", "-d", "--name", name, ...flags, "busybox", "sh", "-c", HTTPD);
  return (await box.ok("port", name, "80")).split("\n");
}

async function get(address: string): Promise<string> {
  try {
    const response = await fetch(`http://${address}/`, { signal: AbortSignal.timeout(5000) });
    return (await response.text()).trim();
  } catch {
    return "";
  }
}

async function answers(address: string): Promise<void> {
  await eventually(`${address} answers`, async () => await get(address) === "hello");
}

function proxy(box: Sandbox, id: string): number {
  const file = `${storePaths(box.root).runtime}/ports/${id}`;
  return JSON.parse(Deno.readTextFileSync(file)).pid;
}

containerTest("a published port is served, shown, and gone with its container", async (box) => {
  const [place] = await serve(box, "web", "-p", "127.0.0.1::80", "--expose", "90");
  assertMatch(place!, /^127\.0\.0\.1:\d+$/);
  await answers(place!);
  const port = place!.slice(10);
  assertEquals(
    await box.ok("ps", "--format", "{{.Ports}}"),
    `90/tcp, 127.0.0.1:${port}->80/tcp`,
  );
  assertEquals(
    await box.inspect("web", "{{json .NetworkSettings.Ports}}"),
    `{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"${port}"}],"90/tcp":null}`,
  );
  await box.ok("rm", "-f", "web");
  await eventually("the port is free", () => {
    try {
      Deno.listen({ hostname: "127.0.0.1", port: Number(port) }).close();
      return true;
    } catch {
      return false;
    }
  });
});

containerTest("a published port keeps the client's address", async (box) => {
  const host = Deno.networkInterfaces()
    .find(({ family, address }) => family === "IPv4" && !address.startsWith("127."))?.address;
  if (host === undefined) return;
  const [place] = await serve(box, "web", "-p", "80");
  const port = place!.slice(place!.lastIndexOf(":") + 1);
  await answers(`${host}:${port}`);
  await answers(`[::1]:${port}`);
  const { err } = await box.dhow("logs", "web");
  assertEquals(err.includes(host), true, err);
});

containerTest("a port that is taken leaves nothing half started", async (box) => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const flags = ["-p", `127.0.0.1:${port}:80`];
  const { code, err } = await box.dhow("run", "-d", "--name", "web", ...flags, "busybox", "true");
  assertEquals(code, 125);
  assertMatch(err, new RegExp(`127.0.0.1:${port}: address already in use`));
  assertEquals(await box.inspect("web", "{{.State.Status}}"), "created");
  const free = await serve(box, "first", "-p", "80");
  const other = free[0]!.slice(free[0]!.lastIndexOf(":") + 1);
  const second = await box.dhow("run", "-p", `${other}:80`, "busybox", "true");
  assertMatch(
    second.err,
    new RegExp(`Bind for 0.0.0.0:${other} failed: port is already allocated`),
  );
});

containerTest("a proxy that was killed is there again with the next command", async (box) => {
  const [place] = await serve(box, "web", "-p", "127.0.0.1::80");
  await answers(place!);
  const id = await box.inspect("web", "{{.Id}}");
  kill(proxy(box, id));
  await eventually("it is gone", async () => await get(place!) === "");
  await box.ok("ps");
  await answers(place!);
  await box.ok("restart", "-t", "0", "web");
  const [again] = (await box.ok("port", "web", "80")).split("\n");
  await answers(again!);
});

/** Sends back what it gets, and closes after the other has. */
const ECHO = `
  for await (const connection of Deno.listen({ hostname: "0.0.0.0", port: 80 })) {
    connection.readable.pipeTo(connection.writable).catch(() => {});
  }`;

containerTest("ends and half-closes are passed on, a thousand at once", async (box) => {
  await box.ok("run", "-d", "--name", "echo", "-p", "127.0.0.1::80", "busybox", "sleep", "99");
  const pid = await box.inspect("echo", "{{.State.Pid}}");
  const deno = [Deno.execPath(), "eval", "--no-lock", ECHO];
  const args = ["-t", pid, "-U", "-n", "--preserve-credentials", ...deno];
  const server = new Deno.Command("nsenter", { args, stdin: "null" }).spawn();
  try {
    const place = await box.ok("port", "echo", "80");
    const port = Number(place.slice(place.lastIndexOf(":") + 1));
    await eventually("it listens", async () => await echo(port, "up") === "up");
    const idle: Deno.Conn[] = [];
    for (let i = 0; i < 1000; i++) idle.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    const some = await Promise.all(Array.from({ length: 100 }, (_, i) => echo(port, `${i}`)));
    assertEquals(some, Array.from({ length: 100 }, (_, i) => `${i}`));
    for (const connection of idle) connection.close();
  } finally {
    server.kill("SIGKILL");
    await server.status;
  }
});

/** Sends `text`, closes that way, and reads until the other is closed. */
async function echo(port: number, text: string): Promise<string> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode(text));
    await connection.closeWrite();
    const parts: Uint8Array[] = [];
    for (const buffer = new Uint8Array(1024);;) {
      const n = await connection.read(buffer);
      if (n === null) break;
      parts.push(buffer.slice(0, n));
    }
    return new TextDecoder().decode(parts.length === 0 ? new Uint8Array() : parts[0]);
  } catch {
    return "";
  }
}

containerTest("ten thousand ports", async (box) => {
  const first = 20_000, last = 29_999;
  const range = `${first}-${last}:${first}-${last}`;
  const httpd = `httpd -f -p ${last}`;
  const { code, err } = await box.dhow(
    "run",
    "-d",
    "--name",
    "many",
    "-p",
    range,
    "busybox",
    "sh",
    "-c",
    httpd,
  );
  if (code !== 0) {
    // Each port is a descriptor, and the machine may allow fewer, or use one of the ports itself.
    assertMatch(err, /too many open files: publish fewer ports|address already in use/);
    return;
  }
  await eventually("the last one answers", async () => await get(`127.0.0.1:${last}`) !== "");
  assertEquals(await box.ok("port", "many", String(last)), `0.0.0.0:${last}\n[::]:${last}`);
});
