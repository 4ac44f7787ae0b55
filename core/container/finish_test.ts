import { assertEquals } from "@std/assert";
import { O_RDWR } from "../../ffi/abi/constants.ts";
import { open } from "../../ffi/fd.ts";
import { tryLock } from "../../ffi/lock.ts";
import { type StorePaths, storePaths } from "../host/paths.ts";
import { RUN_EXIT_AT, RUN_MAGIC, RUN_RECORD_SIZE } from "../runtime/run_record.ts";
import { readEvents } from "./events.ts";
import { finishRun } from "./finish.ts";
import { containerDirectory, type ContainerRecord } from "./record.ts";
import { removeContainer } from "./remove.ts";
import { LOCK_RUN, readState } from "./state.ts";

const EXIT_CODE = 7;

/** A container that has just ended: the record of its run is complete, nobody has dealt with the end yet. */
function ended(
  paths: StorePaths,
  options: { autoRemove: boolean; isLost?: boolean },
): ContainerRecord {
  const record = {
    id: "c5a0".repeat(16),
    name: "web",
    image: { reference: "busybox" },
    config: { Labels: {} },
    hostConfig: { AutoRemove: options.autoRemove, NetworkMode: "container:other" },
    anonymousVolumes: [],
  } as unknown as ContainerRecord;
  const directory = containerDirectory(paths, record.id);
  for (const path of [directory, paths.tmp]) Deno.mkdirSync(path, { recursive: true });
  const run = new DataView(new ArrayBuffer(RUN_RECORD_SIZE));
  const words: [number, bigint][] = [
    [0, RUN_MAGIC],
    [24, 1000n],
    [RUN_EXIT_AT, options.isLost ? 0n : 1n],
    [72, BigInt(EXIT_CODE << 8)],
    [80, 1003n],
  ];
  for (const [at, word] of words) run.setBigInt64(at, word, true);
  Deno.writeFileSync(`${directory}/run`, new Uint8Array(run.buffer));
  Deno.writeTextFileSync(`${directory}/lock`, "");
  Deno.writeTextFileSync(`${directory}/container.json`, JSON.stringify(record));
  return record;
}

function finishTest(name: string, use: (paths: StorePaths) => Promise<void>): void {
  Deno.test(name, async () => {
    const root = await Deno.makeTempDir();
    try {
      await use(storePaths(root));
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}

const left = (directory: string) => [...Deno.readDirSync(directory)];

const told = (paths: StorePaths) =>
  Array.from(readEvents(paths.events), ({ Action, Actor }) => [
    Action,
    Actor.Attributes.exitCode,
    Actor.Attributes.execDuration,
  ]);

finishTest("an end is dealt with once, whoever comes first", async (paths) => {
  const record = ended(paths, { autoRemove: false });
  assertEquals(await finishRun(paths, record), EXIT_CODE);
  assertEquals(await finishRun(paths, record), EXIT_CODE);
  assertEquals(told(paths), [["die", "7", "3"]]);
  assertEquals(readState(containerDirectory(paths, record.id)).exitCode, EXIT_CODE);
  await removeContainer(paths, record.id);
  assertEquals(told(paths).map(([action]) => action), ["die", "destroy"]);
});

finishTest(
  "the end of a container that somebody else removes is told by who removes it",
  async (paths) => {
    const record = ended(paths, { autoRemove: false });
    await removeContainer(paths, record.id);
    assertEquals(told(paths), [["die", "7", "3"], ["destroy", undefined, undefined]]);
  },
);

finishTest("a container that is removed while its end is waited for stays away", async (paths) => {
  for (const autoRemove of [false, true]) {
    const record = ended(paths, { autoRemove });
    const directory = containerDirectory(paths, record.id);
    const lock = open(`${directory}/lock`, O_RDWR);
    assertEquals(tryLock(lock, LOCK_RUN), true);
    const finished = finishRun(paths, record);
    await Deno.rename(directory, `${paths.tmp}/away-${autoRemove}`);
    lock.close();
    assertEquals(await finished, EXIT_CODE);
    assertEquals(left(paths.containers), []);
    assertEquals(told(paths), []);
  }
});

finishTest("an end that nobody recorded is told as a kill", async (paths) => {
  const record = ended(paths, { autoRemove: true, isLost: true });
  assertEquals(await finishRun(paths, record), 137);
  assertEquals(told(paths)[0]!.slice(0, 2), ["die", "137"]);
});

finishTest("the end of a run of its own removes what is to be removed", async (paths) => {
  const record = ended(paths, { autoRemove: true });
  assertEquals(await finishRun(paths, record), EXIT_CODE);
  assertEquals([...left(paths.containers), ...left(paths.tmp)], []);
  assertEquals(told(paths).map(([action]) => action), ["die", "destroy"]);
});
