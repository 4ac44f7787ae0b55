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
