/**
 * The event log: one JSON object a line in `events.jsonl`, appended by whoever makes something happen, in one write each.
 *
 * @module
 */
import { nowNanoseconds } from "../lib/timestamp.ts";
import type { EventMessage } from "../spec/docker_api.ts";
import { type EventFilters, matchesEvent } from "./event_filters.ts";
import type { ContainerRecord } from "./record.ts";

/** Which events, and for how long. */
export interface ReadEventsOptions {
  /** Unix nanoseconds; events from then on. */
  since?: bigint;
  /** Unix nanoseconds; events up to then. A follower ends at that time. */
  until?: bigint;
  filters?: EventFilters;
}

/** How to follow the event log. */
export interface FollowEventsOptions extends ReadEventsOptions {
  /** Resolves when the log may have grown. */
  changed: () => Promise<void>;
  signal?: AbortSignal;
}

/** Beyond this the log is moved to `events.jsonl.1`, over the one there. */
const ROTATE_BYTES = 16 * 1024 * 1024;

/** An event of now, in docker's shape. */
export function makeEvent(
  type: EventMessage["Type"],
  action: string,
  actor: { id: string; attributes?: Record<string, string> },
  at: bigint = nowNanoseconds(),
): EventMessage {
  const attributes = Object.entries(actor.attributes ?? {}).sort(([a], [b]) => a < b ? -1 : 1);
  const Attributes = Object.fromEntries(attributes);
  const isOld = type === "container" || type === "image";
  return {
    ...isOld ? { status: action, id: actor.id } : {},
    ...type === "container" && Attributes.image ? { from: Attributes.image } : {},
    Type: type,
    Action: action,
    Actor: { ID: actor.id, Attributes },
    scope: "local",
    time: Number(at / 1_000_000_000n),
    timeNano: Number(at),
  };
}

/**
 * A container's event: its labels, image and name come along.
 *
 * @param action `start`, `die`, `exec_create: sh -c true`, `health_status: healthy`.
 * @param more `exitCode`, `signal`, `execID`, ...
 */
export function containerEvent(
  { id, name, image, config }: ContainerRecord,
  action: string,
  more: Record<string, string> = {},
): EventMessage {
  const attributes = { ...config.Labels, ...more, image: image.reference, name };
  return makeEvent("container", action, { id, attributes });
}

/** Appends events to the log at `path`, making it if need be; rotates a log grown too large. */
export function appendEvent(path: string, ...events: readonly EventMessage[]): void {
  using file = Deno.openSync(path, { append: true, create: true, mode: 0o600 });
  const lines = events.map((event) => JSON.stringify(event) + "\n").join("");
  file.writeSync(new TextEncoder().encode(lines));
  const { size, ino } = file.statSync();
  if (size > ROTATE_BYTES) rotate(path, file, ino);
}

/** Under a lock on the file itself, so that of several who find it large one moves it. */
function rotate(path: string, file: Deno.FsFile, ino: number | null): void {
  file.lockSync(true);
  if (Deno.statSync(path).ino === ino) Deno.renameSync(path, `${path}.1`);
  file.unlockSync();
}

/** The events in the log at `path`, oldest first, as it is now. */
export function* readEvents(
  path: string,
  options: ReadEventsOptions = {},
): Generator<EventMessage> {
  using current = EventFile.open(path);
  yield* readOld(path, current?.identity, options);
  if (current !== undefined) yield* select(current, options);
}

/** The events in the log at `path` from `since` on (else from now on), then those to come. */
export async function* followEvents(
  path: string,
  options: FollowEventsOptions,
): AsyncGenerator<EventMessage> {
  const { changed, signal, until } = options;
  using current = new CurrentEvents(path);
  if (options.since === undefined) current.skip();
  else yield* readOld(path, current.identity, options);
  while (!signal?.aborted) {
    yield* current.read(options);
    if (until !== undefined && nowNanoseconds() >= until) return;
    if (!signal?.aborted) await before(changed(), until);
  }
}

function* readOld(
  path: string,
  current: string | undefined,
  options: ReadEventsOptions,
): Generator<EventMessage> {
  using old = EventFile.open(`${path}.1`);
  if (old !== undefined && old.identity !== current) yield* select(old, options);
}

/** Waits for `change`, but no longer than until `time`. */
async function before(change: Promise<void>, time: bigint | undefined): Promise<void> {
  if (time === undefined) return await change;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const leftMs = Number((time - nowNanoseconds()) / 1_000_000n) + 1;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, Math.min(leftMs, 2 ** 31 - 1)));
  });
  await Promise.race([change, over]);
  clearTimeout(timer);
}

/** `events.jsonl` through its rotations. */
class CurrentEvents implements Disposable {
  readonly #path: string;
  #file: EventFile | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#file = EventFile.open(path);
  }

  get identity(): string | undefined {
    return this.#file?.identity;
  }

  skip(): void {
    this.#file?.skip();
  }

  *read(options: ReadEventsOptions): Generator<EventMessage> {
    for (;;) {
      const next = EventFile.open(this.#path);
      const isSame = next === undefined || next.identity === this.#file?.identity;
      if (this.#file !== undefined) yield* select(this.#file, options);
      if (isSame) {
        next?.[Symbol.dispose]();
        return;
      }
      this.#file?.[Symbol.dispose]();
      this.#file = next;
    }
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }
}

function* select(file: EventFile, options: ReadEventsOptions): Generator<EventMessage> {
  const { since, until, filters } = options;
  for (const event of file.read()) {
    const time = BigInt(event.timeNano);
    if (since !== undefined && time < since) continue;
    if (until !== undefined && time > until) continue;
    if (filters === undefined || matchesEvent(filters, event)) yield event;
  }
}

/** An open log file, read forward, a line being read when it is whole. */
class EventFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #decoder = new TextDecoder();
  readonly identity: string;
  #rest = "";

  private constructor(file: Deno.FsFile) {
    this.#file = file;
    const { dev, ino } = file.statSync();
    this.identity = `${dev}:${ino}`;
  }

  static open(path: string): EventFile | undefined {
    try {
      return new EventFile(Deno.openSync(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  skip(): void {
    this.#file.seekSync(0, Deno.SeekMode.End);
  }

  *read(): Generator<EventMessage> {
    const buffer = new Uint8Array(1 << 16);
    for (let count = this.#file.readSync(buffer); count; count = this.#file.readSync(buffer)) {
      const text = this.#decoder.decode(buffer.subarray(0, count), { stream: true });
      const lines = text.split("\n");
      lines[0] = this.#rest + lines[0];
      this.#rest = lines.pop()!;
      for (const line of lines) {
        const event = parseLine(line);
        if (event !== undefined) yield event;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** A line that a crash or a full disk spoilt is passed over. */
function parseLine(line: string): EventMessage | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
