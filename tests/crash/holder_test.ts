// What becomes of running containers whose holder was killed.
import { assertEquals, assertMatch } from "@std/assert";
import { containerTest, kill } from "../helpers/sandbox.ts";

containerTest(
  "when the holder is killed old containers keep their network, new ones get one",
  async (box) => {
    await box.ok("run", "-d", "--name", "old", "busybox", "sleep", "1000");
    const before = await box.ok("exec", "old", "ip", "addr", "show", "eth0");
    box.processes(); // remembers the holder's namespace
    const [holder, router] = [box.holder()!, box.router()!];
    kill(holder);
    assertMatch(await box.ok("run", "--rm", "busybox", "ip", "addr", "show", "eth0"), /inet 172/);
    assertEquals(await box.ok("exec", "old", "ip", "addr", "show", "eth0"), before);
    await box.ok("network", "create", "later");
    const connected = await box.dhow("network", "connect", "later", "old");
    assertMatch(connected.err, /the process that held its namespaces was killed; restart/);
    await box.ok("restart", "-t", "0", "old");
    await box.ok("network", "connect", "later", "old");
    await box.ok("rm", "-f", "old");
    await box.ok("network", "rm", "later");
    kill(router); // would leave a minute after its last user
  },
);
