/**
 * `dhow container stats`.
 *
 * @module
 */
import type { Engine } from "../../../core/engine/engine.ts";
import { sleep } from "../../../core/host/sleep.ts";
import type { ContainerStats } from "../../../core/spec/docker_api.ts";
import { command } from "../../command.ts";
import { errorText } from "../../for_each.ts";
import { withInterrupt } from "../../interrupt.ts";
import { FORMAT_HELP } from "../../output/format_help.ts";
import { formatRows, type Row } from "../../output/rows.ts";
import { statsColumns, statsHeaders, toStatsRow } from "../../output/stats_row.ts";
import type { Output } from "../../output/stream.ts";

/** How often the screen is drawn, in milliseconds; docker's. */
const DRAW_MS = 500;

/** Display a live stream of container(s) resource usage statistics. */
export const stats = command({
  name: "stats",
  summary: "Display a live stream of container(s) resource usage statistics",
  args: "[CONTAINER...]",
  flags: {
    all: { type: "bool", short: "a", help: "Show all containers (default shows just running)" },
    format: { type: "string", help: FORMAT_HELP },
    noStream: { type: "bool", help: "Disable streaming stats and only pull the first result" },
    noTrunc: { type: "bool", help: "Do not truncate output" },
  },
  async run({ args, flags, engine, out, err }) {
    const format = async (rows: readonly Row[]) =>
      await formatRows(rows, {
        format: flags.format,
        columns: statsColumns,
        headers: statsHeaders,
        typeName: "*container.statsContext",
      });
    const names = async () =>
      args.length > 0
        ? args
        : (await engine.containers.list({ all: flags.all })).map(({ Id }) => Id);
    const truncate = !flags.noTrunc;
    if (flags.noStream) {
      return await showOnce(engine, await names(), { format, truncate, out, err });
    }
    for (const name of args) await engine.containers.inspect(name); // nobody of that name is an error at once
    await withInterrupt((signal) => follow(engine, names, { format, truncate, out, signal }));
    return 0;
  },
});

interface Show {
  format: (rows: readonly Row[]) => Promise<string>;
  truncate: boolean;
  out: Output;
}

async function showOnce(
  engine: Engine,
  names: readonly string[],
  { format, truncate, out, err }: Show & { err: Output },
): Promise<number> {
  const found = await Promise.allSettled(names.map((name) => first(engine, name)));
  const errors = found.filter((result) => result.status === "rejected")
    .map(({ reason }) => errorText(reason));
  if (errors.length > 0) {
    for (const error of errors) err.line(error);
    return 1;
  }
  const rows = found.map((result, i) =>
    toStatsRow(names[i]!, (result as PromiseFulfilledResult<ContainerStats>).value, { truncate })
  );
  out.write(await format(rows));
  return 0;
}

async function first(engine: Engine, name: string): Promise<ContainerStats> {
  for await (const stats of engine.containers.stats(name)) return stats;
  throw new Error("no statistics");
}

/** Draws what there is, again and again, until Ctrl-C; containers come and go meanwhile. */
async function follow(
  engine: Engine,
  names: () => Promise<readonly string[]>,
  { format, truncate, out, signal }: Show & { signal: AbortSignal },
): Promise<void> {
  const rows = new Map<string, Row | undefined>();
  const watch = async (name: string) => {
    try {
      for await (const stats of engine.containers.stats(name, { stream: true, signal })) {
        rows.set(name, toStatsRow(name, stats, { truncate }));
      }
    } catch { /* it is gone */ }
    rows.delete(name);
  };
  const drawsOver = out.isTerminal();
  if (drawsOver) out.write("\x1b[2J");
  while (!signal.aborted) {
    const current = await names();
    for (const name of current) {
      if (rows.has(name)) continue;
      rows.set(name, undefined);
      void watch(name);
    }
    const known = current.map((name) => rows.get(name)).filter((row) => row !== undefined);
    const text = await format(known);
    // Home, each line with what was behind it wiped out, and what was below.
    out.write(drawsOver ? `\x1b[H${text.replaceAll("\n", "\x1b[K\n")}\x1b[J` : text);
    await sleep(DRAW_MS);
  }
}
