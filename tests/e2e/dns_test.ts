import { assertEquals, assertMatch } from "@std/assert";
import { storePaths } from "../../core/host/paths.ts";
import { containerTest, eventually, kill, type Sandbox } from "../helpers/sandbox.ts";

async function sleeper(box: Sandbox, name: string, ...flags: string[]): Promise<string> {
  await box.ok("run", "-d", "--name", name, ...flags, "busybox", "sleep", "300");
  return await box.inspect(name, "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}");
}

/** The addresses that a container finds for a name. */
async function lookUp(box: Sandbox, from: string, name: string): Promise<string[]> {
  const { out } = await box.dhow("exec", from, "nslookup", name);
  return out.split("\n\n").slice(1).flatMap((part) =>
    [...part.matchAll(/^Address(?: \d+)?: (\S+)/gm)].map(([, address]) => address!)
  );
}

function server(box: Sandbox): number {
  return JSON.parse(Deno.readTextFileSync(`${storePaths(box.root).runtime}/names.json`)).pid;
}

containerTest(
  "containers find each other by name, alias and id, on their networks only",
  async (box) => {
    await box.ok("network", "create", "one");
    await box.ok("network", "create", "two");
    const web = await sleeper(box, "web", "--network", "one", "--network-alias", "www");
    const web2 = await sleeper(box, "web2", "--network", "one", "--network-alias", "www");
    await sleeper(box, "other", "--network", "two");
    assertEquals(await lookUp(box, "web2", "web"), [web]);
    assertEquals(await lookUp(box, "web2", "WEB.one"), [web]);
    assertEquals((await lookUp(box, "web", "www")).sort(), [web, web2].sort());
    const id = await box.inspect("web", "{{.Id}}");
    assertEquals(await lookUp(box, "web2", id.slice(0, 12)), [web]);
    assertEquals(await lookUp(box, "web", "other"), []);
    assertMatch(await box.ok("exec", "web2", "nslookup", web), /name = web\.one/);
    const { code } = await box.dhow("exec", "web", "ping", "-c", "1", "-W", "5", "web2");
    assertEquals(code, 0);
    await box.ok("network", "connect", "--alias", "late", "two", "web");
    assertEquals((await lookUp(box, "other", "late")).length, 1);
    await box.ok("rm", "-f", "web2");
    assertEquals(await lookUp(box, "web", "www"), [web]);
    await box.ok("rm", "-f", "web", "other");
    await box.ok("network", "rm", "one", "two");
  },
);

containerTest("a name server that was killed is there again with the next command", async (box) => {
  await box.ok("network", "create", "one");
  const web = await sleeper(box, "web", "--network", "one");
  assertEquals(await lookUp(box, "web", "web"), [web]);
  kill(server(box));
  await box.ok("ps");
  assertEquals(await lookUp(box, "web", "web"), [web]);
  const second = server(box);
  await box.ok("rm", "-f", "web");
  await eventually("the server leaves with the last container", () => {
    try {
      Deno.statSync(`/proc/${second}`);
      return false;
    } catch {
      return true;
    }
  });
  await box.ok("network", "rm", "one");
});

containerTest("a flood of nonsense does not keep names from being found", async (box) => {
  await box.ok("network", "create", "one");
  const web = await sleeper(box, "web", "--network", "one");
  const gateway = await box.inspect("web", "{{.NetworkSettings.Networks.one.Gateway}}");
  const flood = `for i in 1 2 3; do head -c 300000 /dev/urandom | nc -u -w 1 ${gateway} 53; ` +
    `head -c 300000 /dev/urandom | nc -w 1 ${gateway} 53; done`;
  await box.dhow("exec", "web", "sh", "-c", `${flood} >/dev/null 2>&1`);
  assertEquals(await lookUp(box, "web", "web"), [web]);
  await box.ok("rm", "-f", "web");
  await box.ok("network", "rm", "one");
});

containerTest(
  "a container finds names as soon as it is in a network that has them",
  async (box) => {
    await box.ok("network", "create", "one");
    await box.ok("network", "create", "two");
    const web = await sleeper(box, "web", "--network", "one");
    await sleeper(box, "late");
    const before = await box.ok("exec", "late", "cat", "/etc/resolv.conf");
    assertEquals(await lookUp(box, "late", "web"), []);
    await box.ok("network", "connect", "two", "late");
    await box.ok("network", "connect", "one", "late");
    assertEquals(await lookUp(box, "late", "web"), [web]);
    await box.ok("network", "disconnect", "two", "late");
    assertEquals(await lookUp(box, "late", "web"), [web]);
    await box.ok("network", "disconnect", "one", "late");
    assertEquals(await box.ok("exec", "late", "cat", "/etc/resolv.conf"), before);
    await box.ok("exec", "late", "sh", "-c", "echo '# mine' >> /etc/resolv.conf");
    await box.ok("network", "connect", "one", "late");
    assertEquals(await box.ok("exec", "late", "cat", "/etc/resolv.conf"), `${before}\n# mine`);
    await box.ok("rm", "-f", "web", "late");
    await box.ok("network", "rm", "one", "two");
  },
);

/** Asks over TCP; prints the number of answers and the last four bytes, an address. */
const STREAM_QUERY = `
  const [hostname, name] = Deno.args;
  const labels = name.split(".").flatMap((label) => [label.length, ...new TextEncoder().encode(label)]);
  const query = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1];
  using connection = await Deno.connect({ hostname, port: 53 });
  for (const byte of [0, query.length, ...query]) await connection.write(new Uint8Array([byte]));
  const reply = new Uint8Array(600);
  for (let at = 0; at < 2 || at < 2 + (reply[0] << 8 | reply[1]);) at += await connection.read(reply.subarray(at)) ?? 999;
  const size = 2 + (reply[0] << 8 | reply[1]);
  console.log(reply[3], reply[9], [...reply.subarray(size - 4, size)].join("."));`;

containerTest("names are answered over TCP too, a byte at a time", async (box) => {
  await box.ok("network", "create", "one");
  const web = await sleeper(box, "web", "--network", "one");
  const gateway = await box.inspect("web", "{{.NetworkSettings.Networks.one.Gateway}}");
  const pid = await box.inspect("web", "{{.State.Pid}}");
  const deno = [Deno.execPath(), "eval", "--no-lock", STREAM_QUERY, gateway, "web"];
  const args = ["-t", pid, "-U", "-n", "--preserve-credentials", ...deno];
  const { stdout } = await new Deno.Command("nsenter", { args, stdin: "null" }).output();
  assertEquals(new TextDecoder().decode(stdout).trim(), `7 1 ${web}`);
  await box.ok("rm", "-f", "web");
  await box.ok("network", "rm", "one");
});
