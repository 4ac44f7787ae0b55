import { assertEquals } from "@std/assert";
import type { EventMessage } from "../spec/docker_api.ts";
import { type EventFilters, matchesEvent } from "./event_filters.ts";
import { appendEvent, containerEvent, followEvents, makeEvent, readEvents } from "./events.ts";
import type { ContainerRecord } from "./record.ts";

const record = {
  id: "c5a0",
  name: "web",
  image: { reference: "busybox" },
  config: { Labels: { x: "y" } },
} as unknown as ContainerRecord;

function at(action: string, seconds: number): EventMessage {
  return makeEvent("container", action, { id: "c5a0" }, BigInt(seconds) * 1_000_000_000n);
}

function withLog(use: (path: string) => Promise<void> | void): () => Promise<void> {
  return async () => {
    const directory = await Deno.makeTempDir();
    try {
      await use(`${directory}/events.jsonl`);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  };
}

const actions = (events: Iterable<EventMessage>) => Array.from(events, (event) => event.Action);

Deno.test("containerEvent() has docker's shape", () => {
  const event = containerEvent(record, "die", { exitCode: "3" });
  const { time, timeNano, ...rest } = event;
  assertEquals(Math.floor(timeNano / 1e9), time);
  assertEquals(
    JSON.stringify(rest),
    '{"status":"die","id":"c5a0","from":"busybox","Type":"container","Action":"die","Actor":' +
      '{"ID":"c5a0","Attributes":{"exitCode":"3","image":"busybox","name":"web","x":"y"}},' +
      '"scope":"local"}',
  );
  assertEquals("id" in makeEvent("volume", "create", { id: "v" }), false);
});

Deno.test(
  "readEvents() selects by time and reads what was rotated away",
  withLog((path) => {
    appendEvent(path, at("create", 1));
    appendEvent(path, at("start", 2));
    Deno.renameSync(path, `${path}.1`);
    appendEvent(path, at("die", 3));
    Deno.writeTextFileSync(path, '{"torn', { append: true });
    assertEquals(actions(readEvents(path)), ["create", "start", "die"]);
    assertEquals(actions(readEvents(path, { since: 2_000_000_000n })), ["start", "die"]);
    assertEquals(actions(readEvents(path, { until: 2_000_000_000n })), ["create", "start"]);
    assertEquals(actions(readEvents(`${path}.none`)), []);
  }),
);

Deno.test(
  "appendEvent() rotates a log grown too large",
  withLog((path) => {
    Deno.writeFileSync(path, new Uint8Array(17 << 20));
    appendEvent(path, at("create", 1));
    appendEvent(path, at("start", 2));
    assertEquals(Deno.statSync(`${path}.1`).size > 17 << 20, true);
    assertEquals(actions(readEvents(path)), ["start"]);
  }),
);

Deno.test(
  "followEvents() sees what comes, through rotation, until the signal",
  withLog(async (path) => {
    appendEvent(path, at("before", 1));
    const abort = new AbortController();
    const steps = [
      () => appendEvent(path, at("one", 2)),
      () => {
        appendEvent(path, at("two", 3));
        Deno.renameSync(path, `${path}.1`);
        appendEvent(path, at("three", 4));
      },
      () => abort.abort(),
    ];
    const changed = () => Promise.resolve(steps.shift()?.());
    const options = { changed, signal: abort.signal };
    const seen = await Array.fromAsync(followEvents(path, options));
    assertEquals(actions(seen), ["one", "two", "three"]);
  }),
);

Deno.test(
  "followEvents() ends at a time to come",
  withLog(async (path) => {
    appendEvent(path, at("before", 1));
    const until = BigInt(Date.now() + 20) * 1_000_000n;
    const changed = () => new Promise<void>(() => {});
    const seen = await Array.fromAsync(followEvents(path, { since: 0n, until, changed }));
    assertEquals(actions(seen), ["before"]);
  }),
);

Deno.test("matchesEvent() selects as docker does", () => {
  const exec = containerEvent(record, "exec_create: sh -c true");
  const volume = makeEvent("volume", "create", { id: "vv", attributes: { driver: "local" } });
  const tag = makeEvent("image", "tag", { id: "sha256:1", attributes: { name: "foo:bar" } });
  const cases: [EventFilters, EventMessage, boolean][] = [
    [{}, exec, true],
    [{ event: ["exec_create"] }, exec, true],
    [{ event: ["exec_create: sh -c true"] }, exec, true],
    [{ event: ["start", "die"] }, exec, false],
    [{ type: ["container"] }, exec, true],
    [{ type: ["volume"] }, exec, false],
    [{ container: ["we"] }, exec, true],
    [{ container: ["c5"] }, exec, true],
    [{ container: ["other"] }, exec, false],
    [{ label: ["x"] }, exec, true],
    [{ label: ["x=y", "z"] }, exec, false],
    [{ image: ["busybox"] }, exec, true],
    [{ image: ["foo"] }, tag, true],
    [{ image: ["foo:bar"] }, tag, true],
    [{ volume: ["v"] }, volume, true],
    [{ scope: ["swarm"] }, volume, false],
    [{ whatever: ["x"] }, volume, true],
  ];
  for (const [filters, event, expected] of cases) {
    assertEquals(matchesEvent(filters, event), expected, JSON.stringify(filters));
  }
});
