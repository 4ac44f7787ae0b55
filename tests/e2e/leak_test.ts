// One process that runs many containers, as scripts do: what it opens it closes, what it starts it reaps.
import { assertEquals } from "@std/assert";
import { openLocalEngine } from "../../core/engine/local.ts";
import { run } from "../../core/script/container.ts";
import { createRequest } from "../../core/script/create_request.ts";
import { containerTest } from "../helpers/sandbox.ts";

const ROUNDS = 15;

async function openFds(): Promise<string[]> {
  const fds: string[] = [];
  for await (const { name } of Deno.readDir("/proc/self/fd")) {
    const target = await Deno.readLink(`/proc/self/fd/${name}`).catch(() => "gone");
    fds.push(target.replace(/\d+/g, "N"));
  }
  return fds.filter((target) => !/gone|\/proc\/N\/fd/.test(target)).sort();
}

async function children(): Promise<string> {
  return await Deno.readTextFile(`/proc/self/task/${Deno.pid}/children`);
}

containerTest(
  `${ROUNDS} runs and execs in one process leave no descriptor, child or mount`,
  async (box) => {
    await using engine = await openLocalEngine({ root: box.root });
    const decoder = new TextDecoder();
    const round = async (tty: boolean) => {
      const request = createRequest("busybox", { cmd: ["sh", "-c", "cat; echo out; exit 3"] });
      Object.assign(request.config, {
        OpenStdin: true,
        StdinOnce: true,
        AttachStdin: true,
        Tty: tty,
      });
      const { id } = await engine.containers.create(request);
      {
        await using stream = await engine.containers.startAttached(id, { stdin: true });
        await stream.write(new TextEncoder().encode(tty ? "in\n\x04" : "in\n"));
        stream.closeStdin();
        let text = "";
        for await (const { bytes } of stream.output) text += decoder.decode(bytes);
        assertEquals([await stream.exitCode, text.replaceAll("\r", "").endsWith("in\nout\n")], [
          3,
          true,
        ]);
      }
      await engine.containers.remove(id);
      await using container = await run("busybox", { engine, cmd: ["sleep", "1000"] });
      assertEquals(await container.exec(["echo", "hi"]).text(), "hi");
      await container.exec(["/nonexistent"]).text().catch(() => {});
      await engine.containers.stop(container.id, { timeoutSeconds: 0 });
    };
    await round(false);
    await round(true);
    const mounts = await Deno.readTextFile("/proc/self/mountinfo");
    const [fds, processes] = [await openFds(), await children()];
    for (let i = 0; i < ROUNDS; i++) await round(i % 2 === 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assertEquals(await openFds(), fds);
    assertEquals(await children(), processes);
    assertEquals(await Deno.readTextFile("/proc/self/mountinfo"), mounts);
  },
);
